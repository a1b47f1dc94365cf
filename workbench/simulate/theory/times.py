"""What theory says of the times at one place where requests queue."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy.optimize import brentq

Tail = Callable[[float], float]
"""Gives the probability that a time is longer than so many seconds."""


@dataclass(frozen=True)
class Times:
    """Times of the requests that are served, in the long run, seconds."""

    wait_mean: float
    response_mean: float
    wait_tail: Tail | None = None
    """None where no formula gives more than the mean."""
    response_tail: Tail | None = None
    refused: float = 0.0
    """Share of the requests that find no room, 0 to 1."""
    busy: float = 0.0
    """Slots in service, on average."""

    def means(self) -> Times:
        """Give the means alone, where these hold but the distributions do not."""
        return Times(self.wait_mean, self.response_mean, refused=self.refused, busy=self.busy)

    def later(self, delay: float) -> Times:
        """Give the same times with so many seconds more between sending and the answer."""
        tail = self.response_tail
        return Times(
            self.wait_mean,
            self.response_mean + delay,
            self.wait_tail,
            None if tail is None else lambda t: 1.0 if t < delay else tail(t - delay),
            self.refused,
            self.busy,
        )


def mix(parts: Sequence[Times], *, shares: Sequence[float], counts: Sequence[int]) -> Times:
    """Put the times at several places together.

    Args:
        parts: the times at one place of each kind.
        shares: share of all requests that one place of each kind has, 0 to 1.
        counts: places of each kind, 1 or more.
    """
    rows = list(zip(parts, shares, counts, strict=True))
    served = [share * count * (1.0 - part.refused) for part, share, count in rows]
    total = math.fsum(served)
    weights = [one / total for one in served]

    def mean(values: Sequence[float]) -> float:
        return math.fsum(weight * value for weight, value in zip(weights, values, strict=True))

    def tail(tails: Sequence[Tail | None]) -> Tail | None:
        known = [one for one in tails if one is not None]
        if len(known) < len(tails):
            return None
        return lambda t: math.fsum(weight * one(t) for weight, one in zip(weights, known, strict=True))

    return Times(
        mean([part.wait_mean for part in parts]),
        mean([part.response_mean for part in parts]),
        tail([part.wait_tail for part in parts]),
        tail([part.response_tail for part in parts]),
        math.fsum(share * count * part.refused for part, share, count in rows),
        math.fsum(count * part.busy for part, _, count in rows),
    )


def quantile(tail: Tail, q: float, *, scale: float) -> float:
    """Find the time that a share q of the requests does not exceed, seconds.

    Args:
        tail: the probability of a longer time.
        q: 0 to 1, without the ends.
        scale: a time of about the right size, above 0, seconds.
    """
    if tail(0.0) <= 1.0 - q:
        return 0.0
    high = scale
    while tail(high) > 1.0 - q:
        high *= 2.0
    return float(brentq(lambda t: tail(t) - (1.0 - q), 0.0, high, xtol=1e-12 * high))
