"""What the descriptions of the shipped scenarios say comes true.

Each figure stands in the description or follows from the settings by hand; bounds leave room for chance.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from ruamel.yaml import YAML

from workbench.simulate import Records, ReferenceEngine, Workload, load_scenario
from workbench.tables import Outcome

pytestmark = pytest.mark.slow
"""Each simulates or trains for seconds."""

SIMULATIONS = Path(__file__).parents[4] / "simulations"


def changed(name: str, **balancers: Any) -> Records:
    """Run a shipped scenario, with other settings of its balancers; None takes one away."""
    content = YAML(typ="safe").load((SIMULATIONS / f"{name}.yaml").read_text())
    kept = content["balancers"] | balancers
    content["balancers"] = {key: value for key, value in kept.items() if value is not None}
    return ReferenceEngine().run(Workload(load_scenario(content, folder=SIMULATIONS)))


@lru_cache(maxsize=2)
def shipped(name: str) -> Records:
    return changed(name)


def between(records: Records, low: float, high: float) -> NDArray[np.bool_]:
    return (records.arrival >= low) & (records.arrival < high)


def share_ok(records: Records, low: float, high: float) -> float:
    return float(records.ok()[between(records, low, high)].mean())


def share_of(records: Records, server: int, low: float, high: float) -> float:
    return float((records.server[between(records, low, high)] == server).mean())


def p99(records: Records, low: float, high: float) -> float:
    served = between(records, low, high) & records.ok()
    return float(np.quantile((records.answered - records.arrival)[served], 0.99))


def count(records: Records, *outcomes: Outcome) -> int:
    return int(np.isin(records.outcome, outcomes).sum())


def test_a_black_hole_draws_half_of_the_traffic():
    run = shipped("black_hole")
    assert 0.45 < share_of(run, 3, 31, 60) < 0.55
    assert share_ok(run, 0, 30) == share_ok(run, 61, 90) == 1
    assert 1 - share_ok(run, 31, 60) == pytest.approx(share_of(run, 3, 31, 60), abs=1e-9)
    assert p99(run, 31, 60) < 1.1 * p99(run, 5, 30), "response times alone look well"


def test_a_round_robin_sends_a_black_hole_its_eighth():
    assert share_of(changed("black_hole", strategy="round_robin"), 3, 31, 60) == pytest.approx(
        1 / 8, abs=1e-3
    )


def test_a_detector_ends_a_black_hole():
    run = changed("black_hole", detector={"kind": "nginx.max_fails", "unsuccessful": ["http_500"]})
    assert 1 <= count(run, Outcome.SERVER_ERROR) <= 5, "one probe every ten seconds"


def test_a_flash_crowd_lasts_as_long_as_the_fluid_says():
    """The excess over 800/s: 800 x 30 and two triangles of 20/3 s; it drains at 400/s from 110 s on.

    The deviation of the number that came until then is about 320, under 1 s of draining.
    """
    run = shipped("flash_crowd")
    waits = run.answered - run.arrival
    assert waits.max() == pytest.approx(29_333 / 800, abs=1.5)
    busy = run.arrival[waits > 0.5]
    assert busy.min() == pytest.approx(64, abs=2)
    assert busy.max() == pytest.approx(182, abs=4)
    assert p99(run, 190, 240) < 0.06


def test_a_rolling_restart_without_drain_costs_what_servers_would_have_served():
    """Each of ten servers is down for 5 s of 48 requests a second, and checks find out late or never."""
    run = shipped("rolling_restart")
    assert 1900 < count(run, Outcome.UNREACHABLE) < 2500
    assert 5 < count(run, Outcome.RESET) < 60
    assert share_ok(run, 0, 29) == share_ok(run, 130, 150) == 1


def test_retries_at_the_same_server_save_who_comes_in_the_last_three_of_five_seconds():
    without = count(shipped("rolling_restart"), Outcome.UNREACHABLE)
    assert count(changed("rolling_restart", retries=None), Outcome.UNREACHABLE) == pytest.approx(
        2 / 5 * without, rel=0.15
    )


def test_redispatch_saves_who_meets_a_stopped_server():
    run = changed("rolling_restart", retries={"kind": "haproxy", "redispatch": -1})
    assert count(run, Outcome.UNREACHABLE) < 10


def test_a_rolling_restart_with_drain_costs_no_request():
    assert shipped("rolling_restart_drained").ok().all()


def test_in_panic_sixty_percent_fail_and_the_others_are_served_as_fast_as_ever():
    run = shipped("zone_loss")
    assert share_ok(run, 30, 90) == pytest.approx(0.4, abs=0.01)
    assert count(run, Outcome.UNREACHABLE) == pytest.approx(14_400, rel=0.02)
    assert p99(run, 30, 90) < 0.3


def test_without_panic_nobody_fails_and_everybody_waits():
    run = changed("zone_loss", failover={"kind": "envoy.priorities", "healthy_panic_threshold": 0})
    assert share_ok(run, 38, 90) == 1
    assert 10 < p99(run, 80, 90) < 17
    assert p99(run, 100, 110) > 1
    assert p99(run, 130, 150) < 0.3


def test_a_retry_storm_outlives_its_cause():
    run = shipped("retry_storm")
    assert share_ok(run, 0, 29) == 1
    assert share_ok(run, 31, 90) == 0
    assert set(run.outcome[between(run, 31, 90)]) == {Outcome.TIMEOUT}


def test_a_budget_ends_a_retry_storm():
    """The hang leaves up to 5,760 requests, which 224/s at least take 26 s to clear."""
    run = shipped("retry_storm_budget")
    assert share_ok(run, 31, 55) == 0
    assert share_ok(run, 70, 90) == 1
    assert p99(run, 70, 90) < 0.1


def test_a_newcomer_that_is_cold_makes_the_tail_longer_and_slow_start_spares_it():
    """From 53 s on, when checks have found the newcomer, to 60 s, when it is warm."""
    herd, slow_start = shipped("newcomer_herd"), shipped("newcomer_herd_slow_start")
    before = p99(herd, 10, 20)
    assert p99(herd, 53, 60) > 1.3 * before
    assert p99(slow_start, 53, 60) < 1.2 * before
    assert share_of(slow_start, 3, 53, 60) < share_of(herd, 3, 53, 60) / 2
    assert p99(herd, 65, 90) < 1.2 * before


def test_a_round_robin_buries_a_newcomer():
    run = changed("newcomer_herd", strategy="haproxy.roundrobin")
    assert p99(run, 53, 60) > 4
    assert p99(run, 80, 90) > 1
