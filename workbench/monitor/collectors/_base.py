"""What every collector has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import StringConstraints

from workbench.documents import Family, Member

COUNTERS = ("arrivals", "completions", "refused", "answers", "errors", "timed_out", "retried")
"""What a system may count since it started."""

MEANS = ("wait", "service", "response")
"""The times of which a system may tell the mean of late."""


@dataclass(frozen=True)
class Reading:
    """What a system says of one of its servers or queues at one moment; None where it says nothing.

    Args:
        server: its name within the system.
        pool: with which others it is compared.
        waiting: requests that wait.
        in_service: requests being served.
        slots: requests that it serves at once.
        queue_limit: requests that may wait.
        oldest_s: how long the oldest has been waiting, seconds.
        up: whether it is well.
        state: the system's own word for that.
        weight: how much of the traffic it should have.
        counters: what is counted since the system started, by names of `COUNTERS`.
        means_s: mean times of late, seconds, by names of `MEANS`.
        own: how many of the arrivals since the look before were looks.
    """

    server: str
    pool: str
    waiting: float | None = None
    in_service: float | None = None
    slots: float | None = None
    queue_limit: float | None = None
    oldest_s: float | None = None
    up: bool | None = None
    state: str = ""
    weight: float | None = None
    counters: Mapping[str, float] = field(default_factory=dict)
    means_s: Mapping[str, float] = field(default_factory=dict)
    own: int = 0


@dataclass(frozen=True)
class Look:
    """What a system said at one moment.

    Args:
        readings: of its servers or queues.
        process: what changes whenever the system starts anew; empty where it tells nothing of the kind.
    """

    readings: tuple[Reading, ...]
    process: str = ""


TargetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class Collector(Member):
    """A system that is watched."""

    name: TargetName
    """What it is called here; the names of its servers begin with it."""

    @abstractmethod
    def look(self, *, timeout: float) -> Look:
        """Ask the system.

        Args:
            timeout: longest wait for any step of it, seconds.

        Raises:
            TargetError: it does not answer, or not as it should.
        """

    def recorded(self) -> Iterator[tuple[float, Look]] | None:
        """Give looks that were recorded earlier, each with its time in seconds since 1970; None for none."""
        return None


COLLECTORS: Family[Collector] = Family("collector", Collector)  # type: ignore[type-abstract]
