"""gRPC's weighted round robin strides as in its own tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parity.driver import Driver, letters, pool, same_compiled, sequences, trial
from workbench.simulate.strategies.grpc import GrpcWeightedRoundRobin
from workbench.simulate.strategies.grpc.weighted_round_robin import single

SEEN = sequences("envoy_grpc")["grpc_static_stride"]


def known_and_unknown(weights: list[int]) -> Driver:
    """Make a driver in which a weight of 0 is one that is not known yet."""
    return Driver(GrpcWeightedRoundRobin(), pool(weights))


def run(driver: Driver, count: int) -> list[int]:
    """Pick without counting what is in flight."""
    return [driver.pick_(driver.view, driver.rng) for _ in range(count)]


@pytest.mark.parametrize("seen", SEEN)
def test_it_strides_as_grpc(seen: dict[str, Any]) -> None:
    driver = known_and_unknown(seen["weights"])
    assert letters(run(driver, len(seen["picks"]))) == seen["picks"]
    assert driver.view.ints[2 : 2 + len(seen["weights"])] == seen["scaled"]


@pytest.mark.parametrize("weights", [[0, 0, 0], [7]])
def test_without_two_servers_or_any_weight_it_takes_turns(weights: list[int]) -> None:
    assert run(known_and_unknown(weights), 6) == [turn % len(weights) for turn in range(6)]


def test_weights_keep_within_bounds_of_the_mean() -> None:
    driver = known_and_unknown([1] * 30 + [60_000])
    run(driver, 1)
    mean = (30 + 60_000) / 31
    assert driver.view.ints[2 + 30] == 65_535
    assert driver.view.ints[2] == round(round(65_535 / 10) / 100)
    assert 10 * mean < 60_000


@given(st.floats(1e-3, 1e6))
def test_numbers_are_rounded_to_single_precision(number: float) -> None:
    assert single(number) == float(np.float32(number))


@given(st.lists(st.integers(1, 8), min_size=2, max_size=8), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_shares_follow_the_weights(weights: list[int], start: int) -> None:
    driver = Driver(GrpcWeightedRoundRobin(start=start), pool(weights))
    shares = np.bincount(driver.run(2000), minlength=len(weights)) / 2000
    assert np.abs(shares - np.array(weights) / sum(weights)).max() < 0.02


@given(st.lists(st.booleans(), min_size=1, max_size=7))
@settings(max_examples=20)
def test_a_server_that_is_not_usable_is_never_picked(down: list[bool]) -> None:
    driver = Driver(GrpcWeightedRoundRobin(), pool([1 + place % 3 for place in range(len(down))]))
    for server, off in enumerate(down):
        driver.set_down(server, off)
    picks = set(driver.run(30))
    assert picks == {-1} if all(down) else not any(pick < 0 or down[pick] for pick in picks)


@pytest.mark.parametrize("start", [0, 2**32 - 50, "random"])
def test_a_pick_is_the_same_compiled(start: int | str) -> None:
    strategy = GrpcWeightedRoundRobin.model_validate({"start": start})
    same_compiled(strategy, pool([5, 1, 1, 2, 2]), trial(300, keys=1, seed=4))


def test_a_full_server_is_skipped_and_the_weights_of_the_others_stay() -> None:
    driver = Driver(GrpcWeightedRoundRobin(), pool([4, 2, 1]))
    driver.run(3)
    scaled = list(driver.view.ints[2:])
    driver.view.usable[0] = 0
    assert set(run(driver, 30)) == {1, 2}
    assert driver.view.ints[2:] == scaled
    driver.set_down(0, True)
    run(driver, 3)
    assert driver.view.ints[2:] != scaled


def test_weights_that_change_while_no_server_has_room_count_all_the_same() -> None:
    driver = Driver(GrpcWeightedRoundRobin(), pool([1, 1]))
    driver.run(2)
    driver.view.usable[:] = [0, 0]
    driver.view.weight[0] = 3
    assert run(driver, 1) == [-1]
    driver.view.usable[:] = [1, 1]
    assert run(driver, 400).count(0) == 300
