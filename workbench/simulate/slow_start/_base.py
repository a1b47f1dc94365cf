"""What all slow starts have in common: a server that has come back gets its traffic little by little."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.documents import Family, Member
from workbench.simulate.strategies._base import Floats

if TYPE_CHECKING:
    StaticShare = staticmethod[[Floats, float], float]
else:
    StaticShare = staticmethod


class SlowStart(Member):
    """How the weight of a server grows after it has come back."""

    share: ClassVar[StaticShare]
    """Called as `share(numbers, since)`: its share `since` seconds after it came back, above 0, up to 1."""
    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    """The product or paper that defines it."""

    def numbers(self) -> list[float]:
        """Give what `share` needs to know of the settings."""
        return []

    @property
    def step(self) -> float:
        """Seconds between two looks at the share; 0 looks at every pick."""
        return 0.0

    @property
    def lasts(self) -> float:
        """Seconds until the share is 1."""
        raise NotImplementedError


SLOW_STARTS: Family[SlowStart] = Family("slow start", SlowStart)
