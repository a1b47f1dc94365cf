"""Balancers that look at the queues: the cases that can be calculated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.simulate.theory.times import Times

Matrix = NDArray[np.float64]

_DIFFERENCES = 64
"""By how much two queues may differ under join the shortest queue; more has a chance below 1e-20."""


def jsq2(*, rate: float, service: float) -> Times:
    """Give the mean times of join the shortest queue over two servers with exponential service.

    The chain of the shorter queue and the difference is solved by levels of the shorter one.

    Args:
        rate: arrivals per second, at both together.
        service: mean service time, seconds; `rate * service` is below 2.
    """
    load, size = rate * service, _DIFFERENCES
    up, within, down = (np.zeros((size, size)) for _ in range(3))
    for d in range(size):
        if d == 0:
            within[0, 1], down[0, 1] = load, 2.0
            continue
        up[d, d - 1] = load
        within[d, d - 1] = 1.0
        down[d, min(d + 1, size - 1)] = 1.0
    first, ratio = _levels(up, within, down)
    upper = np.linalg.inv(np.eye(size) - ratio)
    shorter = float(first @ ratio @ upper @ upper @ np.ones(size))
    apart = float(first @ upper @ np.arange(size))
    return _by_little(2.0 * shorter + apart, rate=rate, service=service)


def mmpp_m1(*, rates: Sequence[float], dwell: Sequence[float], service: float) -> Times:
    """Give the mean times of MMPP/M/1: Poisson arrivals whose rate goes round a cycle of states.

    Neuts, Matrix-Geometric Solutions in Stochastic Models (1981), chapter 3.

    Args:
        rates: arrivals per second in each state.
        dwell: mean time that each state is held, seconds.
        service: mean service time, seconds; the queue is stable in the long run.
    """
    count = len(rates)
    switching = np.zeros((count, count))
    for state, held in enumerate(dwell):
        switching[state, (state + 1) % count] += service / held
    up, down = np.diag(np.array(rates) * service), np.eye(count)
    first, ratio = _levels(up, switching, down)
    upper = np.linalg.inv(np.eye(count) - ratio)
    present = float(first @ ratio @ upper @ upper @ np.ones(count))
    rate = float(np.dot(rates, dwell) / np.sum(dwell))
    return _by_little(present, rate=rate, service=service)


def supermarket(*, load: float, service: float, choices: int) -> Times:
    """Give the mean times of the power of d choices over infinitely many servers.

    Mitzenmacher, IEEE TPDS 12 (2001); Vvedenskaya, Dobrushin and Karpelevich (1996).

    Args:
        load: utilisation, 0 to 1.
        service: mean service time, exponential, seconds.
        choices: servers that are looked at, 2 or more.
    """
    response, exponent = 0.0, 0.0
    while (term := load**exponent) > 1e-17:
        response += term
        exponent = exponent * choices + choices
    response *= service
    return Times(response - service, response, busy=load)


def _by_little(present: float, *, rate: float, service: float) -> Times:
    response = present / rate
    return Times(response - service, response, busy=rate * service)


def _levels(up: Matrix, within: Matrix, down: Matrix) -> tuple[Matrix, Matrix]:
    """Solve a chain of levels 0, 1, ... that is left by one level at a time, alike at all but the first.

    Args:
        up: rates to the next level, by state and state.
        within: rates inside a level.
        down: rates to the level below; from the first there are none.

    Returns:
        The long-run shares of the states of level 0, and R, with which a level's shares are multiplied to
        give the next one's (Latouche and Ramaswami, Journal of Applied Probability 30, 1993).
    """
    ones = np.ones(len(up))
    leave = np.diag((up + within + down) @ ones) - within
    rise, fall = np.linalg.solve(leave, up), np.linalg.solve(leave, down)
    first_passage, through = fall.copy(), rise.copy()
    while np.max(np.abs(1.0 - first_passage @ ones)) > 1e-14 and np.max(through) > 1e-300:
        both = np.eye(len(up)) - rise @ fall - fall @ rise
        rise, fall = np.linalg.solve(both, rise @ rise), np.linalg.solve(both, fall @ fall)
        first_passage = first_passage + through @ fall
        through = through @ rise
    ratio = np.linalg.solve((leave - up @ first_passage).T, up.T).T
    bottom = within - np.diag((up + within) @ ones) + ratio @ down
    weights = np.linalg.inv(np.eye(len(up)) - ratio) @ ones
    # One balance equation follows from the others; that the shares add up to 1 takes its place.
    equations = np.column_stack((bottom[:, 1:], weights))
    first = np.linalg.solve(equations.T, np.concatenate((np.zeros(len(up) - 1), [1.0])))
    return np.asarray(first, np.float64), np.asarray(ratio, np.float64)
