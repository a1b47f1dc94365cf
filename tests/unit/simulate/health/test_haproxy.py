"""HAProxy's checks, observe and slowstart, event by event as its sources and a recorded run have it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from scipy.stats import kstest

from tests.parity.driver import compiled
from tests.unit.simulate.health.watch import (
    ABANDONED,
    CANCELLED,
    ERROR,
    OK,
    REFUSED,
    TIMEOUT,
    UNREACHABLE,
    Groups,
    Watch,
    pool,
    seeded,
)
from workbench.simulate.checks import CHECKS, NO_ANSWER, PASSED
from workbench.simulate.checks.haproxy import HaproxyCheck
from workbench.simulate.detectors import CHANGED, CHECK_SOON, DETECTORS, NOTHING
from workbench.simulate.detectors.haproxy import HaproxyObserve
from workbench.simulate.failover import HaproxyBackup, InOrder
from workbench.simulate.slow_start import SLOW_STARTS, HaproxySlowstart
from workbench.tables import Outcome

LEVEL = 0.001


def dead_from_to(down: float, back: float) -> Any:
    return lambda server, time: NO_ANSWER if down <= time < back else PASSED


def changes(seen: list[tuple[float, int, int]]) -> list[tuple[float, int]]:
    """Keep the times at which the only server went down or up."""
    ups = [1, *(up for _, _, up in seen)]
    return [(seen[place][0], ups[place + 1]) for place in range(len(seen)) if ups[place] != ups[place + 1]]


def test_a_server_is_down_after_fall_failures_with_fastinter_and_up_after_rise():
    watch = Watch(pool(), check=HaproxyCheck(inter=2, fastinter=0.5, downinter=5, rise=2, fall=3))
    seen = watch.run_checks(30, dead_from_to(3, 15))
    assert [time for time, _, _ in seen] == [
        0,
        2,
        4,
        4.5,
        5,
        10,
        15,
        15.5,
        17.5,
        19.5,
        21.5,
        23.5,
        25.5,
        27.5,
        29.5,
    ]
    assert changes(seen) == [(5, 0), (15.5, 1)]


def test_without_other_intervals_every_check_comes_after_inter():
    watch = Watch(pool(), check=HaproxyCheck(inter=2, rise=2, fall=3))
    seen = watch.run_checks(24, dead_from_to(7, 14))
    assert [time for time, _, _ in seen] == list(range(0, 26, 2))
    assert changes(seen) == [(12, 0), (16, 1)]


def test_a_first_check_that_fails_takes_a_server_down_at_once():
    seen = Watch(pool(), check=HaproxyCheck()).run_checks(5, dead_from_to(0, 1))
    assert changes(seen) == [(0, 0), (4, 1)]


def test_one_good_check_forgives_all_failures():
    results = iter([1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1])
    seen = Watch(pool(), check=HaproxyCheck(inter=1)).run_checks(10, lambda server, time: next(results))
    assert changes(seen) == [(9, 0)]


def test_one_failed_check_while_rising_begins_anew():
    results = iter([0, 1, 1, 0, 1, 1, 1])
    seen = Watch(pool(), check=HaproxyCheck(inter=1, rise=3)).run_checks(
        6, lambda server, time: next(results)
    )
    assert changes(seen) == [(0, 0), (6, 1)]


def test_first_checks_are_spread_over_inter_as_in_the_recording():
    # fo_rr_observe_1: four servers, inter 2s; HAProxy logged its first checks 0.50, 1.03 and 1.50 s after
    # the very first one.
    assert HaproxyCheck().starts(pool(4), seeded()) == [0, 0.5, 1, 1.5]
    assert HaproxyCheck(inter=1).starts(pool(3), seeded()) == [0, 0.333, 0.666]
    assert HaproxyCheck(first_after=[3, 1]).starts(pool(2), seeded()) == [3, 1]


def test_as_many_first_checks_as_servers_are_asked_for():
    HaproxyCheck(first_after=[3, 1]).check_pool(pool(2))
    with pytest.raises(PydanticCustomError, match="3 times, one for each server"):
        HaproxyCheck(first_after=[3, 1]).check_pool(pool(3))


@pytest.mark.parametrize(
    ("first_failed", "ready", "down", "up"),
    [
        (7.294689, 14.048562, 8.297424, 14.809084),  # fo_lc_redisp_1
        (7.302478, 14.030300, 8.304709, 14.816810),  # fo_rr_mc1_1
        (7.286943, 14.029628, 8.288159, 14.799595),  # fo_rr_noredisp_1
        (7.296065, 14.029330, 8.298566, 14.811539),  # fo_rr_redisp_1
    ],
)
def test_a_server_is_down_and_up_when_the_recordings_say(
    first_failed: float, ready: float, down: float, up: float
):
    watch = Watch(pool(), check=HaproxyCheck(inter=0.5, fall=3, rise=2))
    watch.end_check(0, 0, PASSED)
    watch.next_check[0] = first_failed
    seen = changes(watch.run_checks(20, dead_from_to(7, ready)))
    assert [to for _, to in seen] == [0, 1]
    assert [time for time, _ in seen] == pytest.approx([down, up], abs=0.05)


def test_spread_checks_vary_evenly_to_both_sides():
    watch = Watch(pool(), check=HaproxyCheck(inter=2, spread_checks=50), seed=5)
    times = [time for time, _, _ in watch.run_checks(3000)]
    gaps = [after - before for before, after in pairwise(times)]
    assert kstest(gaps, "uniform", args=(1, 2)).pvalue > LEVEL


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=60)
def test_health_is_what_the_last_results_say(results: list[bool], rise: int, fall: int):
    watch = Watch(pool(), check=HaproxyCheck(inter=1, rise=rise, fall=fall))
    good = bad = 0
    up, first = 1, True
    for time, passed in enumerate(results):
        watch.end_check(time, 0, int(passed))
        good, bad = (good + 1, 0) if passed else (0, bad + 1)
        if (up and bad >= fall) or (first and bad):
            up = 0
        elif good >= rise:
            up = 1
        first = False
        assert watch.checks.up[0] == up


OBSERVE = HaproxyObserve(layer="layer4", error_limit=5, on_error="mark-down")


def test_observe_takes_a_server_down_as_in_the_recording():
    # fo_rr_observe_1: the second server dies at 7.000; the check at 7.1335 fails (2/3 UP), the fifth error in
    # a row at 7.1854 marks it down; checks at 9.13, 11.13 and 13.13 fail, those at 15.13 and 17.14 pass.
    check = HaproxyCheck(inter=2, first_after=[1.1335])
    watch = Watch(pool(), check=check, detector=OBSERVE)
    assert watch.run_checks(7.14, dead_from_to(7, 14))[-1] == (7.1335, 0, 1)
    codes = [watch.answer(time, 0, UNREACHABLE) for time in (7.15, 7.16, 7.17, 7.18, 7.1854)]
    assert codes == [NOTHING] * 4 + [CHANGED]
    assert watch.checks.up[0] == 0
    seen = watch.run_checks(18, dead_from_to(7, 14))
    assert [time for time, _, _ in seen] == [9.1335, 11.1335, 13.1335, 15.1335, 17.1335]
    assert [up for _, _, up in seen] == [0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("action", "downs"),
    [("fastinter", None), ("fail-check", 3), ("sudden-death", 2), ("mark-down", 1)],
)
def test_what_follows_after_too_many_errors(action: str, downs: int | None):
    check = HaproxyCheck(inter=10, fastinter=1, fall=3)
    detector = HaproxyObserve(layer="layer4", error_limit=2, on_error=action)
    watch = Watch(pool(), check=check, detector=detector)
    watch.end_check(0, 0, PASSED)
    ups = []
    for number in range(3):
        assert watch.answer(2 + 0.1 * number, 0, UNREACHABLE) == NOTHING
        assert watch.answer(2 + 0.1 * number, 0, UNREACHABLE) == CHECK_SOON
        assert watch.next_check[0] == 3
        ups.append(int(watch.checks.up[0]))
    assert ups == [1 if downs is None or number < downs else 0 for number in (1, 2, 3)]


def test_a_hurried_check_comes_once_and_never_later_than_planned():
    watch = Watch(
        pool(),
        check=HaproxyCheck(inter=2, fastinter=1),
        detector=HaproxyObserve(layer="layer4", error_limit=1, on_error="fastinter"),
    )
    watch.end_check(0, 0, PASSED)
    watch.answer(0.5, 0, UNREACHABLE)
    watch.answer(1.4, 0, UNREACHABLE)
    assert [time for time, _, _ in watch.run_checks(6)] == [1.5, 3.5, 5.5]


@pytest.mark.parametrize("forgets", ["answer", "check"])
def test_only_errors_in_a_row_count(forgets: str):
    watch = Watch(pool(), check=HaproxyCheck(), detector=OBSERVE)
    watch.end_check(0, 0, PASSED)
    for _ in range(4):
        watch.answer(1, 0, UNREACHABLE)
    if forgets == "answer":
        watch.answer(1, 0, OK)
    else:
        watch.end_check(1, 0, PASSED)
    assert [watch.answer(1, 0, UNREACHABLE) for _ in range(5)] == [NOTHING] * 4 + [CHANGED]


@pytest.mark.parametrize(
    ("outcome", "layer4", "layer7"),
    [
        (OK, "forgets", "forgets"),
        (UNREACHABLE, "counts", "counts"),
        (TIMEOUT, "forgets", "counts"),
        (ERROR, "forgets", "counts"),
        (REFUSED, "forgets", "counts"),
        (CANCELLED, "nothing", "nothing"),
        (ABANDONED, "nothing", "nothing"),
    ],
)
def test_which_outcomes_are_errors(outcome: Outcome, layer4: str, layer7: str):
    for layer, expected in (("layer4", layer4), ("layer7", layer7)):
        detector = HaproxyObserve(layer=layer, error_limit=3, on_error="mark-down")
        watch = Watch(pool(), check=HaproxyCheck(), detector=detector)
        watch.answer(1, 0, UNREACHABLE)
        watch.answer(1, 0, outcome)
        watch.answer(1, 0, UNREACHABLE)
        down_now = not watch.checks.up[0]
        watch.answer(1, 0, UNREACHABLE)
        down_next = not watch.checks.up[0]
        assert (down_now, down_next) == {
            "counts": (True, True),
            "nothing": (False, True),
            "forgets": (False, False),
        }[expected]


def test_observe_needs_haproxys_checks():
    OBSERVE.check_with(HaproxyCheck())
    with pytest.raises(PydanticCustomError, match=r"together with the health check haproxy\.check"):
        OBSERVE.check_with(None)


def test_slow_start_steps_are_those_of_the_binary():
    # pick_sequences.json, haproxy.slowstart_12s_weight10_throttle_pct, observed on HAProxy 2.6.12; the
    # program shows whole percents of 1/16 steps, cut off.
    seen = [6, 12, 18, 31, 37, 43, 56, 62, 68, 81, 87, 93]
    slow = HaproxySlowstart(slowstart=12)
    shares = [HaproxySlowstart.share(slow.numbers(), float(second)) for second in range(13)]
    assert [int(100 * share) for share in shares] == [*seen, 100]
    assert HaproxySlowstart.share(slow.numbers(), 3.999) == shares[3]
    assert (slow.step, slow.lasts) == (1, 12)


@given(st.integers(1, 5000), st.floats(0, 6000))
def test_a_share_is_above_nothing_and_never_falls(seconds: int, since: float):
    numbers = HaproxySlowstart(slowstart=seconds).numbers()
    now, later = (HaproxySlowstart.share(numbers, time) for time in (since, since + 1))
    assert 1 / 16 <= now <= later <= 1
    assert compiled(HaproxySlowstart.share)(np.array(numbers), since) == now


def test_backups_are_for_when_all_primaries_are_down():
    groups = Groups(HaproxyBackup(), pool(priorities=[0, 1, 0, 1]))
    assert groups.members == [[0, 2], [1], [3]]
    assert (groups.choose(), groups.choose(last=0)) == (0, -1)
    groups.set_healthy([0, 1, 1])
    assert groups.choose() == 1
    groups.set_healthy([0, 0, 1])
    assert groups.choose() == 2
    groups.set_healthy([0, 0, 0])
    assert groups.choose() == -1
    assert Groups(HaproxyBackup(all_backups=True), pool(priorities=[0, 1, 0, 2])).members == [[0, 2], [1, 3]]
    assert Groups(HaproxyBackup(), pool(priorities=[1, 1])).members == [[0], [1]]


def test_priorities_in_order_take_the_next_group_where_nothing_can_be_picked():
    groups = Groups(InOrder(), pool(priorities=[2, 0, 5, 0]))
    assert groups.members == [[1, 3], [0], [2]]
    assert [groups.choose(last) for last in (-1, 0, 1, 2)] == [0, 1, 2, -1]
    groups.set_healthy([2, 0, 1])
    assert groups.choose(0) == 2


@pytest.mark.parametrize("action", ["fastinter", "fail-check", "sudden-death", "mark-down"])
def test_checks_and_observe_are_the_same_compiled(action: str):
    def script(*, fast: bool) -> tuple[Any, ...]:
        check = HaproxyCheck(inter=2, fastinter=1, downinter=3, spread_checks=20)
        detector = HaproxyObserve(layer="layer7", error_limit=2, on_error=action)
        watch = Watch(pool(3), check=check, detector=detector, seed=8, fast=fast)
        chance = seeded(3)
        seen = []
        for number in range(200):
            time = 0.3 * number
            seen.append(watch.run_checks(time, lambda server, time: int(chance.random() < 0.6)))
            outcome = Outcome(int(chance.random() * len(Outcome)))
            seen.append(watch.answer(time, int(chance.random() * 3), outcome))
        return seen, watch.everything()

    assert script(fast=False) == script(fast=True)


@pytest.mark.parametrize(
    ("family", "given", "allowed"),
    [
        (CHECKS, {"kind": "haproxy.check", "rise": 0}, "greater than or equal to 1"),
        (CHECKS, {"kind": "haproxy.check", "inter": 0}, "more than 0"),
        (CHECKS, {"kind": "haproxy.check", "fastinter": "10us"}, "1ms or more"),
        (CHECKS, {"kind": "haproxy.check", "spread_checks": 51}, "less than or equal to 50"),
        (DETECTORS, {"kind": "haproxy.observe", "layer": "layer5"}, "'layer4' or 'layer7'"),
        (DETECTORS, {"kind": "haproxy.observe", "layer": "layer4", "error_limit": 0}, "greater than"),
        (DETECTORS, {"kind": "haproxy.observe", "layer": "layer4", "on_error": "die"}, "'mark-down'"),
        (SLOW_STARTS, {"kind": "haproxy.slowstart", "slowstart": "1500ms"}, "whole seconds"),
    ],
)
def test_a_setting_out_of_range_is_refused(family: Any, given: dict[str, Any], allowed: str):
    with pytest.raises(ValidationError, match=allowed):
        family.read(given)
