"""The slow start of NGINX Plus, as far as it is documented."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.quantities import PositiveDuration
from workbench.simulate.slow_start._base import SLOW_STARTS, SlowStart
from workbench.simulate.strategies._base import Floats

_LEAST = 0.01
"""A weight must be above 0; the documents do not say how small the first one is."""


def share(numbers: Floats, since: float) -> float:
    """Grow in a line."""
    return min(1.0, max(since / numbers[0], _LEAST))


@SLOW_STARTS.register
class NginxPlusSlowStart(SlowStart):
    """The weight recovers from zero to its nominal value over `slow_start`.

    So much is documented: that it is for a server that becomes healthy, or available after it was
    unavailable for a time, and that it cannot be used with hash, ip_hash and random. That it grows in a line,
    and from a hundredth since a weight of 0 would take no traffic, is how it is read here.
    """

    summary: ClassVar[str] = "a line from 0 to the full weight"
    source: ClassVar[str] = "NGINX Plus (documentation of ngx_http_upstream_module)"
    kind: Literal["nginx_plus.slow_start"] = "nginx_plus.slow_start"
    share = staticmethod(share)
    slow_start: PositiveDuration
    """How long it takes, seconds."""

    def numbers(self) -> list[float]:
        """Give the time that it takes."""
        return [self.slow_start]

    @property
    def lasts(self) -> float:
        """Seconds until the share is 1."""
        return self.slow_start
