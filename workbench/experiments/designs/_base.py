"""What every design has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workbench.documents import Family, Member


@dataclass(frozen=True)
class Option:
    """One value that a parameter may take.

    Args:
        label: how it is shown, such as `80 %`.
        settings: the scenario's paths with what stands there.
        number: the value as a number, in seconds or per second; None where it is no number.
    """

    label: str
    settings: tuple[tuple[str, Any], ...]
    number: float | None = None


class Axis(Protocol):
    """One parameter of a space, as designs see it."""

    def levels(self) -> list[Option]:
        """Give the values that a grid tries, in order."""

    def at(self, share: float) -> Option:
        """Give the value at a share of the way, from 0 up to but not 1."""


class Design(Member):
    """Which points of a space are tried."""

    @abstractmethod
    def choose(self, axes: Sequence[Axis], *, seed: int) -> Iterator[tuple[Option, ...]]:
        """Give the points, each one option an axis.

        Args:
            axes: the parameters, at least one.
            seed: of what a design draws; the sweep's scenario has it.
        """


DESIGNS: Family[Design] = Family("design", Design)  # type: ignore[type-abstract]
