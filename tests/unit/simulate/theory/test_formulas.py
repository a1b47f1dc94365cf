"""The formulas, against known values, numerical integration and chains that are solved by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from workbench.simulate.theory.central_queue import closed, erlang_c, mgc_sharing, mmc, mmck
from workbench.simulate.theory.dispatching import jsq2, mmpp_m1, supermarket
from workbench.simulate.theory.one_server import gim1, mg1
from workbench.simulate.theory.times import mix, quantile


def stationary(generator: np.ndarray) -> np.ndarray:
    """Solve pi Q = 0 with the shares adding up to 1."""
    equations = np.vstack((generator.T, np.ones(len(generator))))
    right = np.zeros(len(generator) + 1)
    right[-1] = 1.0
    return np.linalg.lstsq(equations, right, rcond=None)[0]


def chain(rates: dict[tuple[int, int], float], size: int) -> np.ndarray:
    generator = np.zeros((size, size))
    for (one, other), rate in rates.items():
        generator[one, other] += rate
    return generator - np.diag(generator.sum(axis=1))


@pytest.mark.parametrize("slots", [1, 3, 8, 400])
def test_the_mean_response_time_is_the_area_under_its_tail(slots: int):
    times = mmc(rate=0.85 * slots, service=1.0, slots=slots)
    slowest = 1.0 / min(1.0, 0.15 * slots)  # seconds in which what is left of a tail falls to 1 / e
    area, _ = integrate.quad(times.response_tail, 0, 40 * slowest, limit=400, epsabs=1e-13, epsrel=1e-12)
    waited, _ = integrate.quad(times.wait_tail, 0, 40 / (0.15 * slots), limit=400, epsabs=1e-13, epsrel=1e-12)
    assert area == pytest.approx(times.response_mean, rel=1e-7)
    assert waited == pytest.approx(times.wait_mean, rel=1e-7)


def test_response_tail_is_continuous_where_its_formula_divides_by_nothing():
    near, at = (mmc(rate=1.0 + step, service=1.0, slots=2) for step in (1e-6, 0.0))
    assert near.response_tail(2.0) == pytest.approx(at.response_tail(2.0), rel=1e-5)


@given(load=st.floats(0.01, 0.99), slots=st.integers(1, 50))
def test_more_slots_at_the_same_load_wait_less(load: float, slots: int):
    assert erlang_c(slots + 1, load * (slots + 1)) < erlang_c(slots, load * slots) <= 1.0


@pytest.mark.parametrize(("slots", "room"), [(2, 1), (1, 0), (3, 5)])
def test_losses_are_those_of_the_chain(slots: int, room: int):
    rate, service, size = 3.0, 0.6, slots + room + 1
    rates = {(n, n + 1): rate for n in range(size - 1)}
    rates |= {(n, n - 1): min(n, slots) / service for n in range(1, size)}
    shares = stationary(chain(rates, size))
    times = mmck(rate=rate, service=service, slots=slots, room=room)
    assert times.refused == pytest.approx(shares[-1])
    present = float(shares @ np.arange(size))
    assert times.response_mean == pytest.approx(present / (rate * (1 - shares[-1])))


def test_a_long_room_is_as_no_bound_and_thousands_of_states_do_not_overflow():
    bounded = mmck(rate=0.8, service=1.0, slots=1, room=5000)
    assert bounded.refused == 0.0
    assert bounded.wait_mean == pytest.approx(4.0)


def test_one_user_never_waits_and_many_saturate_the_server():
    assert closed(users=1, think=10.0, service=1.0, slots=1).wait_mean == pytest.approx(0.0)
    crowded = closed(users=3000, think=10.0, service=1.0, slots=1)
    assert crowded.busy == pytest.approx(1.0)
    assert crowded.response_mean == pytest.approx(2990.0)
    assert closed(users=4, think=0.0, service=1.0, slots=1).response_mean == 4.0


def test_memoryless_arrivals_and_service_make_every_formula_that_of_mm1():
    known = mmc(rate=0.8, service=1.0, slots=1)
    for times in (
        mg1(rate=0.8, service=1.0, cv2=1.0),
        mgc_sharing(rate=0.8, service=1.0, slots=1),
        gim1(lambda s: 0.8 / (0.8 + s), rate=0.8, service=1.0),
        mmpp_m1(rates=[0.8, 0.8], dwell=[3.0, 7.0], service=1.0),
    ):
        assert times.response_mean == pytest.approx(known.response_mean, rel=1e-9)


def test_evenly_paced_arrivals_solve_their_equation():
    # D/M/1 at load .8: sigma = exp(-(1 - sigma) / .8), solved by fixed-point iteration.
    sigma = 0.5
    for _ in range(2000):
        sigma = math.exp(-(1 - sigma) / 0.8)
    times = gim1(lambda s: math.exp(-s / 0.8), rate=0.8, service=1.0)
    assert times.response_mean == pytest.approx(1 / (1 - sigma), rel=1e-9)


@pytest.mark.parametrize("load", [0.999, 0.99999])
def test_heavy_loads_approach_their_limits(load: float):
    # Kingman: the wait of GI/M/1 is about (ca2 + 1) / 2 that of the exponential with the same load.
    steady = gim1(lambda s: math.exp(-s / load), rate=load, service=1.0)
    assert steady.wait_mean * (1 - load) == pytest.approx(0.5, rel=0.01)
    # Foschini and Salz: two queues, the shorter joined, are one queue of two servers.
    pooled = mmc(rate=2 * load, service=1.0, slots=2)
    assert jsq2(rate=2 * load, service=1.0).wait_mean == pytest.approx(pooled.wait_mean, rel=0.01)


def test_the_shorter_of_two_queues_is_that_of_the_truncated_chain():
    size, load = 25, 1.2
    rates: dict[tuple[int, int], float] = {}
    for i in range(size):
        for j in range(size):
            here = i * size + j
            for (left, right), rate in {
                (i + 1, j): load * (0.5 if i == j else float(i < j)),
                (i, j + 1): load * (0.5 if i == j else float(j < i)),
                (i - 1, j): 1.0,
                (i, j - 1): 1.0,
            }.items():
                if 0 <= left < size and 0 <= right < size:
                    rates[here, left * size + right] = rate
    shares = stationary(chain(rates, size * size))
    present = float(shares @ np.add.outer(np.arange(size), np.arange(size)).ravel())
    assert jsq2(rate=load, service=1.0).response_mean == pytest.approx(present / load, rel=1e-9)


def test_more_choices_are_better_and_one_is_chance():
    means = [supermarket(load=0.9, service=1.0, choices=d).response_mean for d in (2, 3, 4)]
    assert means == sorted(means, reverse=True)
    assert means[0] < mmc(rate=0.9, service=1.0, slots=1).response_mean


def test_a_mixture_lies_between_its_parts_and_weighs_them_by_their_requests():
    slow, fast = (mmc(rate=0.5, service=one, slots=1) for one in (1.0, 0.5))
    whole = mix([slow, fast], shares=[0.1, 0.2], counts=[2, 4])
    assert whole.response_mean == pytest.approx(0.2 * slow.response_mean + 0.8 * fast.response_mean)
    assert whole.busy == pytest.approx(2 * slow.busy + 4 * fast.busy)
    ends = [quantile(one.response_tail, 0.99, scale=1.0) for one in (fast, whole, slow)]
    assert ends == sorted(ends)


def test_a_delay_moves_every_response_time_and_no_wait():
    plain = mmc(rate=0.5, service=1.0, slots=1)
    later = plain.later(3.0)
    assert quantile(later.response_tail, 0.9, scale=1.0) == pytest.approx(
        3.0 + quantile(plain.response_tail, 0.9, scale=1.0)
    )
    assert later.wait_mean == plain.wait_mean


def test_a_quantile_below_the_share_that_does_not_wait_is_zero():
    times = mmc(rate=0.5, service=1.0, slots=1)
    assert quantile(times.wait_tail, 0.4, scale=1.0) == 0.0
    assert quantile(times.wait_tail, 0.75, scale=1.0) == pytest.approx(math.log(2) / 0.5)
