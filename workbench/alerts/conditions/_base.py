"""What every condition has in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np

from workbench.alerts.courses import Course, Scene
from workbench.alerts.series import Bools
from workbench.alerts.signals import Signal
from workbench.documents import Family, Member
from workbench.errors import InputError


class Verdicts(NamedTuple):
    """What a condition says of each series (row) at each time (column)."""

    course: Course
    """The values that the alerts carry."""
    trips: Bools
    """Where the condition holds."""
    holds: Bools
    """Where it holds for an alert that fires already: the same, but for hysteresis."""
    any_data: Bools
    """For each time, whether there were any data to judge."""


class NotExportableError(InputError):
    """What Prometheus cannot express."""


class Condition(Member):
    """When an alert is due."""

    judges_absence: ClassVar[bool] = False
    """Whether missing data are what it is about."""

    @abstractmethod
    def over_time(self, scene: Scene) -> Verdicts:
        """Judge at each time of a scene.

        Raises:
            WorkbenchError: the data cannot be read, or two results have the same labels.
        """

    @abstractmethod
    def promql(self, firing: str) -> str:
        """Write the condition in PromQL.

        Args:
            firing: an expression of the rule's own alerts that fire, with `and` before it; for hysteresis.

        Raises:
            NotExportableError: PromQL cannot say it.
        """

    def signals(self) -> list[Signal]:
        """List the signals that it is about."""
        return []

    def longest_window(self) -> float:
        """The time before an evaluation that it looks at, seconds."""
        return max((one.longest for signal in self.signals() for one in signal.metrics()), default=0.0)


CONDITIONS: Family[Condition] = Family("condition", Condition)  # type: ignore[type-abstract]


def judged(course: Course, trips: Bools, holds: Bools | None = None) -> Verdicts:
    """Give verdicts where there is data; `holds` is `trips` where it is not given."""
    inside = trips & course.present
    kept = inside if holds is None else holds & course.present
    return Verdicts(course, inside, kept, np.any(course.present, axis=0))
