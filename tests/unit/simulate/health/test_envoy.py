"""Envoy's checks, outlier detection, slow start and failover, by its sources, documents and own tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from scipy.stats import chisquare, kstest

from tests.parity.driver import compiled, sequences
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
from workbench.simulate.checks import BAD_ANSWER, CHECKS, NO_ANSWER, PASSED
from workbench.simulate.checks.envoy import EnvoyHealthCheck
from workbench.simulate.detectors import CHANGED, DETECTORS
from workbench.simulate.detectors.envoy import EnvoyOutlierDetection
from workbench.simulate.failover import FAILOVER, Failover
from workbench.simulate.failover.envoy import (
    EnvoyLocalityWeighted,
    EnvoyPriorities,
    EnvoyZoneAware,
    priority_load,
)
from workbench.simulate.slow_start import SLOW_STARTS, EnvoySlowStart
from workbench.tables import Outcome

LEVEL = 0.001
SEEN = sequences("envoy_grpc")


def check(**given: Any) -> EnvoyHealthCheck:
    return EnvoyHealthCheck(
        **{"timeout": 1, "interval": 5, "unhealthy_threshold": 2, "healthy_threshold": 3, **given}
    )


def results(watch: Watch, told: list[int], until: float = 1e6) -> list[tuple[float, int]]:
    """Check as often as results are told; give when, and whether the server is up after it."""
    left = iter(told)
    seen = []
    for _ in told:
        time = min(watch.next_check)
        watch.end_check(time, 0, next(left))
        seen.append((round(time, 6), int(watch.checks.up[0])))
    return seen


def test_a_host_is_unhealthy_until_one_first_success():
    watch = Watch(pool(), check=check())
    assert watch.checks.up[0] == 0
    assert results(watch, [PASSED]) == [(0, 1)]


def test_after_a_first_failure_the_threshold_holds():
    watch = Watch(pool(), check=check(no_traffic_interval=1))
    told = [NO_ANSWER, PASSED, PASSED, PASSED]
    assert [up for _, up in results(watch, told)] == [0, 0, 0, 1]


def test_edge_intervals_are_for_changes_that_are_pending():
    # The example in Envoy's sources, of an unhealthy host with a healthy_threshold of 3.
    watch = Watch(
        pool(), check=check(unhealthy_interval=20, unhealthy_edge_interval=2, healthy_edge_interval=3)
    )
    watch.pick(0, 0)
    told = [NO_ANSWER, PASSED, PASSED, PASSED, PASSED, NO_ANSWER, NO_ANSWER, NO_ANSWER]
    assert results(watch, told) == [
        (0, 0),
        (20, 0),
        (23, 0),
        (26, 1),
        (31, 1),
        (36, 1),
        (38, 0),
        (58, 0),
    ]


def test_without_traffic_checks_are_rare_until_the_first_request():
    watch = Watch(pool(2), check=check(no_traffic_healthy_interval=100, first_after=[0, 900]))
    assert results(watch, [NO_ANSWER, PASSED, PASSED, PASSED, PASSED]) == [
        (0, 0),
        (60, 0),
        (120, 0),
        (180, 1),
        (280, 1),
    ]
    watch.pick(281, 1)
    assert results(watch, [PASSED, PASSED]) == [(380, 1), (385, 1)]


def test_an_answer_that_is_an_error_is_enough():
    watch = Watch(pool(), check=check(unhealthy_threshold=9))
    assert [up for _, up in results(watch, [PASSED, NO_ANSWER, BAD_ANSWER])] == [1, 1, 0]


def test_jitter_is_even_and_on_top():
    watch = Watch(pool(), check=check(interval_jitter=2, interval_jitter_percent=0), seed=3)
    watch.pick(0, 0)
    times = [time for time, _ in results(watch, [PASSED] * 1500)]
    assert kstest(np.diff(times), "uniform", args=(5, 2)).pvalue > LEVEL
    watch = Watch(pool(), check=check(interval_jitter_percent=20), seed=3)
    watch.pick(0, 0)
    times = [time for time, _ in results(watch, [PASSED] * 1500)]
    assert kstest(np.diff(times), "uniform", args=(5, 1)).pvalue > LEVEL


def errors(watch: Watch, time: float, server: int, count: int = 5) -> None:
    for _ in range(count):
        watch.answer(time, server, ERROR)


@pytest.mark.parametrize(
    ("hosts", "percent", "always_one", "ejected"),
    [
        (3, 10, False, 0),
        (5, 10, False, 0),
        (9, 10, False, 0),
        (10, 10, False, 1),
        (20, 10, False, 2),
        (3, 10, True, 1),
        (5, 10, True, 1),
        (9, 10, True, 1),
        (10, 10, True, 1),
        (20, 10, True, 2),
        (3, 50, False, 1),
        (5, 50, False, 2),
        (9, 50, False, 4),
        (10, 50, False, 5),
        (20, 100, False, 20),
        (3, 0, False, 0),
    ],
)
def test_how_many_of_a_small_cluster_may_be_ejected(hosts: int, percent: int, always_one: bool, ejected: int):
    detector = EnvoyOutlierDetection(max_ejection_percent=percent, always_eject_one_host=always_one)
    watch = Watch(pool(hosts), detector=detector)
    for server in range(hosts):
        errors(watch, 1, server, 50)
    assert len(watch.ejected()) == ejected


def test_an_ejection_ends_at_a_tick_and_the_next_one_lasts_longer():
    watch = Watch(pool(10), detector=EnvoyOutlierDetection())
    spans = []
    time = 3.0
    for _ in range(3):
        errors(watch, time, 0)
        assert watch.ejected() == [0]
        begin = time
        while watch.ejected():
            time += 0.5
            watch.advance(time)
        spans.append((begin, time))
    # 30 s from 3 s are over at 33 s, and the next tick is at 40 s; then 60 s, and 90 s.
    assert spans == [(3, 40), (40, 100), (100, 190)]


def test_longer_ejections_end_at_the_longest_and_healthy_intervals_shorten_them():
    detector = EnvoyOutlierDetection(base_ejection_time=30, max_ejection_time=70)
    watch = Watch(pool(10), detector=detector)
    time = 0.0
    lasted = []
    for pause in (0, 0, 0, 0, 10, 40):
        time += pause
        watch.advance(time)
        errors(watch, time, 0)
        begin = time
        while watch.ejected():
            time += 10
            watch.advance(time)
        lasted.append(time - begin)
    # Backoff 1, 2, 3, 4 (the most: 3 * 30 < 70 + 30, 4 * 30 is not); a healthy interval takes one off.
    assert lasted == [30, 60, 70, 70, 70, 30]


def test_a_jitter_is_drawn_for_each_ejection():
    detector = EnvoyOutlierDetection(
        interval=0.5, base_ejection_time=2, max_ejection_time_jitter=4, max_ejection_percent=100
    )
    watch = Watch(pool(400), detector=detector)
    for server in range(400):
        errors(watch, 0.25, server)
    watch.advance(2)
    assert len(watch.ejected()) == 400
    watch.advance(6.5)
    assert watch.ejected() == []
    jitters = np.array(watch.state.floats[5 + 400 : 5 + 800])
    assert kstest(jitters, "uniform", args=(0, 4)).pvalue > LEVEL
    assert np.allclose(jitters * 1000, np.round(jitters * 1000))


@pytest.mark.parametrize(
    ("outcome", "row", "gateway"),
    [
        (OK, "ends", "ends"),
        (ERROR, "counts", "ends"),
        (TIMEOUT, "counts", "counts"),
        (UNREACHABLE, "counts", "counts"),
        (REFUSED, "counts", "counts"),
        (CANCELLED, "nothing", "nothing"),
        (ABANDONED, "nothing", "nothing"),
    ],
)
def test_which_outcomes_are_errors(outcome: Outcome, row: str, gateway: str):
    rules = {
        "row": EnvoyOutlierDetection(consecutive_5xx=3, max_ejection_percent=100),
        "gateway": EnvoyOutlierDetection(
            consecutive_5xx=0,
            consecutive_gateway_failure=3,
            enforcing_consecutive_gateway_failure=100,
            max_ejection_percent=100,
        ),
    }
    for name, expected in (("row", row), ("gateway", gateway)):
        watch = Watch(pool(1), detector=rules[name])
        watch.answer(1, 0, TIMEOUT)
        watch.answer(1, 0, outcome)
        out = []
        for _ in range(3):
            watch.answer(1, 0, TIMEOUT)
            out.append(len(watch.ejected()))
        assert out == {"counts": [1, 1, 1], "nothing": [0, 1, 1], "ends": [0, 0, 1]}[expected]


def load(watch: Watch, time: float, server: int, good: int, bad: int) -> None:
    """Give answers in an order in which errors are never many in a row."""
    for number in range(good + bad):
        wrong = (number + 1) * bad // (good + bad) > number * bad // (good + bad)
        watch.answer(time, server, ERROR if wrong else OK)


def rated(rates: list[int], *, volume: int = 100, **given: Any) -> list[int]:
    """Give hosts success rates in percent for one interval, and tell which are ejected."""
    detector = EnvoyOutlierDetection(consecutive_5xx=0, max_ejection_percent=100, **given)
    watch = Watch(pool(len(rates)), detector=detector)
    for server, rate in enumerate(rates):
        load(watch, 1, server, volume * rate // 100, volume - volume * rate // 100)
    watch.advance(10)
    return watch.ejected()


@pytest.mark.parametrize(
    ("rates", "factor", "ejected"),
    [
        # Envoy's own example: mean 90, standard deviation 20, so 52 is the threshold at a factor of 1.9.
        ([50, 100, 100, 100, 100], 1900, [0]),
        ([50, 100, 100, 100, 100], 2000, []),
        ([100] * 5, 1900, []),
        ([50, 100, 100, 100], 1900, []),
    ],
)
def test_a_success_rate_far_below_the_mean_ejects(rates: list[int], factor: int, ejected: list[int]):
    assert rated(rates, success_rate_stdev_factor=factor) == ejected


def test_a_success_rate_needs_enough_requests_of_enough_hosts():
    assert rated([0, 100, 100, 100, 100, 100], volume=99) == []
    assert rated([0, 100, 100], success_rate_minimum_hosts=3, success_rate_stdev_factor=1000) == [0]


def test_a_failure_percentage_ejects_where_it_is_enforced():
    rates = [15, 16, 100, 100, 100]
    given = {"enforcing_success_rate": 0, "volume": 100}
    assert rated(rates, **given) == []
    assert rated(rates, enforcing_failure_percentage=100, **given) == [0]
    assert rated(rates[:4], enforcing_failure_percentage=100, **given) == []


def test_an_interval_counts_alone():
    detector = EnvoyOutlierDetection(consecutive_5xx=0, max_ejection_percent=100)
    watch = Watch(pool(5), detector=detector)
    for time in (9, 11):
        for server in range(5):
            load(watch, time, server, 0 if server == 0 else 60, 60 if server == 0 else 0)
    watch.advance(25)
    assert watch.ejected() == []


def test_enforcing_is_a_chance():
    detector = EnvoyOutlierDetection(enforcing_consecutive_5xx=30, max_ejection_percent=100)
    watch = Watch(pool(2000), detector=detector, seed=2)
    for server in range(2000):
        errors(watch, 1, server)
    seen = len(watch.ejected())
    assert chisquare([seen, 2000 - seen], [600, 1400]).pvalue > LEVEL


@pytest.mark.parametrize("lets_in", [True, False])
def test_an_active_check_that_passes_lets_a_host_in(lets_in: bool):
    detector = EnvoyOutlierDetection(successful_active_health_check_uneject_host=lets_in)
    watch = Watch(pool(10), check=check(), detector=detector)
    watch.end_check(0, 0, PASSED)
    errors(watch, 1, 0)
    watch.end_check(2, 0, NO_ANSWER)
    assert watch.ejected() == [0]
    watch.end_check(3, 0, PASSED)
    assert watch.ejected() == ([] if lets_in else [0])


@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(0, 11), st.booleans()), max_size=200),
    st.integers(0, 100),
)
@settings(max_examples=30)
def test_never_more_than_the_percentage_is_out(steps: list[tuple[float, int, bool]], percent: int):
    detector = EnvoyOutlierDetection(consecutive_5xx=2, max_ejection_percent=percent)
    watch = Watch(pool(12), detector=detector)
    time = 0.0
    for gap, server, bad in steps:
        time += gap
        watch.answer(time, server, ERROR if bad else OK)
        assert 100 * len(watch.ejected()) <= 12 * percent


@pytest.mark.parametrize("aggression", [0.5, 1, 2])
def test_slow_start_is_a_power_of_the_time(aggression: float):
    slow = EnvoySlowStart(slow_start_window=60, aggression=aggression)
    shares = [EnvoySlowStart.share(slow.numbers(), second) for second in (0, 15, 30, 59.9995, 60, 70)]
    expected = [
        0.1,
        0.25 ** (1 / aggression),
        0.5 ** (1 / aggression),
        (59.999 / 60) ** (1 / aggression),
        1,
        1,
    ]
    assert shares == pytest.approx([max(0.1, share) for share in expected], rel=1e-12)
    assert slow.lasts == 60
    fast = compiled(EnvoySlowStart.share)
    assert [fast(np.array(slow.numbers()), time) for time in (0.0, 15.0, 70.0)] == [shares[0], shares[1], 1]


def test_a_share_is_above_nothing_whatever_the_least_weight():
    slow = EnvoySlowStart(slow_start_window=3600, aggression=0.01, min_weight_percent=0)
    assert 0 < EnvoySlowStart.share(slow.numbers(), 0) < 1e-6


@pytest.mark.parametrize("seen", SEEN["priority"])
def test_priorities_share_the_load_as_in_envoy(seen: dict[str, Any]):
    assert priority_load(seen["healthy"], seen["total"]) == (seen["load"], seen["panic"])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5), st.integers(0, 100))
def test_priority_loads_are_whole(levels: list[tuple[int, int]], threshold: int):
    healthy, total = [min(level) for level in levels], [max(level) for level in levels]
    load, panic = priority_load(healthy, total, panic_threshold=threshold)
    assert sum(load) == 100
    assert len(load) == len(panic) == len(levels)
    assert (
        not any(panic)
        or sum(140 * up // hosts for up, hosts in zip(healthy, total, strict=True) if hosts) < 100
    )


def test_priorities_without_a_healthy_host_or_panic_leave_all_to_the_first():
    assert priority_load([0, 0], [1, 3], panic_threshold=0) == ([100, 0], [False, False])
    assert priority_load([0, 0], [0, 0]) == ([100, 0], [True, True])


def fits(groups: Groups, shares: list[float], draws: int = 4000) -> bool:
    """Tell whether a chi-square test at LEVEL finds nothing against the shares of the groups."""
    seen = np.bincount([groups.choose() for _ in range(draws)], minlength=len(shares))
    likely = np.array(shares) > 0
    assert not seen[~likely].any()
    return likely.sum() == 1 or bool(chisquare(seen[likely], draws * np.array(shares)[likely]).pvalue > LEVEL)


def test_a_level_is_drawn_by_its_load_and_no_other_is_tried():
    groups = Groups(EnvoyPriorities(), pool(priorities=[0] * 4 + [1] * 4 + [5] * 4), seed=7)
    assert groups.members == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert fits(groups, [1, 0, 0])
    groups.set_healthy([1, 1, 1])
    assert fits(groups, [0.35, 0.35, 0.30])
    assert groups.choose(last=0) == -1


def test_panic_is_per_level():
    groups = Groups(EnvoyPriorities(), pool(priorities=[0] * 4 + [1] * 4))
    groups.set_healthy([1, 2])
    assert list(groups.state.panic) == [0, 0]
    groups.set_healthy([1, 1])
    assert list(groups.state.panic) == [1, 1]
    groups.set_healthy([0, 2])
    assert list(groups.state.panic) == [1, 0]


def test_localities_take_turns_by_weight_and_health():
    rule = EnvoyLocalityWeighted(locality_weights={"a": 1, "b": 2})
    groups = Groups(rule, pool(zones=["a", "a", "b", "b"]))
    assert groups.members == [[0, 1], [2, 3]]
    turns = [groups.choose() for _ in range(6)]
    assert turns == [1, 0, 1, 1, 0, 1]
    # One of b's two is left: 2 * 1.4 * 0.5 = 1.4 to 1.
    groups.set_healthy([2, 1])
    counts = np.bincount([groups.choose() for _ in range(2400)])
    assert list(counts) == [1000, 1400]
    groups.set_healthy([2, 0])
    assert {groups.choose() for _ in range(20)} == {0}


def test_localities_of_the_next_level_take_what_the_first_cannot():
    rule = EnvoyLocalityWeighted(locality_weights={"a": 3})
    groups = Groups(rule, pool(zones=["a", "b", "a", "b"], priorities=[0, 0, 1, 1]), seed=2)
    assert groups.members == [[0], [1], [2], [3]]
    groups.set_healthy([1, 0, 1, 1])
    seen = np.bincount([groups.choose() for _ in range(4000)], minlength=4)
    assert seen[1] == 0
    assert chisquare([seen[0], seen[2] + seen[3]], [2800, 1200]).pvalue > LEVEL
    assert abs(seen[2] - 3 * seen[3]) <= 4


def test_a_level_in_panic_goes_by_hosts():
    rule = EnvoyLocalityWeighted(locality_weights={"a": 9})
    groups = Groups(rule, pool(zones=["a", "b", "b", "b"]), seed=4)
    groups.set_healthy([0, 1])
    assert list(groups.state.panic) == [1, 1]
    assert fits(groups, [0.25, 0.75])


BALANCERS = {"a": 2, "b": 2, "c": 1}


def zoned(counts: list[int], *, own: str = "a", **given: Any) -> Groups:
    zones = [zone for zone, count in zip("abc", counts, strict=True) for _ in range(count)]
    return Groups(EnvoyZoneAware(balancer_zones=BALANCERS, **given), pool(zones=zones), zone=own, seed=11)


def test_what_the_own_zone_cannot_take_goes_where_there_is_room():
    # The example in Envoy's sources: balancers 40, 40 and 20 %, hosts 25, 50 and 25 %; so 62.5 % stay, and
    # the others go by rooms of 10 and 5 %.
    groups = zoned([2, 4, 2])
    assert fits(groups, [0.625, 0.25, 0.125])
    # A zone with as many of the hosts as of the balancers has no room.
    assert fits(zoned([2, 4, 4]), [0.5, 0, 0.5])


def test_all_requests_stay_where_the_own_zone_has_its_share():
    assert fits(zoned([2, 4, 2], own="b"), [0, 1, 0])
    assert fits(zoned([2, 4, 2], own="c"), [0, 0, 1])


@pytest.mark.parametrize(
    ("counts", "own", "given"),
    [
        ([1, 2, 2], "a", {}),
        ([2, 4, 2], "elsewhere", {}),
        ([2, 4, 2], "a", {"min_cluster_size": 9}),
        ([2, 4, 2], "a", {"routing_enabled": 0}),
    ],
)
def test_otherwise_zones_are_not_looked_at(counts: list[int], own: str, given: dict[str, Any]):
    assert fits(zoned(counts, own=own, **given), [count / sum(counts) for count in counts])


def test_zones_are_looked_at_for_a_part_of_the_requests():
    assert fits(zoned([2, 4, 2], own="b", routing_enabled=40), [0.15, 0.7, 0.15])


def test_panic_may_fail_traffic():
    groups = zoned([4, 4, 4])
    groups.set_healthy([1, 1, 1])
    assert fits(groups, [1 / 3] * 3)
    groups = zoned([4, 4, 4], fail_traffic_on_panic=True)
    groups.set_healthy([1, 1, 1])
    assert {groups.choose() for _ in range(20)} == {-1}


def test_a_zone_that_has_lost_its_hosts_sends_all_elsewhere():
    groups = zoned([4, 8, 4])
    groups.set_healthy([0, 8, 4])
    # Rooms: 66.66 - 40 and 33.33 - 20 %.
    assert fits(groups, [0, 2 / 3, 1 / 3])


RULES: list[Failover] = [
    EnvoyPriorities(),
    EnvoyLocalityWeighted(locality_weights={"a": 3}),
    EnvoyZoneAware(balancer_zones={"a": 3, "b": 1}, min_cluster_size=2, routing_enabled=80),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_a_choice_is_the_same_compiled(rule: Failover):
    def script(*, fast: bool) -> tuple[Any, ...]:
        servers = pool(zones=["a", "b", "b", "a", "b"] * 2, priorities=[0] * 6 + [1] * 4)
        groups = Groups(rule, servers, zone="a", seed=5, fast=fast)
        chance = seeded(2)
        seen = []
        for _ in range(300):
            if chance.random() < 0.2:
                groups.set_healthy([int(chance.random() * (1 + len(each))) for each in groups.members])
            seen.append(groups.choose())
        return seen, [[float(value) for value in each] for each in groups.state]

    assert script(fast=False) == script(fast=True)


@pytest.mark.slow
def test_checks_and_detection_are_the_same_compiled():
    def script(*, fast: bool) -> tuple[Any, ...]:
        detector = EnvoyOutlierDetection(
            consecutive_5xx=2,
            enforcing_consecutive_5xx=70,
            enforcing_consecutive_gateway_failure=50,
            consecutive_gateway_failure=2,
            interval=3,
            base_ejection_time=4,
            max_ejection_time_jitter=3,
            max_ejection_percent=60,
            success_rate_request_volume=5,
            failure_percentage_request_volume=5,
            failure_percentage_threshold=60,
            enforcing_failure_percentage=100,
        )
        active = check(interval_jitter=1, unhealthy_edge_interval=2, interval_jitter_percent=10)
        watch = Watch(pool(6), check=active, detector=detector, fast=fast, seed=9)
        chance = seeded(4)
        seen: list[Any] = []
        for number in range(600):
            time = 0.1 * number
            seen.append(watch.run_checks(time, lambda server, time: int(chance.random() * 3) - 1))
            server = int(chance.random() * 6)
            watch.pick(time, server)
            bad = chance.random() < 0.1 * server
            outcome = Outcome(int(chance.random() * len(Outcome))) if bad else OK
            seen.append(watch.answer(time, server, outcome))
            seen.append(watch.ejected())
        assert any(code == CHANGED for code in seen)
        return seen, watch.everything()

    assert script(fast=False) == script(fast=True)


@pytest.mark.parametrize(
    ("family", "given", "allowed"),
    [
        (CHECKS, {"kind": "envoy.health_check"}, "Field required"),
        (DETECTORS, {"kind": "envoy.outlier_detection", "max_ejection_percent": 101}, "less than or equal"),
        (
            DETECTORS,
            {"kind": "envoy.outlier_detection", "max_ejection_time": "10s"},
            "max_ejection_time of base_ejection_time or more",
        ),
        (
            SLOW_STARTS,
            {"kind": "envoy.slow_start", "slow_start_window": 1, "aggression": 0},
            "greater than 0",
        ),
        (FAILOVER, {"kind": "envoy.priorities", "healthy_panic_threshold": 101}, "less than or equal to 100"),
        (FAILOVER, {"kind": "envoy.zone_aware", "routing_enabled": -1}, "greater than or equal to 0"),
    ],
)
def test_a_setting_out_of_range_is_refused(family: Any, given: dict[str, Any], allowed: str):
    with pytest.raises(ValidationError, match=allowed):
        family.read(given)


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (EnvoyLocalityWeighted(locality_weights={"d": 1}), r"zones of the pool \(a, b\), not of d"),
        (EnvoyLocalityWeighted(locality_weights={"a": 0, "b": 0}), "one at least above 0"),
        (EnvoyLocalityWeighted(locality_weights={"a": -1}), "0 to 1,000,000"),
        (EnvoyZoneAware(balancer_zones={"a": 0}), "one at least above 0"),
    ],
)
def test_a_pool_that_does_not_fit_is_refused(rule: Failover, allowed: str):
    with pytest.raises(PydanticCustomError, match=allowed):
        rule.check_pool(pool(zones=["a", "b"]))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_a_pool_that_fits_is_not_refused(rule: Failover):
    rule.check_pool(pool(zones=["a", "b"]))
