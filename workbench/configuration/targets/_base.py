"""What all targets have in common: balancers that run, whose settings can be read and changed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from workbench.configuration.member_labels import read_label
from workbench.configuration.standing import Standing, Step
from workbench.documents import Family, Member


@dataclass(frozen=True)
class Observation:
    """How a balancer that runs is doing; counters since it began, None where it does not tell."""

    usable: int
    """Servers that take traffic now."""
    queued: int
    """Requests that wait at the balancer."""
    in_flight: int
    requests: int
    """Answered so far."""
    errors: int
    """Of these, answered with an error of the server or without any answer."""
    response_s: float | None = None
    """Mean response time of late, seconds."""


class Target(Member):
    """A balancer that runs.

    What extends it opens its connection anew in each call, so that a target is settings alone.
    """

    summary: ClassVar[str] = ""
    carries: ClassVar[frozenset[str]] = frozenset()
    """What it can change: `weight`, `state`, `limit` of servers, and names of settings."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Name the balancer: two targets of one address are the same balancer."""

    def within(self, lake: Path) -> Target:
        """Give the target as it is meant from a lake: itself, unless it stands in the lake."""
        return self

    @abstractmethod
    def current(self) -> Standing:
        """Read how the balancer stands.

        Raises:
            InputError: there is no such balancer at that address.
            TargetError: it does not answer, or says what cannot be understood.
        """

    @abstractmethod
    def apply(self, steps: Sequence[Step]) -> Standing:
        """Make the steps, in their order, and read back how the balancer stands then.

        Each step can be taken back by its `reversed`. A step that the balancer refuses is an error; those
        before it are made.

        Raises:
            TargetError: a step was refused, or the balancer does not answer.
        """

    @abstractmethod
    def observe(self) -> Observation:
        """Look at how it is doing.

        Raises:
            TargetError: it does not answer.
        """


TARGETS: Family[Target] = Family("target", Target)  # type: ignore[type-abstract]


def read_target(label: str) -> Target:
    """Make the target that a label stands for, such as `haproxy(socket=/run/ha.sock, backend=web)`.

    Raises:
        InputError: there is no such target, or a setting is missing or not allowed.
    """
    return read_label(TARGETS, label)
