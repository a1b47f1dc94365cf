"""A server that serves one request at a time, first come, first served."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.optimize import brentq

from workbench.simulate.theory.times import Times

Transform = Callable[[float], float]
"""Gives E[exp(-s A)] of the time A between arrivals, for s of 0 or more, per second."""


def mg1(*, rate: float, service: float, cv2: float) -> Times:
    """Give the mean times of M/G/1 under first in, first out (Pollaczek and Khinchine).

    Args:
        rate: arrivals per second.
        service: mean service time, seconds; `rate * service` is below 1.
        cv2: squared coefficient of variation of the service times, finite.

    >>> mg1(rate=0.8, service=1.0, cv2=4.0).wait_mean
    10.000000000000002
    """
    rho = rate * service
    wait = rho * service * (1.0 + cv2) / (2.0 * (1.0 - rho))
    return Times(wait, wait + service, busy=rho)


def gim1(transform: Transform, *, rate: float, service: float) -> Times:
    """Give the times of GI/M/1 under first in, first out: independent gaps, exponential service.

    Gross et al. (2008), section 5.3.1. Plain round robin of Poisson arrivals to n servers is E_n/M/1 at each.

    Args:
        transform: that of the gaps.
        rate: arrivals per second.
        service: mean service time, seconds; `rate * service` is below 1.
    """

    def excess(root: float) -> float:
        return transform((1.0 - root) / service) - root

    high = 1.0 - 1e-4 * (1.0 - rate * service)
    while excess(high) > 0:  # near 1 the other root, which is 1 itself, must stay outside
        high = 1.0 - (1.0 - high) / 2.0
    root = float(brentq(excess, 0.0, high, xtol=1e-15))
    drain = (1.0 - root) / service
    return Times(
        root / drain,
        1.0 / drain,
        lambda t: root * math.exp(-drain * t),
        lambda t: math.exp(-drain * t),
        busy=rate * service,
    )
