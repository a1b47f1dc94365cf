"""Envoy's slow start."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.quantities import PositiveDuration
from workbench.simulate.slow_start._base import SLOW_STARTS, SlowStart
from workbench.simulate.strategies._base import Floats

_WINDOW, _POWER, _LEAST = range(3)
_TINY = 1e-9
"""A weight must be above 0, whatever the settings."""


def share(numbers: Floats, since: float) -> float:
    """Raise the part of the window that has passed, in milliseconds, to a power."""
    window = int(1000.0 * numbers[_WINDOW] + 1e-6)
    passed = int(1000.0 * since + 1e-6)
    if passed >= window:
        return 1.0
    part = max(1, passed) / window
    if numbers[_POWER] != 1.0:
        part = part ** numbers[_POWER]
    return min(1.0, max(part, numbers[_LEAST], _TINY))


@SLOW_STARTS.register
class EnvoySlowStart(SlowStart):
    """The weight grows with time, by a curve, looked at whenever a host is picked or put back.

    A host enters it when it becomes healthy or is added, so also at the start. Envoy uses it with round
    robin and least request only, and takes its scheduler for them while a host is in the window.
    """

    summary: ClassVar[str] = "(time / window) to the power of 1 / aggression, at least min_weight_percent"
    source: ClassVar[str] = "Envoy (load_balancer_impl.cc, applySlowStartFactor)"
    kind: Literal["envoy.slow_start"] = "envoy.slow_start"
    share = staticmethod(share)
    slow_start_window: PositiveDuration
    """How long it takes, seconds."""
    aggression: float = Field(1.0, gt=0, le=1_000)
    """1 is a line; the more, the sooner. Above 0, to 1,000."""
    min_weight_percent: float = Field(10.0, ge=0, le=100)
    """Percent of the weight that a host has at least, 0 to 100."""

    def numbers(self) -> list[float]:
        """Give window, power and least share."""
        return [self.slow_start_window, 1.0 / self.aggression, self.min_weight_percent / 100.0]

    @property
    def lasts(self) -> float:
        """Seconds until the share is 1."""
        return self.slow_start_window
