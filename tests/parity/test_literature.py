"""Strategies of the literature keep what their papers promise."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import chisquare

from tests.parity.driver import Driver, letters, pool, same_compiled, trial
from workbench.errors import InputError
from workbench.simulate.strategies import Strategy, View, read_strategy
from workbench.simulate.strategies.consistent_hash_bounded_loads import ConsistentHashBoundedLoads
from workbench.simulate.strategies.join_idle_queue import JoinIdleQueue
from workbench.simulate.strategies.prequal import (
    Prequal,
    best_probe,
    hot_limit,
    median_latency,
    worst_probe,
)
from workbench.simulate.strategies.size_interval import SizeInterval, equal_load_cutoffs

KEYS = [f"k{number}" for number in range(200)]
LEVEL = 0.001
MEMBERS: list[Strategy] = [
    JoinIdleQueue(),
    ConsistentHashBoundedLoads(points=20),
    Prequal(),
    Prequal(pool_size=4, probe_age=0.2, probe_rate=2.5, remove_rate=0.5, latency_window=4),
]


def sized(demands: list[float]) -> Callable[[Driver], list[int]]:
    """Make a script of requests with demands."""

    def script(driver: Driver) -> list[int]:
        picks = []
        for demand in demands:
            driver.view.demand[0] = demand
            picks.append(driver.pick())
        return picks

    return script


def with_pool(probes: list[tuple[int, float]], *, quantile: float) -> View:
    """Make a view of Prequal whose pool holds probes of requests in flight and latency."""
    view = Driver(Prequal(rif_quantile=quantile), pool([1] * len(probes))).view
    view.ints[2] = len(probes)
    for entry, (level, latency) in enumerate(probes):
        view.ints[4 + 3 * entry : 7 + 3 * entry] = [entry, level, 1]
        view.floats[5 + 2 * entry] = latency
    return view


# Join idle queue


def test_idle_servers_are_taken_in_the_order_in_which_they_became_idle() -> None:
    driver = Driver(JoinIdleQueue(), pool([1, 1, 1]))
    assert letters([driver.pick() for _ in range(3)]) == "abc"
    for server in (2, 0, 1):
        driver.end(server)
    assert letters([driver.pick() for _ in range(3)]) == "cab"


def test_without_an_idle_server_any_is_as_likely() -> None:
    driver = Driver(JoinIdleQueue(), pool([1, 1, 1]))
    driver.run(3, hold=True)
    picks = [driver.pick_(driver.view, driver.rng) for _ in range(3000)]
    assert chisquare(np.bincount(picks)).pvalue > LEVEL


@given(st.lists(st.booleans(), min_size=1, max_size=80), st.integers(2, 6))
@settings(max_examples=30)
def test_no_request_joins_a_busy_server_while_one_is_idle(begins: list[bool], count: int) -> None:
    driver, held = Driver(JoinIdleQueue(), pool([1] * count)), []
    for begin in begins:
        if begin or not held:
            idle = 0 in driver.view.in_flight
            held.append(driver.pick())
            assert driver.view.in_flight[held[-1]] == 1 or not idle
        else:
            driver.end(held.pop(len(held) // 2))


def test_an_idle_server_that_comes_back_is_still_known_to_be_idle() -> None:
    driver = Driver(JoinIdleQueue(), pool([1, 1]))
    driver.set_down(0, True)
    assert driver.run(3, hold=True) == [1, 1, 1]
    driver.set_down(0, False)
    assert driver.pick() == 0


# Size interval


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=6, unique=True), st.floats(1e-3, 1e3))
def test_a_demand_goes_to_its_interval(cutoffs: list[float], demand: float) -> None:
    cutoffs.sort()
    driver = Driver(SizeInterval(cutoffs=cutoffs), pool([1] * (len(cutoffs) + 1)))
    assert sized([demand])(driver) == [sum(cutoff < demand for cutoff in cutoffs)]


def test_the_nearest_usable_server_steps_in() -> None:
    driver = Driver(SizeInterval(cutoffs=[1, 2, 3]), pool([1] * 4))
    driver.set_down(1, True)
    assert sized([1.5])(driver) == [2]
    driver.set_down(2, True)
    assert sized([1.5, 2.5])(driver) == [0, 3]


@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_equal_load_cutoffs_give_each_server_the_same_work(servers: int, seed: int) -> None:
    demands = np.random.Generator(np.random.PCG64(seed)).pareto(1.8, size=5000) + 0.1
    cutoffs = equal_load_cutoffs(list(demands), [1] * servers)
    work = np.bincount(np.searchsorted(cutoffs, demands), weights=demands, minlength=servers)
    assert np.abs(work - demands.sum() / servers).max() <= demands.max()


@pytest.mark.parametrize("cutoffs", [[], [1.0], [1.0, 2.0, 3.0]])
def test_another_number_of_cutoffs_is_refused(cutoffs: list[float]) -> None:
    with pytest.raises(InputError, match="for 3 servers; allowed: one fewer than servers"):
        SizeInterval(cutoffs=cutoffs).memory(pool([1, 1, 1]), [])


def test_cutoffs_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(ValidationError, match="each above the one before"):
        SizeInterval(cutoffs=[2.0, 1.0])


def test_a_size_interval_is_the_same_compiled() -> None:
    demands = [0.5, 1.0, 1.5, 2.0, 9.0, 3.0, 2.5, 1e-9]
    same_compiled(SizeInterval(cutoffs=[1, 2, 3]), pool([1] * 4), sized(demands))


# Consistent hashing with bounded loads


@given(st.integers(2, 6), st.sampled_from([0.05, 0.25, 1.0]), st.lists(st.integers(-3, 9), max_size=80))
@settings(max_examples=30)
def test_no_server_exceeds_its_bound(count: int, epsilon: float, steps: list[int]) -> None:
    driver = Driver(ConsistentHashBoundedLoads(epsilon=epsilon, points=5), pool([1] * count), keys=KEYS[:10])
    held: list[int] = []
    for step in steps:
        if step >= 0:
            held.append(driver.pick(key=step))
            bound = math.ceil((1 + epsilon) * len(held) / count)
            assert driver.view.in_flight[held[-1]] <= bound
        elif held:
            driver.end(held.pop(step % len(held)))


def test_an_idle_pool_hashes_consistently() -> None:
    driver = Driver(ConsistentHashBoundedLoads(), pool([1] * 6), keys=KEYS)
    before = driver.run(200, keys=range(200))
    assert set(before) == set(range(6))
    driver.set_down(2, True)
    after = driver.run(200, keys=range(200))
    assert 2 not in after
    assert all(old == new for old, new in zip(before, after, strict=True) if old != 2)


def test_names_decide_and_not_their_order() -> None:
    names = ["red", "green", "blue"]
    there, back = (
        [
            order[pick]
            for pick in Driver(ConsistentHashBoundedLoads(), pool([1] * 3, names=order), keys=KEYS).run(
                200, keys=range(200)
            )
        ]
        for order in (names, names[::-1])
    )
    assert there == back


# Prequal

probes = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.1, 0.2, 0.3])), min_size=1, max_size=16)


@given(probes, st.floats(0, 1))
def test_hot_and_cold_decide_in_that_order(seen: list[tuple[int, float]], quantile: float) -> None:
    view = with_pool(seen, quantile=quantile)
    limit = sorted(level for level, _ in seen)[max(math.ceil(quantile * len(seen)), 1) - 1]
    assert hot_limit(view) == limit
    assert seen[best_probe(view)][1] == min(latency for level, latency in seen if level <= limit)
    worst = seen[worst_probe(view)]
    hot = [level for level, _ in seen if level > limit]
    assert worst[0] == max(hot) if hot else worst[1] == max(latency for _, latency in seen)


@pytest.mark.parametrize(("quantile", "best"), [(0.0, 2), (0.84, 1), (1.0, 0)])
def test_the_quantile_goes_from_requests_to_latency(quantile: float, best: int) -> None:
    seen = [(9, 0.1), (3, 0.2), (1, 0.5), (2, 0.4), (3, 0.3), (2, 0.4), (3, 0.3)]
    assert best_probe(with_pool(seen, quantile=quantile)) == best


def test_a_probe_is_used_as_often_as_the_paper_says() -> None:
    assert Prequal().uses(100) == pytest.approx(2 / (0.84 * 3 - 1))
    assert Prequal(remove_rate=0.25, probe_rate=4).uses(1000) == 1
    assert Prequal().uses(16) == 1e9


def test_the_pool_keeps_one_young_probe_of_a_server_and_no_more_than_its_size() -> None:
    driver = Driver(Prequal(pool_size=5, remove_rate=0), pool([1] * 40))
    for number in range(60):
        driver.pick(now=0.1 * number)
        size = driver.view.ints[2]
        held = [driver.view.ints[4 + 3 * entry] for entry in range(size)]
        ages = [0.1 * number - driver.view.floats[6 + 2 * entry] for entry in range(size)]
        assert size == len(set(held)) <= 5
        assert ages == sorted(ages, reverse=True)
        assert max(ages) <= 1.0 + 1e-9
    driver.pick(now=100.0)
    assert driver.view.ints[2] == 3


def test_probes_see_the_requests_in_flight_and_the_latency_of_before() -> None:
    driver = Driver(Prequal(probe_rate=4, remove_rate=0, rif_quantile=1), pool([1] * 4))
    for server, seconds in enumerate((0.3, 0.1, 0.2, 0.4)):
        driver.view.in_flight[server] += 1
        driver.end(server, seconds=seconds)
    driver.pick()
    assert driver.run(3) == [1, 1, 1]
    driver.view.in_flight[1] += 1
    for _ in range(9):
        driver.view.in_flight[1] += 1
        driver.end(1, seconds=0.9)
    assert driver.pick() == 1  # by the probes sent before
    assert driver.pick() == 2


def test_a_server_reports_the_median_of_its_latest_latencies() -> None:
    driver = Driver(Prequal(latency_window=3), pool([1, 1]))
    assert median_latency(driver.view, 0) == 0
    for seconds, median in ((5, 5), (1, 1), (2, 2), (9, 2), (8, 8)):
        driver.view.in_flight[0] += 1
        driver.end(0, seconds=seconds)
        assert median_latency(driver.view, 0) == median


# All of them


@pytest.mark.parametrize("strategy", MEMBERS, ids=lambda each: each.label)
@given(down=st.lists(st.booleans(), min_size=1, max_size=7), active=st.integers(0, 3))
@settings(max_examples=15)
def test_a_server_that_is_not_usable_is_never_picked(
    strategy: Strategy, down: list[bool], active: int
) -> None:
    driver = Driver(strategy, pool([1] * len(down)), keys=KEYS[:20])
    driver.run(5)
    for server, off in enumerate(down):
        driver.set_down(server, off)
        driver.view.in_flight[server] = active * server
    picks = set(driver.run(20, keys=range(20)))
    assert picks == {-1} if all(down) else not any(pick < 0 or down[pick] for pick in picks)


@pytest.mark.parametrize("strategy", MEMBERS, ids=lambda each: each.label)
@pytest.mark.slow
def test_a_pick_is_the_same_compiled(strategy: Strategy) -> None:
    same_compiled(strategy, pool([1, 1, 1, 2, 2]), trial(300, keys=50, seed=4), keys=KEYS[:50])


@pytest.mark.parametrize(
    "strategy", [*MEMBERS, SizeInterval(cutoffs=[0.1, 2.0])], ids=lambda each: each.label
)
def test_a_label_is_read_back(strategy: Strategy) -> None:
    assert read_strategy(strategy.label) == strategy
