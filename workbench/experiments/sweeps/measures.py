"""What a cell of a sweep leaves behind, and the measures that are made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

import pyarrow as pa

from workbench.quantities import format_duration
from workbench.tables import SUMMARIES, Outcome

_FROM_SUMMARY = [
    field.with_nullable(True).remove_metadata()
    for field in SUMMARIES
    if field.name not in ("run_id", "server_id", "share")
]

RESULTS = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        *_FROM_SUMMARY,
        pa.field("ejections", pa.int64()),
        pa.field("false_ejections", pa.int64()),
        pa.field("outages", pa.int64()),
        pa.field("undetected", pa.int64()),
        pa.field("detected_s", pa.float64()),
        pa.field("settled_s", pa.float64()),
        pa.field("engine", pa.string()),
        pa.field("elapsed_s", pa.float64()),
    ]
)
"""One row a cell: the pool's row of the summaries, and what health checks and outages came to.

`ejections` are servers that a balancer's checks held down or its detector ejected, `false_ejections`
those of servers that nothing was wrong with; `detected_s` and `settled_s` are means over outages.
"""

UNCOMPARED = ("engine", "elapsed_s")
"""Columns that say how a cell was made, and may differ where the result is the same."""


class SweepMeasure(StrEnum):
    """What the cells of a sweep are judged by; less is better."""

    RESPONSE_MEAN = "response_mean"
    RESPONSE_P50 = "response_p50"
    RESPONSE_P90 = "response_p90"
    RESPONSE_P95 = "response_p95"
    RESPONSE_P99 = "response_p99"
    RESPONSE_P99_9 = "response_p99_9"
    WAIT_MEAN = "wait_mean"
    WAIT_P95 = "wait_p95"
    WAIT_P99 = "wait_p99"
    FAILED = "failed"
    """Share of the requests that did not end ok."""
    ATTEMPTS = "attempts"
    """Attempts a request."""
    UTILISATION = "utilisation"
    """Share of the slots busy."""
    IMBALANCE = "imbalance"
    """Utilisation of the busiest server by the mean."""
    EJECTIONS = "ejections"
    """Servers that a balancer held down or ejected."""
    FALSE_EJECTIONS = "false_ejections"
    """Those of servers that nothing was wrong with."""
    UNDETECTED = "undetected"
    """Faults of servers that no balancer noticed."""
    DETECTED = "detected"
    """Time until a balancer sent no more to a server that had failed."""
    SETTLED = "settled"
    """Time from the end of a fault until no more requests were in the system than before."""

    @property
    def label(self) -> str:
        """The name in words, such as `response time, p99`."""
        if self in _WORDS:
            return _WORDS[self]
        kind, _, which = self.value.partition("_")
        return f"{'waiting' if kind == 'wait' else kind} time, {which.replace('_', '.')}"

    @property
    def unit(self) -> Literal["duration", "share", "number"]:
        """What its values are; a duration is in seconds."""
        if self not in _WORDS or self in (SweepMeasure.DETECTED, SweepMeasure.SETTLED):
            return "duration"
        return "share" if self in _SHARES else "number"

    def of(self, row: Mapping[str, Any]) -> float:
        """Take the measure out of a cell's row; NaN where there is none."""
        requests = row["requests"] or 0
        if self is SweepMeasure.FAILED:
            return 1.0 - row[Outcome.OK.label] / requests if requests else math.nan
        if self is SweepMeasure.ATTEMPTS:
            return row["attempts"] / requests if requests else math.nan
        value = row.get(self.value, row.get(f"{self.value}_s"))
        return math.nan if value is None else float(value)

    def shown(self, value: float | None) -> str:
        """Write a value of it for a table."""
        if value is None or not math.isfinite(value):
            return "-"
        if self.unit == "duration":
            return f"-{format_duration(-value)}" if value < 0 else format_duration(value)
        return f"{100 * value:.3g} %" if self.unit == "share" else f"{value:.4g}"


_WORDS: Mapping[SweepMeasure, str] = {
    SweepMeasure.FAILED: "requests that failed",
    SweepMeasure.ATTEMPTS: "attempts a request",
    SweepMeasure.UTILISATION: "utilisation",
    SweepMeasure.IMBALANCE: "busiest server by the mean",
    SweepMeasure.EJECTIONS: "ejections",
    SweepMeasure.FALSE_EJECTIONS: "false ejections",
    SweepMeasure.UNDETECTED: "faults that nobody noticed",
    SweepMeasure.DETECTED: "time until a fault was noticed",
    SweepMeasure.SETTLED: "time from a fault's end until all was as before",
}
_SHARES = (SweepMeasure.FAILED, SweepMeasure.UTILISATION)
