"""The points of a sweep: every combination of settings that its design chooses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from workbench.errors import InputError
from workbench.experiments.designs import Axis, Option
from workbench.experiments.designs.grid import Grid
from workbench.experiments.sweeps.document import Sweep
from workbench.experiments.sweeps.parameters import Parameter
from workbench.experiments.sweeps.settings import Setting, with_settings
from workbench.simulate import ReferenceEngine, Scenario

MOST_CELLS = 10_000_000


@dataclass(frozen=True)
class Point:
    """One combination of settings.

    Args:
        options: the parameters that count here, by name, each with its value.
        decision: what was chosen, in words.
        place: the circumstances, in words; empty where there are none.
    """

    options: tuple[tuple[str, Option], ...]
    decision: str
    place: str

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What is set in the scenario."""
        return tuple(setting for _, option in self.options for setting in option.settings)

    @property
    def label(self) -> str:
        """The whole combination in words."""
        return ", ".join(f"{name} {option.label}" for name, option in self.options)


@dataclass(frozen=True)
class SweepCell:
    """One simulation of a sweep.

    Args:
        point: its point's number.
        settings: what is set in the sweep's scenario.
        replication: its number, from 0.
        key: hash of all that its result depends on.
    """

    point: int
    settings: tuple[Setting, ...]
    replication: int
    key: str


@dataclass(frozen=True)
class _Named:
    name: str
    parameter: Parameter

    def levels(self) -> list[Option]:
        return self.parameter.levels(self.name)

    def at(self, share: float) -> Option:
        return self.parameter.at(self.name, share)


def points(sweep: Sweep) -> list[Point]:
    """List the points of a sweep, circumstance by circumstance.

    Raises:
        InputError: there are more than ten million cells.
    """
    ours = sweep.decisions()
    theirs = [name for name in sweep.parameters if name not in ours]
    found: dict[tuple[tuple[str, str], ...], Point] = {}
    for number, chosen in enumerate(_combinations(sweep, theirs, ours)):
        options = _counting(sweep, chosen)
        point = Point(options, _words(options, ours), _words(options, theirs))
        found.setdefault(tuple((name, option.label) for name, option in options), point)
        if (number + 1) * sweep.replications > MOST_CELLS:
            raise InputError(f"{sweep.name}: given more cells; allowed: at most {MOST_CELLS:,}")
    return list(found.values())


def resolve(sweep: Sweep, point: Point) -> Scenario:
    """Give the scenario of a point.

    Raises:
        InputError: its settings do not go together.
    """
    return with_settings(sweep.scenario, point.settings, name=f"{sweep.name} at {point.label}")


def cells(point: int, settings: tuple[Setting, ...], scenario: Scenario, count: int) -> list[SweepCell]:
    """List the cells of a point, one a replication.

    Raises:
        TraceError: the trace cannot be used.
    """
    key = partial(scenario.key, engine=ReferenceEngine.name)
    return [SweepCell(point, settings, number, key(replication=number)) for number in range(count)]


def _combinations(
    sweep: Sweep, theirs: Sequence[str], ours: Sequence[str]
) -> Iterator[tuple[tuple[str, Option], ...]]:
    def axes(names: Sequence[str]) -> list[Axis]:
        return [_Named(name, sweep.parameters[name]) for name in names]

    seed, grid = sweep.scenario.seed, Grid()
    outer, inner = (theirs, ours) if theirs else (ours, [])
    for place in sweep.design.choose(axes(outer), seed=seed):
        for decision in grid.choose(axes(inner), seed=seed):
            yield tuple(zip((*outer, *inner), (*place, *decision), strict=True))


def _counting(sweep: Sweep, chosen: tuple[tuple[str, Option], ...]) -> tuple[tuple[str, Option], ...]:
    labels: dict[str, Any] = {name: option.label for name, option in chosen}
    names = set(labels)
    changed = True
    while changed:  # a parameter may hang on one that itself is left out
        left = {
            name
            for name in names
            if all(
                other in names and labels[other] in allowed
                for other, allowed in sweep.allowed_at(name).items()
            )
        }
        changed, names = left != names, left
    return tuple((name, option) for name, option in chosen if name in names)


def _words(options: Sequence[tuple[str, Option]], names: Sequence[str]) -> str:
    """Write options on a line; the strategy, or what alone is there, goes without its name."""
    told = [(name, option.label) for name, option in options if name in names]
    if len(names) == 1:
        return "".join(label for _, label in told)
    plain = [label for name, label in told if name.endswith("strategy")]
    named = [f"{name.rpartition('.')[2]} {label}" for name, label in told if not name.endswith("strategy")]
    return ", ".join([*plain, *named])
