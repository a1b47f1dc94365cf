"""HAProxy's slowstart."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import field_validator
from pydantic_core import PydanticCustomError

from workbench.quantities import PositiveDuration
from workbench.simulate.slow_start._base import SLOW_STARTS, SlowStart
from workbench.simulate.strategies._base import Floats

_MOST = 86_400 * 365


def share(numbers: Floats, since: float) -> float:
    """Reckon in whole seconds and in sixteenths, beginning with one of them."""
    whole = int(numbers[0])
    # What is due at a full second is due then, though the last digit of a sum may be missing.
    passed = int(since + 1e-9)
    if passed >= whole:
        return 1.0
    return (16 * passed + whole) // whole / 16.0


@SLOW_STARTS.register
class HaproxySlowstart(SlowStart):
    """The weight grows by sixteenths, once a second, over `slowstart`.

    It is for servers that come back from being down or in maintenance, not for those of a fresh start.
    HAProxy would look only every `slowstart` / 20 milliseconds where that is longer than a second, and
    scales a server's `maxconn` along. Only strategies whose weights can change follow it: static-rr and
    hashes by a map do not.
    """

    summary: ClassVar[str] = "sixteenths of the weight, once a second, linear"
    source: ClassVar[str] = "HAProxy 2.6 (server_recalc_eweight, server_warmup)"
    kind: Literal["haproxy.slowstart"] = "haproxy.slowstart"
    share = staticmethod(share)
    slowstart: PositiveDuration
    """How long it takes, whole seconds; HAProxy rounds up to them. At most a year."""

    @field_validator("slowstart")
    @classmethod
    def _check_whole(cls, seconds: float) -> float:
        if seconds != int(seconds) or seconds > _MOST:
            raise PydanticCustomError("slowstart", "whole seconds, 1s to 365d")
        return seconds

    def numbers(self) -> list[float]:
        """Give the whole seconds."""
        return [self.slowstart]

    @property
    def step(self) -> float:
        """Seconds between two looks at the share."""
        return max(1.0, self.slowstart // 20 / 1000)

    @property
    def lasts(self) -> float:
        """Seconds until the share is 1."""
        return self.slowstart
