"""What holds for nginx's strategies whatever the pool, and that compiling them changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from tests.parity.driver import Driver, pool, same_compiled, trial
from workbench.simulate.strategies import Strategy
from workbench.simulate.strategies.nginx import (
    NginxHash,
    NginxHashConsistent,
    NginxIpHash,
    NginxLeastConn,
    NginxLeastTime,
    NginxRandom,
    NginxRandomTwoLeastConn,
    NginxRoundRobin,
)

ALL = [
    NginxHash(),
    NginxHashConsistent(),
    NginxIpHash(),
    NginxLeastConn(),
    NginxLeastTime(),
    NginxLeastTime(inflight=True, fail_timeout=1),
    NginxRandom(),
    NginxRandomTwoLeastConn(),
    NginxRoundRobin(),
]
ADDRESSES = [f"10.{i % 256}.{7 * i % 256}.7" for i in range(30)] + [f"2001:db8::{i}" for i in range(10)]

every = pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: strategy.label)
weights = st.lists(st.integers(1, 9), min_size=1, max_size=8)


@every
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_compiled_it_does_the_same(strategy: Strategy, seed: int) -> None:
    servers = pool([3, 1, 0, 5, 2, 2], limits=[4, 0, 0, 6, 3, 0])
    script = trial(600, keys=len(ADDRESSES), seed=seed)
    allowed = [1, 0, 3, 2, 1, 4]
    same_compiled(strategy, servers, script, keys=ADDRESSES, seed=seed, fails_allowed=allowed)


@every
@given(given_weights=weights, data=st.data())
def test_what_is_not_usable_is_never_picked(
    strategy: Strategy, given_weights: list[int], data: st.DataObject
) -> None:
    driver = Driver(strategy, pool(given_weights), keys=ADDRESSES)
    down = data.draw(st.sets(st.sampled_from(range(len(given_weights)))))
    for server in down:
        driver.set_down(server, True)
    picks = driver.run(40, keys=range(len(ADDRESSES)), hold=data.draw(st.booleans()))
    assert not down.intersection(picks)
    assert (-1 in picks) == (len(down) == len(given_weights))


@given(given_weights=weights)
def test_shares_over_a_cycle_are_the_weights(given_weights: list[int]) -> None:
    for strategy in (NginxRoundRobin(), NginxLeastConn()):
        picks = Driver(strategy, pool(given_weights)).run(sum(given_weights))
        assert [picks.count(server) for server in range(len(given_weights))] == given_weights


@given(given_weights=st.lists(st.integers(1, 9), min_size=2, max_size=6), data=st.data())
def test_a_server_that_leaves_a_consistent_hash_only_moves_its_keys(
    given_weights: list[int], data: st.DataObject
) -> None:
    keys = [f"key-{number}" for number in range(100)]
    gone = data.draw(st.sampled_from(range(len(given_weights))))
    driver = Driver(NginxHashConsistent(), pool(given_weights), keys=keys)
    before = driver.run(100, keys=range(100))
    driver.set_down(gone, True)
    after = driver.run(100, keys=range(100))
    assert all(new == old for new, old in zip(after, before, strict=True) if old != gone)


def test_shares_follow_a_lowered_weight_at_once_and_a_raised_one_step_by_step() -> None:
    driver = Driver(NginxRoundRobin(), pool([6, 3]))
    driver.run(9)
    driver.set_weight(0, 3)
    assert driver.run(8).count(0) == 4
    driver.set_weight(1, 9)
    driver.run(60)
    assert driver.run(120).count(1) == 90


def test_servers_of_one_name_take_turns_on_the_ring() -> None:
    driver = Driver(NginxHashConsistent(), pool([2, 1], names=["10.0.0.1:80", "10.0.0.1:80"]), keys=["hot"])
    picks = driver.run(9)
    assert [picks.count(server) for server in (0, 1)] == [6, 3]


def test_random_draws_follow_the_weights() -> None:
    given_weights = [5, 3, 1, 1]
    picks = Driver(NginxRandom(), pool(given_weights), seed=7).run(20_000)
    counts = np.bincount(picks, minlength=4)
    assert chisquare(counts, 2_000 * np.array(given_weights)).pvalue > 1e-4


def test_of_two_idle_servers_the_second_draw_is_taken() -> None:
    given_weights = np.array([5, 3, 2])
    picks = Driver(NginxRandomTwoLeastConn(), pool(given_weights.tolist()), seed=7).run(20_000)
    p = given_weights / given_weights.sum()
    second = [
        sum(p[first] * p[own] / (1 - p[first]) for first in range(3) if first != own) for own in range(3)
    ]
    assert chisquare(np.bincount(picks, minlength=3), 20_000 * np.array(second)).pvalue > 1e-4


def test_of_two_the_emptier_is_taken() -> None:
    picks = Driver(NginxRandomTwoLeastConn(), pool([1] * 2), seed=3).run(1_000, hold=True)
    assert abs(picks.count(0) - picks.count(1)) <= 1


def _timed(*seconds: float) -> Driver:
    """Give least_time with a first response time known of each server."""
    driver = Driver(NginxLeastTime(), pool([1] * len(seconds)))
    for server in [driver.pick() for _ in seconds]:
        driver.end(server, seconds=seconds[server])
    return driver


def test_least_time_prefers_the_fast_until_it_is_busy_enough() -> None:
    # 30 ms count as 40 and 95 as 100: 40, then 80 against 100, 120 against 100, 120 against 200.
    assert _timed(0.030, 0.095).run(4, hold=True) == [0, 0, 1, 0]


def test_least_time_shares_by_round_robin_among_servers_of_the_same_20_ms() -> None:
    driver = _timed(0.021, 0.038)
    picks = []
    for _ in range(6):
        picks.append(driver.pick())
        driver.end(picks[-1], seconds=(0.021, 0.038)[picks[-1]])
    assert picks in ([0, 1] * 3, [1, 0] * 3)


def test_least_time_gives_a_slow_server_that_long_had_nothing_another_chance() -> None:
    driver = Driver(NginxLeastTime(fail_timeout=1), pool([1, 1]))
    times = (0.03, 1.0)
    now = 0.0
    while now < 40:
        now += 0.5
        server = driver.pick(now=now)
        driver.end(server, now=now, seconds=times[server])
        if server == 1 and now > 5:
            break
    assert 5 < now < 15


def test_least_time_with_inflight_turns_away_from_a_server_that_hangs() -> None:
    def picks(strategy: NginxLeastTime) -> list[int]:
        driver = Driver(strategy, pool([1, 1]))
        for server in (0, 1):
            driver.pick()
            driver.end(server, now=0.05, seconds=0.05)
        hung = driver.pick(now=0.1)
        others = []
        for number in range(40):
            now = 0.2 + 0.1 * number
            others.append(driver.pick(now=now))
            driver.end(others[-1], now=now + 0.05, seconds=0.2 if others[-1] != hung else 0.05)
        return [int(server == hung) for server in others]

    assert sum(picks(NginxLeastTime(inflight=True))) < sum(picks(NginxLeastTime()))


def test_least_time_learns_from_good_answers_only() -> None:
    driver = Driver(NginxLeastTime(), pool([1, 1]))
    for server in [driver.pick(), driver.pick()]:
        driver.end(server, seconds=(0.03, 0.2)[server])
    for _ in range(5):
        driver.view.in_flight[1] += 1
        driver.end(1, seconds=0.001, good=False)
    assert driver.run(3) == [0, 0, 0]
    driver.view.in_flight[1] += 1
    driver.end(1, seconds=0.2)
    assert driver.run(3) == [0, 0, 0]


def test_least_time_forgets_a_failed_request_that_was_under_way() -> None:
    driver = Driver(NginxLeastTime(inflight=True), pool([1, 1]))
    before = list(driver.view.ints)
    server = driver.pick(now=0.0)
    driver.end(server, now=3.0, seconds=3.0, good=False)
    requests, spent = 4 + 2 + 7 * server + 2, 4 + 2 + 7 * server + 3
    assert driver.view.ints[requests] == before[requests] == 0
    assert driver.view.ints[spent] == 0


@every
def test_a_server_that_was_tried_is_ruled_out_for_this_request_alone(strategy: Strategy) -> None:
    driver = Driver(strategy, pool([3, 2, 1]), keys=ADDRESSES, seed=2)
    for key in range(20):
        first = driver.pick(key=key)
        driver.end(first, good=False)
        second = driver.pick(key=key, tried=[first], tries=1)
        driver.end(second, good=False)
        third = driver.pick(key=key, tried=[first, second], tries=2)
        driver.end(third)
        assert sorted([first, second, third]) == [0, 1, 2]
        assert driver.pick(key=key, tried=[0, 1, 2], tries=3) == -1
    assert driver.view.usable == [1, 1, 1]
