"""Values of metrics: what samples, collectors and live runs give, and what is exposed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Point(NamedTuple):
    """One value of one series.

    Args:
        series: its name, such as workbench_queue_depth or workbench_wait_seconds_bucket.
        labels: its labels.
        value: the value, in the metric's unit.
        at: when, seconds since 1970; None where that is now.
    """

    series: str
    labels: Mapping[str, str]
    value: float
    at: float | None = None
