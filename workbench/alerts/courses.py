"""What an expression gives over time: a table of series (rows) and times (columns)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.alerts.labels import Labels
from workbench.alerts.series import Bools, Floats, Source
from workbench.errors import InputError

LOOK_BACK = 300.0
"""Seconds for which the last sample of a series stands for it."""


@dataclass(frozen=True, eq=False)
class Course:
    """Values over time.

    Args:
        labels: of each row, no two alike.
        values: one row a series, one column a time; anything where there is none.
        present: where there is a value.
    """

    labels: tuple[Labels, ...]
    values: Floats
    present: Bools

    def aggregated(self, how: str, by: frozenset[str]) -> Course:
        """Bring the rows that agree in some labels together into one row each."""
        groups: dict[Labels, list[int]] = {}
        for row, labels in enumerate(self.labels):
            groups.setdefault(labels.only(by), []).append(row)
        values = np.empty((len(groups), self.values.shape[1]))
        present = np.zeros(values.shape, dtype=np.bool_)
        for place, rows in enumerate(groups.values()):
            inside = self.present[rows]
            present[place] = inside.any(axis=0)
            with np.errstate(all="ignore"):
                values[place] = AGGREGATES[how](self.values[rows], inside)
        return Course(tuple(groups), values, present)

    def divided_by(self, other: Course) -> Course:
        """Divide by the row of the same labels; rows without one fall away."""
        places = {labels: row for row, labels in enumerate(other.labels)}
        kept = [row for row, labels in enumerate(self.labels) if labels in places]
        names = tuple(self.labels[row] for row in kept)
        below = [places[labels] for labels in names]
        with np.errstate(divide="ignore", invalid="ignore"):
            values = self.values[kept] / other.values[below]
        return Course(names, values, self.present[kept] & other.present[below])


def _sum(values: Floats, present: Bools) -> Floats:
    total: Floats = np.where(present, values, 0.0).sum(axis=0)
    return total


def _count(values: Floats, present: Bools) -> Floats:
    return np.asarray(present.sum(axis=0), dtype=np.float64)


def _avg(values: Floats, present: Bools) -> Floats:
    # Series by series, as Prometheus does, so that the last digits are the same.
    mean, count = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for row, inside in zip(values, present, strict=True):
        count += inside
        number = np.maximum(count, 1.0)
        mean = np.where(inside, mean + (row / number - mean / number), mean)
    return mean


def _min(values: Floats, present: Bools) -> Floats:
    return np.asarray(np.fmin.reduce(np.where(present, values, np.nan), axis=0), dtype=np.float64)


def _max(values: Floats, present: Bools) -> Floats:
    return np.asarray(np.fmax.reduce(np.where(present, values, np.nan), axis=0), dtype=np.float64)


AGGREGATES: dict[str, Callable[[Floats, Bools], Floats]] = {
    "avg": _avg,
    "count": _count,
    "max": _max,
    "min": _min,
    "sum": _sum,
}
"""How rows are brought together, by the names that PromQL gives them."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What conditions are evaluated over: a source, and the times of one or many evaluations.

    What several rules ask for is computed once.

    Args:
        source: where the data come from.
        times: of the evaluations, seconds, increasing.
        look_back: seconds for which the last sample of a series stands for it.
        left_open: whether a window leaves out a sample at its very beginning, as Prometheus 3 does.
    """

    source: Source
    times: Floats
    look_back: float = LOOK_BACK
    left_open: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", {})

    def once(self, key: Any, compute: Callable[[], Course]) -> Course:
        """Compute what a key stands for, the first time that it is asked for."""
        known: dict[Any, Course] = self.__dict__["_known"]
        if key not in known:
            known[key] = compute()
        return known[key]


def distinct(course: Course, what: str) -> Course:
    """Check that no two rows have the same labels.

    Raises:
        InputError: two have.
    """
    if len(set(course.labels)) != len(course.labels):
        twice = next(one for one in course.labels if course.labels.count(one) > 1)
        raise InputError(f"{what}: given two results for {twice}; allowed: one for each set of labels")
    return course
