"""What a query over the requests of one run covers: which parts, and from when to when."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.errors import InputError, NotFoundError
from workbench.store.records import Run
from workbench.store.store import Store

Span = tuple[float, float]
"""From and to, in seconds on the simulated clock; the end is outside."""


@dataclass(frozen=True)
class Scope:
    """The requests of one run that arrived in a window.

    Args:
        requests_sql: the run's requests, to stand after `from`.
        from_us: start of the window, microseconds.
        to_us: end of the window, itself outside, microseconds.
        window_s: length of the window, seconds.
    """

    requests_sql: str
    from_us: int
    to_us: int
    window_s: float

    @property
    def sql(self) -> str:
        """The requests of the window, to stand after `from`."""
        window = f"arrival_us >= {self.from_us} and arrival_us < {self.to_us}"
        return f"(select * from {self.requests_sql} where {window})"


def requests_in(store: Store, run_id: int, window: Span | None) -> Scope:
    """Find the stored requests of a run that arrived in a window: all, or those that were kept.

    Args:
        store: the lake.
        run_id: the run.
        window: from and to, in seconds on the simulated clock, the end outside; None is the run's
            measured window, after the warm-up, with its end inside.

    Raises:
        NotFoundError: no such run, or it is not complete, or it kept no requests.
        InputError: the window does not end after it begins.
    """
    run = complete_run(store, run_id)
    if not store.parts("requests", [run_id]):
        raise NotFoundError(f"run {run_id} kept no requests; its summaries and samples are there")
    source = store.relation_sql("requests", run_ids=[run_id])
    if window is None:
        start, end = measured_window(run)
        return Scope(source, start, end + 1, (end - start) / 1e6)
    start_us, end_us = span_us(window)
    return Scope(source, start_us, end_us, (end_us - start_us) / 1e6)


def keeps_requests(store: Store, run_id: int) -> bool:
    """Whether every request of a run is stored; else its histograms answer.

    Raises:
        NotFoundError: no such run, or it is not complete.
    """
    run = complete_run(store, run_id)
    return run.records == 1 and bool(store.parts("requests", [run_id]))


def complete_run(store: Store, run_id: int) -> Run:
    """Return a run that has results.

    Raises:
        NotFoundError: no such run, or it is not complete.
    """
    run = store.run(run_id)
    if run.state != "complete":
        cause = f": {run.reason}" if run.reason else ""
        raise NotFoundError(f"run {run_id} has no results, it is {run.state}{cause}")
    return run


def measured_window(run: Run) -> tuple[int, int]:
    """Return the first and the last microsecond of a complete run's measured window."""
    return run.warm_up_us or 0, run.end_us or 0


def span_us(window: Span) -> tuple[int, int]:
    """Round a window to whole microseconds, from and to, the end outside.

    Raises:
        InputError: it does not end a microsecond or more after it begins, or is not finite.
    """
    start, end = window
    if math.isfinite(start) and math.isfinite(end) and round(start * 1e6) < round(end * 1e6):
        return round(start * 1e6), round(end * 1e6)
    raise InputError(f"the window {start:g} s to {end:g} s is empty; it must end after it begins")
