"""The standings of a comparison, as all charts of a comparison take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.charts import theme

MARKS: Mapping[str, tuple[str, str]] = {
    "best": (theme.BLUE, "diamond"),
    "same": (theme.BLUE, "diamond-open"),
    "not told apart": (theme.GREEN, "circle"),
    "worse": (theme.ORANGE, "x"),
    "bound": (theme.PURPLE, "triangle-left"),
    "no answer": (theme.GREY, "line-ns"),
}
"""Colour and symbol of each verdict."""


@dataclass(frozen=True)
class Standing:
    """How a strategy stands in a comparison; times in seconds, None where there is none.

    Args:
        strategy: its label.
        verdict: what the comparison says of it.
        value: the measure.
        low: lower end of its interval.
        high: upper end of its interval.
        difference: difference of the measure to that of the best.
        difference_low: lower end of its interval.
        difference_high: upper end of its interval.
        values: the measure in each replication.
        run_ids: the run of each replication.
        quantiles: response time by quantile, `p50` to `p99_9`, mean over the replications.
    """

    strategy: str
    verdict: str
    value: float | None
    low: float | None
    high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    values: tuple[float | None, ...]
    run_ids: tuple[int, ...]
    quantiles: Mapping[str, float | None]


@dataclass(frozen=True)
class Standings:
    """A comparison.

    Args:
        measure: what strategies were compared by, in words.
        level: probability with which the intervals hold.
        resampled: whether replication 0 is a trace as recorded and the others resamples of it.
        rows: the strategies, the least first.
    """

    measure: str
    level: float
    resampled: bool
    rows: tuple[Standing, ...]

    @property
    def strategies(self) -> tuple[str, ...]:
        """The labels, in order."""
        return tuple(row.strategy for row in self.rows)

    @property
    def best(self) -> Standing | None:
        """The best, if there is an answer."""
        return next((row for row in self.rows if row.verdict == "best"), None)


def read_standings(document: Mapping[str, Any]) -> Standings:
    """Take the standings out of a comparison as it is stored (`workbench.comparison/1`)."""
    return Standings(
        measure=document["measure_label"],
        level=document["level"],
        resampled=document["method"] == "bootstrap",
        rows=tuple(
            Standing(
                values=tuple(row["values"]),
                run_ids=tuple(row["run_ids"]),
                **{name: row[name] for name in _SAME if name in row},
            )
            for row in document["standings"]
        ),
    )


_SAME = set(Standing.__dataclass_fields__) - {"values", "run_ids"}
