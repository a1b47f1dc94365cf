"""The run in which things may fail: where nothing fails it is the plain one, and it has an end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engines.failing import simulate
from tests.simulated import KEYS, LABELS, build
from workbench.errors import SimulationError
from workbench.simulate import Records, ReferenceEngine, Workload, load_scenario
from workbench.simulate.engines.reference import watch_decision
from workbench.simulate.engines.reference.plain import PlainRun
from workbench.simulate.engines.reference.resilient import ResilientRun

VIEWS: dict[str, dict[str, Any]] = {
    "one balancer": {},
    "three private": {"count": 3},
    "three shared": {"count": 3, "view": "shared"},
    "two refreshed": {"count": 2, "view": "refreshed", "refresh_every": 0.5},
}
FIELDS = ("arrival", "begin", "finish", "answered", "balancer", "server", "outcome", "queue_depth")


def both(view: str, label: str, **changes: Any) -> tuple[Records, Records]:
    """Run a scenario that never fails by both runs."""
    content: dict[str, Any] = {
        "name": "both",
        "arrivals": {"kind": "poisson", "rate": 3.5},
        "service": {"kind": "exponential", "mean": 1},
        "pool": [{"count": 3}, {"name": "b", "count": 2, "weight": 3, "delay": 0.01, "slots": 2}],
        "balancers": {"strategy": build(label, 5), **VIEWS[view]},
        "keys": KEYS,
        "horizon": "400 requests",
    }
    scenario = load_scenario(content | changes)
    assert scenario.never_fails()
    runs = PlainRun(Workload(scenario), None), ResilientRun(Workload(scenario), None)
    for run in runs:
        run.clock.run()
    return runs[0].records(), runs[1].records()


def assert_same(plain: Records, resilient: Records) -> None:
    for field in FIELDS:
        assert np.array_equal(getattr(plain, field), getattr(resilient, field), equal_nan=True), field
    assert plain.area == resilient.area
    assert plain.until == resilient.until


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("label", LABELS)
def test_what_never_fails_runs_the_same_bit_for_bit(label: str, view: str):
    assert_same(*both(view, label))


PLAIN_POOLS: dict[str, dict[str, Any]] = {
    "a queue that may be full": {"pool": {"count": 5, "queue_limit": 1}},
    "limits without a queue": {"pool": {"count": 5, "limit": 1}, "arrivals": {"kind": "poisson", "rate": 6}},
    "a closed loop": {
        "pool": {"count": 5},
        "arrivals": {"kind": "closed_loop", "users": 9, "think": {"kind": "exponential", "mean": 1}},
    },
    "events of one instant": {
        "pool": {"count": 5, "delay": 0.25},
        "arrivals": {"kind": "uniform", "rate": 4},
        "service": {"kind": "empirical", "values": [0.25, 0.5, 1.0, 2.0]},
    },
}


@pytest.mark.parametrize(
    "label", ["round_robin", "join_shortest_queue", "nginx.least_conn", "envoy.least_request"]
)
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("pool", PLAIN_POOLS)
def test_other_pools_run_the_same_bit_for_bit(pool: str, view: str, label: str):
    assert_same(*both(view, label, **PLAIN_POOLS[pool]))


def test_every_request_of_a_run_that_never_fails_is_one_attempt():
    _, records = both("three private", "power_of_two")
    kept = records.attempts
    assert kept is not None
    assert np.array_equal(kept.request, np.arange(len(records)))
    assert np.array_equal(kept.server, records.server)
    assert np.array_equal(kept.ended, records.answered)


HANG: dict[str, Any] = {"kind": "hang", "servers": "server-0", "at": 2.5}
CUT: dict[str, Any] = {"kind": "partition", "servers": "server-1", "at": 3.5}
CHECKED: dict[str, Any] = {
    "strategy": "round_robin",
    "checks": {"kind": "haproxy.check", "connect_only": True},
}


@pytest.mark.parametrize("balancers", [{"strategy": "round_robin"}, CHECKED], ids=["nothing else", "checks"])
@pytest.mark.parametrize(("fault", "server"), [(HANG, "server-0"), (CUT, "server-1")])
def test_a_request_that_would_wait_for_ever_ends_the_run_with_an_error(
    balancers: dict[str, Any], fault: dict[str, Any], server: str
):
    with pytest.raises(
        SimulationError, match=f"for ever: request [23], .* no answer from {server}; .*timeout"
    ):
        simulate(faults=fault, balancers=balancers)


def test_faults_that_go_on_without_helping_do_not_keep_a_run_alive():
    endless = {
        "kind": "slow",
        "servers": "server-1",
        "factor": 0.5,
        "time_to_failure": "10s",
        "time_to_repair": "1s",
    }
    with pytest.raises(SimulationError, match="4 requests would wait for ever"):
        simulate(faults=[HANG, endless], horizon="9 requests")


def test_a_request_that_waits_at_its_balancer_for_ever_is_told():
    with pytest.raises(SimulationError, match=r"request 3, .* waits at its balancer for any server"):
        simulate(
            pool={"count": 1, "limit": 1},
            balancers={"strategy": "haproxy.roundrobin"},
            service={"kind": "deterministic", "value": 2},
            faults={"kind": "drain", "at": 6},
            horizon="4 requests",
        )


def test_a_long_outage_is_not_for_ever():
    done = simulate(faults={**HANG, "lasts": "5h"}, balancers=CHECKED)
    assert done.answered()[2] == pytest.approx(2.5 + 5 * 3600 + 0.1)


def test_a_long_service_is_not_for_ever():
    done = simulate(
        service={"kind": "deterministic", "value": 40_000}, balancers=CHECKED, horizon="2 requests"
    )
    assert done.answered() == [40_001, 40_002]


def test_a_timeout_ends_what_would_wait_for_ever():
    done = simulate(faults=HANG, clients={"timeout": 1})
    assert done.answered()[2] == 4.0
    assert done.records.outcome[2] == 3


def test_a_decision_after_a_retry_can_be_watched():
    scenario = load_scenario(
        {
            "name": "watched",
            "arrivals": {"kind": "uniform", "rate": 1},
            "service": {"kind": "deterministic", "value": 0.1},
            "pool": {"count": 3},
            "balancers": {"strategy": "nginx.round_robin"},
            "faults": {"kind": "crash", "servers": "server-0", "at": 0.5},
            "horizon": "10 requests",
        }
    )
    records = ReferenceEngine().run(Workload(scenario))
    assert records.attempts is not None
    assert len(records.attempts) > len(records)
    decision = watch_decision(Workload(scenario), 7)
    assert decision.chosen == records.server[7]
