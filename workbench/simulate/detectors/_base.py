"""What all passive health checks have in common: a balancer that learns from the requests it sends.

As with strategies, settings are a member of the family and what happens are plain functions over arrays.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from numpy.random import Generator

from workbench.documents import Family, Member
from workbench.simulate.checks import CheckState, HealthCheck
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.simulate.strategies._base import Floats, Ints

NOT_BY_TIME = math.inf
"""`until` of an ejection that does not end by itself."""


class DetectorState(NamedTuple):
    """What a balancer has learnt from answers; one entry a server where nothing else is said."""

    ejected: Ints
    """1 while the detector keeps the server out."""
    until: Floats
    """When an ejection ends by itself, seconds; infinite where it does not."""
    active: Ints
    """1 where the server may be sent traffic as far as others are concerned (checks, drain)."""
    now: Floats
    """One entry: the time, seconds."""
    ints: Ints
    """The detector's own memory; its first entries as its settings say."""
    floats: Floats


NOTHING, CHANGED, CHECK_SOON = 0, 1, 2
"""What an answer leads to: nothing; `ejected`, `until` or the checks' `up` may have changed; the same, and
the server's next check comes after the check's pause reckoned anew from now, unless it was due sooner."""

if TYPE_CHECKING:
    StaticAnswered = staticmethod[[DetectorState, CheckState, int, int, float, Generator], int]
    StaticPicked = staticmethod[[DetectorState, int], int]
    StaticReleased = staticmethod[[DetectorState, int], None]
    StaticTick = staticmethod[[DetectorState, Generator], None]
    StaticCheckEnded = staticmethod[[DetectorState, CheckState, int, int], int]
else:
    StaticAnswered = StaticPicked = StaticReleased = StaticTick = StaticCheckEnded = staticmethod


class Detector(Member):
    """How a balancer tells a bad server by its answers."""

    answered: ClassVar[StaticAnswered]
    """Called as `answered(state, checks, server, outcome, seconds, rng)` at the end of each attempt.

    `outcome` is an `Outcome`, `seconds` how long the attempt took. Returns NOTHING, CHANGED or CHECK_SOON.
    """
    picked: ClassVar[StaticPicked | None] = None
    """Called as `picked(state, server)` when a request is sent there. Returns NOTHING or CHANGED."""
    released: ClassVar[StaticReleased | None] = None
    """Called as `released(state, server)` when `until` has come; without it `ejected` becomes 0."""
    tick: ClassVar[StaticTick | None] = None
    """Called as `tick(state, rng)` every `tick_every` seconds; may change `ejected` and `until`."""
    check_ended: ClassVar[StaticCheckEnded | None] = None
    """Called as `check_ended(state, checks, server, result)` after an active check's own `checked`.

    `result` as there. Returns NOTHING or CHANGED.
    """
    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    """The product or paper that defines it."""

    @property
    def tick_every(self) -> float | None:
        """Seconds between ticks; None where there are none."""
        return None

    def check_with(self, check: HealthCheck | None) -> None:
        """Refuse active checks with which it cannot work.

        Raises:
            PydanticCustomError: there must be other checks, or some at all; the message says which.
        """

    def memory(self, servers: Servers) -> Memory:
        """Give the memory of a balancer that starts."""
        return Memory([], [])

    def fails_allowed(self, servers: Servers) -> list[int]:
        """Give what strategies see as `View.fails_allowed`."""
        return [0] * servers.count


DETECTORS: Family[Detector] = Family("detector", Detector)
