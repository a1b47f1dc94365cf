"""Envoy's strategies give the tables and picks of its own tests."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import chisquare

from tests.parity.driver import Driver, letters, pool, same_compiled, sequences, trial
from workbench.simulate.strategies import Strategy, read_strategy
from workbench.simulate.strategies.envoy import (
    EnvoyLeastRequest,
    EnvoyMaglev,
    EnvoyRandom,
    EnvoyRingHash,
    EnvoyRoundRobin,
)
from workbench.simulate.strategies.envoy._bounded_load import next_word, seed_twister
from workbench.simulate.strategies.envoy.maglev import slot_of
from workbench.simulate.strategies.envoy.ring_hash import build_ring, points_in_advance
from workbench.simulate.strategies.envoy.xxh64 import xxh64

SEEN = sequences("envoy_grpc")
KEYS = [f"k{number}" for number in range(300)]
LEVEL = 0.001
MEMBERS: list[Strategy] = [
    EnvoyRoundRobin(start=17),
    EnvoyRoundRobin(start="random"),
    EnvoyLeastRequest(),
    EnvoyLeastRequest(selection_method="FULL_SCAN"),
    EnvoyLeastRequest(active_request_bias=0.7),
    EnvoyRandom(),
    EnvoyRingHash(minimum_ring_size=64),
    EnvoyRingHash(minimum_ring_size=64, hash_balance_factor=120),
    EnvoyMaglev(table_size=251),
    EnvoyMaglev(table_size=251, hash_balance_factor=100),
]

few_weights = st.lists(st.integers(1, 9), min_size=2, max_size=8)


def fits(picks: list[int], probabilities: list[float]) -> bool:
    """Tell whether a chi-square test at LEVEL finds nothing against the probabilities."""
    seen = np.bincount(picks, minlength=len(probabilities))
    likely = np.array(probabilities) > 0
    assert not seen[~likely].any()
    return bool(chisquare(seen[likely], len(picks) * np.array(probabilities)[likely]).pvalue > LEVEL)


def table(driver: Driver, size: int) -> list[int]:
    """Read the Maglev table that the first pick fills."""
    driver.pick()
    first = 3 + 5 * len(driver.view.usable)
    return list(driver.view.ints[first : first + size])


def changed(before: list[int], after: list[int], server: int) -> list[bool]:
    """Tell which of the keys that were not the server's have moved."""
    return [old != new for old, new in zip(before, after, strict=True) if old != server]


@pytest.mark.parametrize(
    ("text", "seed", "value"),
    [
        ("", 0, 0xEF46DB3751D8E999),
        ("a", 0, 0xD24EC4F1A98C6E5B),
        ("abc", 0, 0x44BC2CF5AD770999),
        ("xxhash", 0, 0x32DD38952C4BC720),
        ("xxhash", 20141025, 0xB559B98D844E0635),
        ("Nobody inspects the spammish repetition", 0, 0xFBCEA83C8A378BF1),
    ],
)
def test_xxh64_gives_known_values(text: str, seed: int, value: int) -> None:
    assert [int(each) for each in xxh64(["other", text, "longer than the other ones" * 4], seed=seed)][
        1
    ] == value


@pytest.mark.parametrize("seen", SEEN["ring_hash"])
def test_the_ring_is_envoys(seen: dict[str, Any]) -> None:
    hosts = seen["hosts"]
    servers, hashes = build_ring(
        hosts, [1] * len(hosts), minimum=seen["minimum_ring_size"], maximum=8_388_608
    )
    assert [[hosts[server], int(value)] for server, value in zip(servers, hashes, strict=True)] == seen[
        "ring"
    ]


@pytest.mark.parametrize("seen", SEEN["maglev"])
def test_the_maglev_table_is_envoys(seen: dict[str, Any]) -> None:
    strategy = EnvoyMaglev(table_size=seen["M"])
    driver = Driver(strategy, pool(seen["weights"], names=seen["hosts"]), keys=["k"])
    assert table(driver, seen["M"]) == seen["table"]


@pytest.mark.parametrize("seen", SEEN["edf"])
def test_round_robin_picks_as_envoy(seen: dict[str, Any]) -> None:
    driver = Driver(EnvoyRoundRobin(start=seen["seed"]), pool(seen["weights"]))
    assert letters(driver.run(len(seen["picks"]))) == seen["picks"]
    for server, weight in enumerate(seen.get("then_weights", [])):
        driver.set_weight(server, weight)
    assert letters(driver.run(len(seen.get("then", "")))) == seen.get("then", "")


@pytest.mark.parametrize("seen", SEEN["least_request"])
def test_least_request_picks_as_envoy(seen: dict[str, Any]) -> None:
    driver = Driver(EnvoyLeastRequest(), pool(seen["weights"]))
    assert letters(driver.run(len(seen["picks"]))) == seen["picks"]


@given(few_weights, st.integers(0, 400))
@settings(max_examples=30)
def test_round_robin_gives_each_weight_its_turns_from_any_start(weights: list[int], start: int) -> None:
    driver = Driver(EnvoyRoundRobin(start=start), pool(weights))
    turns = np.bincount(driver.run(2 * sum(weights)), minlength=len(weights))
    assert np.abs(turns - 2 * np.array(weights)).max() <= 1


@pytest.mark.parametrize("weights", [[1, 2], [5, 1, 2], [3, 7, 11]])
def test_a_start_is_as_many_picks_later(weights: list[int]) -> None:
    whole = Driver(EnvoyRoundRobin(), pool(weights)).run(80)
    for start in (1, 2, 3, 7, 23, 40):
        assert Driver(EnvoyRoundRobin(start=start), pool(weights)).run(40) == whole[start : start + 40]


def test_round_robin_of_equal_weights_takes_turns_among_those_left() -> None:
    driver = Driver(EnvoyRoundRobin(), pool([3, 3, 3, 1]))
    driver.set_down(3, True)
    assert letters(driver.run(7)) == "abcabca"
    driver.set_down(1, True)
    assert letters(driver.run(4)) == "caca"


def test_a_host_that_comes_back_begins_the_schedule_anew() -> None:
    driver = Driver(EnvoyRoundRobin(), pool([5, 1, 1]))
    first = driver.run(4)
    driver.set_down(2, True)
    driver.run(3)
    driver.set_down(2, False)
    assert driver.run(4) == first


def test_random_starts_differ_between_balancers() -> None:
    servers = pool([1] * 40)
    firsts = {Driver(EnvoyRoundRobin(start="random"), servers, seed=seed).pick() for seed in range(8)}
    assert len(firsts) > 4


@pytest.mark.parametrize(
    ("active", "choices", "probabilities"),
    [
        ([0, 1], 2, [3 / 4, 1 / 4]),
        ([0, 1, 2], 2, [5 / 9, 3 / 9, 1 / 9]),
        ([0, 1, 2], 3, [19 / 27, 7 / 27, 1 / 27]),
        ([4, 0, 4, 4], 2, [3 / 16, 7 / 16, 3 / 16, 3 / 16]),
        ([2, 2, 2], 2, [1 / 3, 1 / 3, 1 / 3]),
    ],
)
def test_least_request_draws_with_replacement(
    active: list[int], choices: int, probabilities: list[float]
) -> None:
    driver = Driver(EnvoyLeastRequest(choice_count=choices), pool([1] * len(active)), seed=4)
    driver.view.in_flight[:] = active
    assert fits(driver.run(6000), probabilities)


def test_least_request_draws_among_the_usable_only() -> None:
    driver = Driver(EnvoyLeastRequest(), pool([1, 1, 1, 7]), seed=5)
    driver.set_down(3, True)
    driver.view.in_flight[:] = [0, 1, 2, 0]
    assert fits(driver.run(6000), [5 / 9, 3 / 9, 1 / 9, 0])


def test_a_full_scan_takes_the_emptiest_and_equals_by_chance() -> None:
    driver = Driver(EnvoyLeastRequest(selection_method="FULL_SCAN"), pool([1] * 5), seed=6)
    driver.view.in_flight[:] = [3, 1, 2, 1, 1]
    assert fits(driver.run(6000), [0, 1 / 3, 0, 1 / 3, 1 / 3])


def test_random_is_even_whatever_the_weights() -> None:
    driver = Driver(EnvoyRandom(), pool([1, 9, 1]), seed=7)
    assert fits(driver.run(6000), [1 / 3, 1 / 3, 1 / 3])


def test_a_bias_lets_deadlines_decide_between_equal_weights() -> None:
    driver = Driver(EnvoyLeastRequest(active_request_bias=0), pool([1, 1, 1]))
    assert letters(driver.run(6)) == "abcabc"
    driver = Driver(EnvoyLeastRequest(active_request_bias=1), pool([2, 2]))
    driver.view.in_flight[:] = [3, 0]
    shares = np.bincount(driver.run(100))
    assert abs(shares[0] - 20) <= 1


def test_a_key_goes_to_the_next_point_of_the_ring() -> None:
    servers = pool([1, 2, 3])
    ring, hashes = build_ring(servers.names, servers.weight, minimum=100, maximum=8_388_608)
    driver = Driver(EnvoyRingHash(minimum_ring_size=100), servers, keys=KEYS)
    points = [int(value) for value in hashes]
    expected = [ring[bisect_left(points, int(value)) % len(points)] for value in xxh64(KEYS)]
    assert driver.run(300, keys=range(300)) == expected


@given(few_weights)
@settings(max_examples=20)
def test_points_on_the_ring_follow_the_weights(weights: list[int]) -> None:
    ring, hashes = build_ring(
        [f"s{i}" for i in range(len(weights))], weights, minimum=1024, maximum=8_388_608
    )
    share = np.array(weights) / sum(weights)
    assert np.abs(np.bincount(ring, minlength=len(weights)) - share * len(ring)).max() <= 1
    assert len(ring) >= 1024
    assert (np.diff(hashes.astype(object)) >= 0).all()


def test_a_ring_has_its_greatest_size() -> None:
    ring, _ = build_ring(["a", "b", "c", "d"], [1, 1, 1, 1], minimum=1, maximum=6)
    assert sorted(np.bincount(ring)) == [1, 1, 1, 1]
    ring, _ = build_ring(["a", "b", "c", "d"], [1, 1, 1, 1], minimum=6, maximum=6)
    assert list(np.bincount(ring)) == [2, 1, 2, 1]


def expected_on_ring(
    names: list[str], weights: list[int], *, minimum: int = 1024, retry: int = 0
) -> list[str]:
    """Look KEYS up on a ring laid for these servers alone."""
    ring, hashes = build_ring(names, weights, minimum=minimum, maximum=8_388_608)
    points = [int(value) for value in hashes]
    places = [bisect_left(points, int(value)) for value in xxh64(KEYS)]
    return [names[ring[(place % len(points) + retry) % len(points)]] for place in places]


@given(st.lists(st.integers(0, 5), min_size=2, max_size=7), st.data())
@settings(max_examples=30)
def test_the_ring_is_that_of_the_servers_in_service(weights: list[int], data: st.DataObject) -> None:
    """Whatever servers are out, the others have the points that a pool of them alone would have."""
    servers = pool(weights)
    driver = Driver(EnvoyRingHash(minimum_ring_size=64), servers, keys=KEYS)
    for server in data.draw(st.sets(st.integers(0, len(weights) - 1))):
        driver.set_down(server, True)
    left = [server for server, up in enumerate(driver.view.in_service) if up]
    names, lighter = [servers.names[server] for server in left], [weights[server] for server in left]
    expected = expected_on_ring(names, lighter, minimum=64) if left else ["none"] * 300
    picks = driver.run(300, keys=range(300))
    assert [servers.names[pick] if pick >= 0 else "none" for pick in picks] == expected


def test_a_changed_weight_lays_the_ring_anew() -> None:
    servers = pool([2, 1, 1])
    driver = Driver(EnvoyRingHash(), servers, keys=KEYS)
    driver.run(9)
    driver.set_weight(0, 1)
    assert [servers.names[pick] for pick in driver.run(300, keys=range(300))] == expected_on_ring(
        servers.names, [1, 1, 1]
    )


def test_a_very_large_pool_keeps_the_whole_ring_and_hashes_no_more_than_its_part_in_advance() -> None:
    weights = [1 + number % 3 for number in range(400)]
    servers = pool(weights)
    counts = points_in_advance(servers, minimum=1024, maximum=8_388_608)
    assert sum(counts) <= 2**17
    driver = Driver(EnvoyRingHash(), servers, keys=KEYS)
    assert [servers.names[pick] for pick in driver.run(300, keys=range(300))] == expected_on_ring(
        servers.names, weights
    )
    for server in range(200):
        driver.set_down(server, True)
    assert [servers.names[pick] for pick in driver.run(300, keys=range(300))] == expected_on_ring(
        servers.names[200:], weights[200:]
    )


@pytest.mark.parametrize("retry", [0, 1, 2, 5, 100])
def test_a_retry_takes_a_place_further_on_the_ring(retry: int) -> None:
    servers = pool([1, 2, 1])
    driver = Driver(EnvoyRingHash(minimum_ring_size=50), servers, keys=KEYS)
    picks = [driver.pick(key=key, tries=retry) for key in range(300)]
    assert [servers.names[pick] for pick in picks] == expected_on_ring(
        servers.names, servers.weight, minimum=50, retry=retry
    )


@pytest.mark.parametrize("size", [251, 65_537, 5_000_011])
@pytest.mark.parametrize("retry", [0, 1, 2, 77])
def test_a_retry_looks_another_hash_up_in_the_maglev_table(retry: int, size: int) -> None:
    driver = Driver(EnvoyMaglev(table_size=251), pool([1, 2, 1]), keys=KEYS)
    slots = table(driver, 251)
    driver.view.ints[0] = size
    hashes = 3 + 5 * 3 + 251
    driver.view.tries[0] = retry
    for key, value in enumerate(xxh64(KEYS)):
        driver.view.key[0] = key
        mixed = int(value) ^ (2**64 - retry if retry else 0)
        assert slot_of(driver.view, hashes) == mixed % size
    driver.view.ints[0] = 251
    picks = [driver.pick(key=key, tries=retry) for key in range(300)]
    mixed = [int(value) ^ (2**64 - retry if retry else 0) for value in xxh64(KEYS)]
    assert picks == [slots[value % 251] for value in mixed]


def test_a_full_server_keeps_its_slots_and_the_next_one_takes_its_requests() -> None:
    driver = Driver(EnvoyMaglev(table_size=251), pool([1, 1, 1]), keys=KEYS)
    slots = table(driver, 251)
    before = driver.run(300, keys=range(300))
    driver.view.usable[1] = 0
    picks = [driver.pick_(driver.view._replace(key=[key]), driver.rng) for key in range(300)]
    assert table(driver, 251) == slots
    assert not any(changed(before, picks, 1))
    assert 1 not in picks


@pytest.mark.parametrize("strategy", [EnvoyRoundRobin(), EnvoyLeastRequest()], ids=lambda each: each.label)
def test_a_full_server_does_not_make_the_schedule_start_anew(strategy: Strategy) -> None:
    """Its deadline stands, so that it has its turn as soon as it has room; one that comes anew has not."""
    driver = Driver(strategy, pool([4, 2, 1]))
    driver.run(5)
    deadlines = list(driver.view.floats[2:])
    driver.view.usable[2] = 0
    driver.run(12)
    assert driver.view.floats[4] == deadlines[2]
    assert driver.view.floats[2:4] != deadlines[:2]
    driver.view.usable[2] = 1
    assert driver.pick() == 2


def test_turns_of_equal_weights_go_on_where_they_were_when_a_server_has_room_again() -> None:
    driver = Driver(EnvoyRoundRobin(), pool([1, 1, 1]))
    driver.run(1)
    driver.view.usable[1] = 0
    assert letters([driver.pick_(driver.view, driver.rng) for _ in range(3)]) == "cac"
    driver.view.usable[1] = 1
    assert letters(driver.run(3)) == "abc"


def test_slow_start_scales_the_weights_and_brings_the_schedule_until_hosts_change() -> None:
    driver = Driver(EnvoyRoundRobin(), pool([1, 1]))
    driver.set_ramp(1, 0.25)
    assert driver.run(100).count(1) == pytest.approx(20, abs=1)
    driver.set_ramp(1, 1.0)
    driver.run(4)
    assert driver.view.ints[5] == 2
    assert driver.run(100).count(1) == pytest.approx(50, abs=1)
    driver.set_down(1, True)
    driver.run(1)
    driver.set_down(1, False)
    driver.run(2)
    assert driver.view.ints[5] == 0


def test_slow_start_and_requests_in_flight_both_lower_a_weight() -> None:
    driver = Driver(EnvoyLeastRequest(), pool([4, 4, 4]))
    driver.set_ramp(2, 0.5)
    driver.view.in_flight[:] = [0, 1, 1]
    picks = [driver.pick_(driver.view, driver.rng) for _ in range(700)]
    assert [picks.count(server) for server in range(3)] == pytest.approx([400, 200, 100], abs=2)


@given(st.integers(3, 9), st.data())
@settings(max_examples=10)
def test_few_keys_of_other_servers_move_in_a_maglev_table(count: int, data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, count - 1))
    driver = Driver(EnvoyMaglev(table_size=1009), pool([1] * count), keys=KEYS)
    before = driver.run(300, keys=range(300))
    driver.set_down(gone, True)
    after = driver.run(300, keys=range(300))
    assert gone not in after
    assert np.mean(changed(before, after, gone)) < 0.25
    driver.set_down(gone, False)
    assert driver.run(300, keys=range(300)) == before


def test_the_order_of_other_servers_is_drawn_by_a_mersenne_twister() -> None:
    driver = Driver(EnvoyMaglev(table_size=251, hash_balance_factor=100), pool([1]), keys=["k"])
    state = len(driver.view.ints) - 625
    for seed in (0, 5489, 2**32 - 1):
        seed_twister(driver.view, state, seed)
        words = [next_word(driver.view, state) for _ in range(1300)]
        reference = np.random.MT19937()
        reference._legacy_seeding(seed)
        assert words == list(reference.random_raw(1300))


def expected_under_load(key: str, hashed: int, active: list[int], factor: int) -> int:
    """Shuffle the servers as Envoy does, and take the first that does not have more than its slots."""
    count = len(active)
    slots = max(1, -(-(((sum(active) + 1) * factor + 99) // 100) // count))
    if active[hashed] <= slots:
        return hashed
    twister = np.random.MT19937()
    twister._legacy_seeding(int(xxh64([key])[0]) % 2**32)
    order = list(range(count))
    for place in range(count):
        other = below = count - place
        while other >= below:
            other = int(twister.random_raw()) // (2**32 // below)
        order[place], order[place + other] = order[place + other], order[place]
        if order[place] != hashed and active[order[place]] <= slots:
            return order[place]
    return min(range(count), key=active.__getitem__)


@given(st.lists(st.integers(0, 12), min_size=4, max_size=4), st.sampled_from([100, 120, 200]))
@settings(max_examples=20)
def test_a_busy_server_is_passed_over_as_in_envoy(active: list[int], factor: int) -> None:
    servers = pool([1] * 4)
    hashed = Driver(EnvoyRingHash(), servers, keys=KEYS[:30]).run(30, keys=range(30))
    driver = Driver(EnvoyRingHash(hash_balance_factor=factor), servers, keys=KEYS[:30])
    driver.view.in_flight[:] = active
    expected = [
        expected_under_load(key, server, active, factor) for key, server in zip(KEYS, hashed, strict=False)
    ]
    assert driver.run(30, keys=range(30)) == expected


@given(few_weights)
@settings(max_examples=10)
def test_slots_of_a_maglev_table_follow_the_weights(weights: list[int]) -> None:
    driver = Driver(EnvoyMaglev(table_size=499), pool(weights), keys=["k"])
    slots = np.bincount(table(driver, 499), minlength=len(weights))
    assert np.abs(slots - 499 * np.array(weights) / sum(weights)).max() <= len(weights)


@pytest.mark.parametrize("strategy", MEMBERS, ids=lambda each: each.label)
@given(down=st.lists(st.booleans(), min_size=2, max_size=7), active=st.integers(0, 3))
@settings(max_examples=15)
def test_a_server_that_is_not_usable_is_never_picked(
    strategy: Strategy, down: list[bool], active: int
) -> None:
    driver = Driver(strategy, pool([1 + place % 3 for place in range(len(down))]), keys=KEYS[:20])
    for server, off in enumerate(down):
        driver.set_down(server, off)
        driver.view.in_flight[server] = active * server
    picks = set(driver.run(20, keys=range(20)))
    assert picks == {-1} if all(down) else not any(pick < 0 or down[pick] for pick in picks)


@pytest.mark.parametrize("strategy", MEMBERS, ids=lambda each: each.label)
@pytest.mark.slow
def test_a_pick_is_the_same_compiled(strategy: Strategy) -> None:
    same_compiled(strategy, pool([5, 1, 1, 2, 2]), trial(300, keys=50, seed=4), keys=KEYS[:50])


@pytest.mark.parametrize("strategy", MEMBERS, ids=lambda each: each.label)
def test_a_label_is_read_back(strategy: Strategy) -> None:
    assert read_strategy(strategy.label) == strategy


@pytest.mark.parametrize(
    ("kind", "given", "allowed"),
    [
        (EnvoyMaglev, {"table_size": 65_536}, "a prime number"),
        (EnvoyRingHash, {"minimum_ring_size": 10, "maximum_ring_size": 9}, "at most the maximum_ring_size"),
        (EnvoyMaglev, {"hash_balance_factor": 99}, "0, or a whole number from 100 to 1,000,000"),
        (EnvoyLeastRequest, {"choice_count": 1}, "greater than or equal to 2"),
        (EnvoyLeastRequest, {"active_request_bias": -1}, "greater than or equal to 0"),
        (EnvoyRoundRobin, {"start": -1}, "a whole number from 0 to 429,496,728, or random"),
    ],
)
def test_a_setting_out_of_range_is_refused(
    kind: type[Strategy], given: dict[str, object], allowed: str
) -> None:
    with pytest.raises(ValidationError, match=allowed):
        kind.model_validate(given)
