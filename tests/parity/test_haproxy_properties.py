"""What holds for HAProxy's strategies whatever the pool, and that compiling them changes nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from tests.parity.driver import Driver, pool, same_compiled, sequences, trial
from workbench.simulate.strategies import Strategy
from workbench.simulate.strategies.haproxy import (
    HaproxyFirst,
    HaproxyHash,
    HaproxyLeastconn,
    HaproxyRandom,
    HaproxyRoundrobin,
    HaproxySource,
    HaproxyStaticRr,
)
from workbench.simulate.strategies.haproxy._map import first_slot, lay_out
from workbench.simulate.strategies.haproxy._ring import full_hash
from workbench.simulate.strategies.haproxy.hash import HASHES, KEYS, HashType, sdbm
from workbench.simulate.strategies.haproxy.roundrobin import BLOCK, BLOCKS, NEXT_CYCLE, WEIGHT
from workbench.simulate.strategies.haproxy.static_rr import MAP

ALL = [
    HaproxyFirst(),
    HaproxyHash(),
    HaproxyHash(type="consistent", function="wt6"),
    HaproxyHash(type="consistent", balance_factor=120),
    HaproxyLeastconn(),
    HaproxyRandom(),
    HaproxyRandom(draws=3, tie="request_rate"),
    HaproxyRoundrobin(),
    HaproxySource(),
    HaproxySource(type="consistent"),
    HaproxyStaticRr(),
]
ADDRESSES = [f"10.{i % 256}.{7 * i % 256}.7" for i in range(30)] + [f"2001:db8::{i}" for i in range(10)]


def label(strategy: Strategy) -> str:
    """Name a test's case."""
    return strategy.label


every = pytest.mark.parametrize("strategy", ALL, ids=label)
weights = st.lists(st.integers(1, 9), min_size=1, max_size=8)


@every
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_compiled_it_does_the_same(strategy: Strategy, seed: int) -> None:
    servers = pool([3, 1, 0, 5, 2, 2], limits=[4, 0, 0, 6, 3, 0])
    script = trial(600, keys=len(ADDRESSES), seed=seed)
    same_compiled(strategy, servers, script, keys=ADDRESSES, seed=seed)


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


@pytest.mark.parametrize(
    "strategy", [HaproxyFirst(), HaproxyLeastconn(), HaproxyRoundrobin(), HaproxyStaticRr()], ids=label
)
@given(limit=st.integers(1, 5), count=st.integers(1, 6))
def test_limits_are_filled_and_never_exceeded(strategy: Strategy, limit: int, count: int) -> None:
    driver = Driver(strategy, pool([1] * count, limits=[limit] * count), keys=ADDRESSES)
    picks = driver.run(limit * count + 3, hold=True)
    assert picks[-3:] == [-1] * 3
    assert [picks.count(server) for server in range(count)] == [limit] * count


BY_HASH = [
    HaproxyHash(),
    HaproxyHash(type="consistent"),
    HaproxySource(),
    HaproxySource(type="consistent"),
]


@pytest.mark.parametrize("strategy", BY_HASH, ids=label)
@given(given_weights=weights)
def test_a_hashed_request_waits_for_its_server_though_others_have_room(
    strategy: Strategy, given_weights: list[int]
) -> None:
    free, full = (
        Driver(strategy, pool(given_weights, limits=limits), keys=ADDRESSES)
        for limits in ((), [1] * len(given_weights))
    )
    keys = range(len(ADDRESSES))
    assert strategy.waits_at_server
    assert full.run(60, hold=True, keys=keys) == free.run(60, keys=keys)


@pytest.mark.parametrize("draws", [1, 2])
def test_a_draw_of_a_full_server_waits_at_the_balancer(draws: int) -> None:
    strategy = HaproxyRandom(draws=draws)
    free, full = (Driver(strategy, pool([1, 1, 1], limits=limits), seed=3) for limits in ((), [0, 1, 0]))
    full.view.in_flight[1] = free.view.in_flight[1] = 1
    full.set_down(1, False)
    expected = [free.pick_(free.view, free.rng) for _ in range(300)]
    picks = [full.pick_(full.view, full.rng) for _ in range(300)]
    assert picks == [-1 if server == 1 else server for server in expected]
    assert -1 in picks
    assert not strategy.waits_at_server


def placed(driver: Driver) -> list[int]:
    """Read which servers hold which part of a strategy's tree or map."""
    view, count = driver.view, len(driver.down)
    if driver.kind is HaproxyRoundrobin:
        return [view.ints[NEXT_CYCLE], *view.ints[BLOCKS + WEIGHT :: BLOCK]]
    if driver.kind is HaproxyLeastconn:
        return list(view.ints[1 : 1 + count])
    start = MAP if driver.kind is HaproxyStaticRr else HASHES + view.ints[KEYS]
    slots = first_slot(view, start)
    return [view.ints[start], *view.ints[slots : slots + view.ints[start]]]


@pytest.mark.parametrize(
    "strategy", [HaproxyRoundrobin(), HaproxyLeastconn(), HaproxyStaticRr(), HaproxyHash()], ids=label
)
def test_a_full_server_keeps_its_place_in_trees_and_maps_and_one_that_is_down_does_not(
    strategy: Strategy,
) -> None:
    driver = Driver(strategy, pool([3, 1, 2]), keys=ADDRESSES)
    driver.run(7, keys=range(7))
    before = placed(driver)
    driver.view.usable[0] = 0
    picks = [driver.pick(key=key) for key in range(9)]
    assert placed(driver) == before
    assert (0 in picks) == strategy.waits_at_server
    driver.set_down(0, True)
    assert 0 not in [driver.pick(key=key) for key in range(9)]
    assert placed(driver) != before


@every
@given(given_weights=st.lists(st.integers(1, 5), min_size=2, max_size=5), data=st.data())
def test_a_server_to_avoid_is_only_taken_if_there_is_no_other(
    strategy: Strategy, given_weights: list[int], data: st.DataObject
) -> None:
    count = len(given_weights)
    driver = Driver(strategy, pool(given_weights), keys=ADDRESSES)
    driver.run(data.draw(st.integers(0, 9)), keys=range(9))
    avoid = data.draw(st.integers(0, count - 1))
    others = data.draw(st.sets(st.integers(0, count - 1))) - {avoid}
    for server in others:
        driver.set_down(server, True)
    picks = []
    for key in range(12):
        picks.append(driver.pick(key=key, avoid=avoid))
        driver.end(picks[-1])
    if len(others) == count - 1:
        assert set(picks) == {avoid}
    elif isinstance(strategy, HashType) and strategy.type == "map_based":
        unmoved = Driver(strategy, pool(given_weights), keys=ADDRESSES)
        for server in others:
            unmoved.set_down(server, True)
        assert picks == unmoved.run(12, keys=range(12))
    else:
        assert avoid not in picks


@pytest.mark.parametrize("type_", ["consistent", "consistent with a bound"])
def test_the_next_server_on_the_ring_stands_in_for_one_to_avoid(type_: str) -> None:
    """A bound that nothing reaches changes nothing, so both go on from node to node."""
    factor = 1_000_000 if "bound" in type_ else 0
    servers = pool([2, 2, 2])
    driver = Driver(HaproxyHash(type="consistent", balance_factor=factor), servers, keys=ADDRESSES)
    nodes = [
        (full_hash(np.array([4096 * (s + 1) + n], np.uint32))[0], s) for s in range(3) for n in range(32)
    ]
    nodes.sort()
    for key, text in enumerate(ADDRESSES):
        value = full_hash(np.array([sdbm(text.encode())], np.uint32))[0]
        distance = [min((int(value) - int(at)) % 2**32, (int(at) - int(value)) % 2**32) for at, _ in nodes]
        at = int(np.argmin(distance))
        first = nodes[at][1]
        assert driver.pick(key=key) == first
        driver.end(first)
        while nodes[at][1] == first:
            at = (at + 1) % len(nodes)
        assert driver.pick(key=key, avoid=first) == nodes[at][1]
        driver.end(nodes[at][1])


@given(given_weights=weights)
def test_shares_over_a_cycle_of_the_map_are_the_weights(given_weights: list[int]) -> None:
    divisor = math.gcd(*given_weights)
    shares = [weight // divisor for weight in given_weights]
    picks = Driver(HaproxyStaticRr(), pool(given_weights)).run(3 * sum(shares))
    assert [picks.count(server) for server in range(len(shares))] == [3 * share for share in shares]


@given(given_weights=weights)
def test_shares_over_many_cycles_of_the_trees_are_the_weights(given_weights: list[int]) -> None:
    picks = Driver(HaproxyRoundrobin(), pool(given_weights)).run(20 * sum(given_weights))
    for server, weight in enumerate(given_weights):
        assert abs(picks.count(server) - 20 * weight) <= 2


@given(count=st.integers(1, 12), weight=st.integers(1, 4))
def test_servers_of_equal_weight_follow_one_another(count: int, weight: int) -> None:
    for strategy in (HaproxyStaticRr(), HaproxyRoundrobin(), HaproxyLeastconn()):
        picks = Driver(strategy, pool([weight] * count)).run(3 * count)
        assert picks == [*range(count)] * 3


@given(
    before=weights,
    changes=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9), st.integers(0, 20)), max_size=4),
)
def test_roundrobin_shares_by_changed_weights(before: list[int], changes: list[tuple[int, int, int]]) -> None:
    driver = Driver(HaproxyRoundrobin(), pool(before))
    for server, weight, picks in changes:
        driver.set_weight(server % len(before), weight)
        driver.run(picks)
    now = list(driver.view.weight)
    driver.run(3 * sum(now) + 3 * sum(before))
    found = driver.run(20 * sum(now))
    for server, weight in enumerate(now):
        assert abs(found.count(server) - 20 * weight) <= 2 or not any(now)


@pytest.mark.parametrize(
    "strategy", [HaproxyHash(type="consistent"), HaproxySource(type="consistent")], ids=lambda s: s.label
)
@given(given_weights=st.lists(st.integers(1, 9), min_size=2, max_size=6), data=st.data())
def test_a_server_that_leaves_a_consistent_hash_only_moves_its_keys(
    strategy: Strategy, given_weights: list[int], data: st.DataObject
) -> None:
    keys = [f"10.1.{number}.9" for number in range(100)]
    gone = data.draw(st.sampled_from(range(len(given_weights))))
    driver = Driver(strategy, pool(given_weights), keys=keys)
    before = driver.run(100, keys=range(100))
    driver.set_down(gone, True)
    after = driver.run(100, keys=range(100))
    assert all(new == old for new, old in zip(after, before, strict=True) if old != gone)


@given(given_weights=weights, factor=st.integers(101, 300), seed=st.integers(0, 99))
def test_bounded_load_never_exceeds_its_bound(given_weights: list[int], factor: int, seed: int) -> None:
    keys = [f"k{number}" for number in range(4)]
    strategy = HaproxyHash(type="consistent", balance_factor=factor)
    driver = Driver(strategy, pool(given_weights), keys=keys, seed=seed)
    chance = np.random.Generator(np.random.PCG64(seed))
    held: list[int] = []
    for _ in range(120):
        server = driver.pick(key=int(chance.random() ** 3 * len(keys)))
        held.append(server)
        bound = math.ceil(len(held) * factor / 100) * given_weights[server] / sum(given_weights)
        assert held.count(server) <= max(1, math.ceil(bound))
        if chance.random() < 0.3:
            driver.end(held.pop(int(chance.random() * len(held))))


def test_requests_that_wait_for_a_full_server_do_not_count_against_its_bound() -> None:
    """With 6 in service, 7 x 1.5 make 11 slots, at least 3 for each: none has more than it may."""
    servers = pool([1, 1, 1], limits=[2, 2, 2])
    bounded, free = (
        Driver(HaproxyHash(type="consistent", balance_factor=factor), servers, keys=ADDRESSES)
        for factor in (150, 0)
    )
    for driver in (bounded, free):
        driver.view.in_flight[:] = [2, 9, 2]
    picks = [bounded.pick_(bounded.view._replace(key=[key]), bounded.rng) for key in range(30)]
    assert picks == [free.pick_(free.view._replace(key=[key]), free.rng) for key in range(30)]
    assert 1 in picks


def test_random_draws_follow_the_ring_which_follows_the_weights() -> None:
    given_weights = np.array([50, 30, 10, 10])
    picks = Driver(HaproxyRandom(draws=1), pool(given_weights.tolist()), seed=7).run(20_000)
    share = np.bincount(picks, minlength=4) / 20_000
    assert np.all(abs(share - given_weights / 100) < 0.04)


def test_idle_servers_are_taken_by_the_last_draw() -> None:
    servers = pool([4, 3, 2])
    one, two = (
        np.bincount(Driver(HaproxyRandom(draws=draws), servers, seed=draws).run(10_000), minlength=3)
        for draws in (1, 2)
    )
    assert chisquare(two, one * (two.sum() / one.sum())).pvalue > 1e-6


def test_of_idle_servers_the_one_with_the_lower_rate_is_taken_if_asked_for() -> None:
    driver = Driver(HaproxyRandom(tie="request_rate"), pool([1, 1]), seed=5)
    picks = [driver.pick(now=0.001 * number) for number in range(500)]
    driver.view.in_flight[:] = [0, 0]
    assert abs(picks.count(0) - picks.count(1)) <= 1


def test_the_map_of_equal_hashes_changes_with_a_server_that_goes_down_and_back() -> None:
    keys = [f"k{number}" for number in range(50)]
    driver = Driver(HaproxyHash(), pool([2, 3, 1]), keys=keys)
    before = driver.run(50, keys=range(50))
    driver.set_down(1, True)
    assert 1 not in driver.run(50, keys=range(50))
    driver.set_down(1, False)
    assert driver.run(50, keys=range(50)) == before


@given(given_weights=st.lists(st.integers(0, 6), min_size=1, max_size=6))
def test_a_map_laid_out_anew_is_the_one_at_the_start(given_weights: list[int]) -> None:
    view = Driver(HaproxyStaticRr(), pool(given_weights)).view
    slots = first_slot(view, MAP)
    at_start = list(view.ints[slots:])
    counted = MAP + 1 + len(given_weights)
    view.ints[counted] = 1 - view.ints[counted]
    view.ints[slots:] = [-1] * len(at_start)
    assert lay_out(view, MAP) == len(at_start)
    assert list(view.ints[slots:]) == at_start


@pytest.mark.parametrize("seconds", range(12))
def test_slow_start_weighs_as_haproxy_shows_it(seconds: int) -> None:
    """`slowstart 12s`, weight 10: the weight grows by sixteenths, and is shown in whole ones, rounded up."""
    seen = sequences("haproxy")["slowstart_12s_weight10_throttle_pct"][0]
    sixteenths = (16 * seconds + 12) // 12
    for strategy, first, step in (
        (HaproxyRoundrobin(), BLOCKS + WEIGHT, BLOCK),
        (HaproxyLeastconn(), 1, 1),
    ):
        driver = Driver(strategy, pool([10, 10]))
        driver.set_ramp(1, sixteenths / 16)
        driver.pick()
        weight = driver.view.ints[first + step]
        assert 100 * weight // 160 == seen["pct"][seconds]
        assert -(-weight // 16) == seen["weight_shown"][seconds]


def test_while_it_starts_a_server_has_its_share_of_turns_connections_and_nodes() -> None:
    turns = Driver(HaproxyRoundrobin(), pool([10, 10]))
    turns.set_ramp(1, 4 / 16)
    assert turns.run(500).count(1) == pytest.approx(100, abs=2)
    held = Driver(HaproxyLeastconn(), pool([10, 10]))
    held.set_ramp(1, 4 / 16)
    assert held.run(500, hold=True).count(1) == pytest.approx(100, abs=2)
    keys = [f"k{number}" for number in range(2000)]
    ring = Driver(HaproxyHash(type="consistent"), pool([10, 10]), keys=keys)
    whole = ring.run(2000, keys=range(2000))
    ring.set_ramp(1, 4 / 16)
    part = ring.run(2000, keys=range(2000))
    lighter = Driver(HaproxyHash(type="consistent"), pool([40, 10]), keys=keys)
    lighter.set_weight(0, 10)
    lighter.set_ramp(1, 4 / 16)
    assert part == lighter.run(2000, keys=range(2000))
    assert {old for new, old in zip(part, whole, strict=True) if new != old} == {1}
    assert 0.1 < part.count(1) / 2000 < 0.3


def test_a_map_knows_no_slow_start() -> None:
    driver = Driver(HaproxyStaticRr(), pool([2, 1]))
    driver.set_ramp(0, 1 / 16)
    assert driver.run(9) == Driver(HaproxyStaticRr(), pool([2, 1])).run(9)
