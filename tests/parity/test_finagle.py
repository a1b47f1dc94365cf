"""Finagle's strategies follow the rules of its sources."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import chisquare

from tests.parity.driver import Driver, pool, same_compiled, trial
from workbench.simulate.strategies import Strategy
from workbench.simulate.strategies.finagle import FinagleAperture, FinagleP2cLeastLoaded, FinagleP2cPeakEwma
from workbench.simulate.strategies.finagle.aperture import overlap
from workbench.simulate.strategies.finagle.p2c_peak_ewma import load

LEVEL = 0.001
MEMBERS: list[Strategy] = [
    FinagleP2cLeastLoaded(),
    FinagleP2cPeakEwma(),
    FinagleAperture(),
    FinagleAperture(total_instances=3, min_deterministic_aperture=2),
]


def chances(driver: Driver, count: int) -> np.ndarray:
    """Count picks that leave the view as it is."""
    picks = [driver.pick_(driver.view, driver.rng) for _ in range(count)]
    return np.bincount(picks, minlength=len(driver.view.usable))


def test_two_choices_are_different_servers() -> None:
    driver = Driver(FinagleP2cLeastLoaded(), pool([1, 1, 1]))
    driver.view.in_flight[:] = [0, 1, 2]
    seen = chances(driver, 6000)
    assert seen[2] == 0
    assert chisquare(seen[:2], [4000, 2000]).pvalue > LEVEL


def test_equal_servers_are_equally_likely() -> None:
    assert chisquare(chances(Driver(FinagleP2cLeastLoaded(), pool([1, 5, 1, 1])), 6000)).pvalue > LEVEL


def test_a_peak_is_taken_at_once_and_forgotten_over_the_decay_time() -> None:
    driver = Driver(FinagleP2cPeakEwma(decay_time=10), pool([1, 1]))
    for now, seconds in ((1.0, 0.2), (1.0, 0.5), (3.0, 0.1)):
        driver.view.in_flight[0] += 1
        driver.end(0, now=now, seconds=seconds)
    kept = math.exp(-0.2)
    cost = 0.5e9 * kept + 0.1e9 * (1 - kept)
    driver.view.now[0] = 13.0
    driver.view.in_flight[0] = 2
    assert load(driver.view, 0) == pytest.approx(3 * cost * math.exp(-1), rel=1e-12)


def test_a_server_with_requests_but_no_answer_costs_most() -> None:
    driver = Driver(FinagleP2cPeakEwma(), pool([1, 1]))
    driver.view.in_flight[0] = 1
    driver.end(0, seconds=1000.0)
    driver.view.in_flight[1] = 1
    assert load(driver.view, 1) == 2**47
    assert list(chances(driver, 50)) == [50, 0]


def test_the_slower_of_two_servers_is_left_alone() -> None:
    driver = Driver(FinagleP2cPeakEwma(), pool([1, 1]))
    for server, seconds in ((0, 0.3), (1, 0.1)):
        driver.view.in_flight[server] = 1
        driver.end(server, seconds=seconds)
    assert list(chances(driver, 50)) == [0, 50]
    driver.view.in_flight[1] = 5
    assert list(chances(driver, 50)) == [50, 0]


@given(st.integers(1, 12), st.integers(1, 40), st.integers(2, 12))
@settings(max_examples=40)
def test_the_clients_apertures_cover_all_servers_alike(instances: int, servers: int, least: int) -> None:
    covered = np.zeros(servers)
    for instance in range(instances):
        strategy = FinagleAperture(
            total_instances=instances, instance_id=instance, min_deterministic_aperture=least
        )
        view = Driver(strategy, pool([1] * servers)).view
        assume(view.floats[1] <= 1 - 1 / servers)  # beyond, Finagle counts one end of a server at both ends
        share = np.array([overlap(view, place) for place in range(servers)])
        assert share.sum() == pytest.approx(view.floats[1])
        assert view.floats[1] >= min(least, servers) / servers - 1e-9
        covered += share
    assert np.ptp(covered) < 1e-9


def test_a_server_at_the_edge_has_its_part() -> None:
    strategy = FinagleAperture(total_instances=3, instance_id=2, min_deterministic_aperture=2)
    driver = Driver(strategy, pool([1] * 10), seed=3)
    seen = chances(driver, 6000)
    assert not seen[:6].any()
    assert chisquare(seen[6:], 6000 * np.array([0.1, 0.3, 0.3, 0.3])).pvalue > LEVEL


def test_in_flight_counts_for_the_part_within() -> None:
    strategy = FinagleAperture(total_instances=3, instance_id=0, min_deterministic_aperture=2)
    driver = Driver(strategy, pool([1] * 10), seed=3)
    driver.view.in_flight[:4] = [2, 2, 2, 1]  # a third of the last is within: 1 weighs as 3
    seen = chances(driver, 1000)
    assert seen[3] == 0
    assert seen[:3].all()


def test_no_server_outside_the_aperture_takes_its_requests() -> None:
    strategy = FinagleAperture(total_instances=5, instance_id=0, min_deterministic_aperture=2)
    driver = Driver(strategy, pool([1] * 10))
    driver.set_down(0, True)
    assert set(driver.run(50)) == {1}
    driver.set_down(1, True)
    assert set(driver.run(50)) == {-1}


def test_each_balancer_draws_its_own_aperture() -> None:
    strategy = FinagleAperture(total_instances=20, min_deterministic_aperture=2)
    picks = {Driver(strategy, pool([1] * 40), seed=seed).pick() for seed in range(10)}
    assert len(picks) > 5


def test_an_instance_beyond_their_number_is_refused() -> None:
    with pytest.raises(ValidationError, match="an instance_id below total_instances"):
        FinagleAperture(total_instances=3, instance_id=3)


@pytest.mark.parametrize("strategy", MEMBERS[:3], ids=lambda each: each.label)
@given(down=st.lists(st.booleans(), min_size=1, max_size=7), active=st.integers(0, 3))
@settings(max_examples=15)
def test_a_server_that_is_not_usable_is_never_picked(
    strategy: Strategy, down: list[bool], active: int
) -> None:
    driver = Driver(strategy, pool([1] * len(down)))
    for server, off in enumerate(down):
        driver.set_down(server, off)
        driver.view.in_flight[server] = active * server
    picks = set(driver.run(20))
    assert picks == {-1} if all(down) else not any(pick < 0 or down[pick] for pick in picks)


@pytest.mark.parametrize("strategy", MEMBERS, ids=lambda each: each.label)
def test_a_pick_is_the_same_compiled(strategy: Strategy) -> None:
    same_compiled(strategy, pool([1, 1, 1, 2, 2]), trial(300, keys=1, seed=4))
