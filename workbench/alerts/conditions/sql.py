"""An SQL query over the store."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from workbench.alerts.conditions._base import CONDITIONS, Condition, NotExportableError, Verdicts, judged
from workbench.alerts.courses import Course, Scene, distinct
from workbench.alerts.labels import Labels


@CONDITIONS.register
class Sql(Condition):
    """A query's rows: each is an alert, labelled by its text columns.

    The query may use the parameter `$at`, the time of the evaluation in seconds. Its column `value`
    holds the number. Without `above` and `below` every row is an alert.
    """

    summary: ClassVar[str] = "sql: a query over the store gives rows"
    kind: Literal["sql"] = "sql"
    query: str = Field(min_length=1)
    """A SELECT statement."""
    above: float | None = Field(None, allow_inf_nan=False)
    """Only rows whose value is more than this."""
    below: float | None = Field(None, allow_inf_nan=False)
    """Only rows whose value is less than this."""

    @property
    def is_empty(self) -> bool:
        """Whether no value is above `above` and below `below`."""
        return self.above is not None and self.below is not None and self.above >= self.below

    def over_time(self, scene: Scene) -> Verdicts:
        """Judge at each time of a scene."""
        rows: dict[Labels, list[tuple[int, float]]] = {}
        for column, at in enumerate(scene.times):
            found = scene.source.query(self.query, at=float(at))
            labels = tuple(one for one, _ in found)
            distinct(Course(labels, np.empty(0), np.empty(0, np.bool_)), "sql")
            for one, value in found:
                rows.setdefault(one, []).append((column, value))
        values = np.full((len(rows), len(scene.times)), math.nan)
        present = np.zeros(values.shape, dtype=np.bool_)
        for row, cells in enumerate(rows.values()):
            for column, value in cells:
                values[row, column], present[row, column] = value, True
        with np.errstate(invalid="ignore"):
            trips = (values > self.above) if self.above is not None else present
            trips = trips & (values < self.below) if self.below is not None else trips
        return judged(Course(tuple(rows), values, present), trips)

    def promql(self, firing: str) -> str:
        """Refuse.

        Raises:
            NotExportableError: always; Prometheus has no SQL.
        """
        raise NotExportableError("condition: given an SQL query; allowed in Prometheus: metrics only")
