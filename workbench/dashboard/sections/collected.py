"""What was collected from real systems: their queues, their counts, and where nothing is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import streamlit as st

from workbench import charts
from workbench.dashboard import access
from workbench.dashboard.drawing import draw
from workbench.quantities import format_duration
from workbench.store import Run, Store, queries
from workbench.workflows import MetricsView, show_metrics
from workbench.workflows.run_metrics import watched_servers

_LEVELS = {
    "mean queue": charts.Level.QUEUE_DEPTH,
    "longest queue": charts.Level.QUEUE_MAX,
    "busy": charts.Level.UTILISATION,
}
_BUCKETS = 300


def show_collected(run: Run) -> None:
    """Show a run that was collected."""
    names = access.ask(_names, run=run)
    view = show_metrics(run.run_id, settings=access.lake().settings)
    _show_gaps(view)
    if not names:
        st.info("None of its targets has answered yet.")
        return
    _show_queues(run, names)
    _show_counts(view, names)
    with st.expander("All metrics at the end"):
        rows = [dict(zip(view.columns(), row, strict=True)) for row in view.rows()]
        st.dataframe(rows, hide_index=True)


def _names(store: Store, *, run: Run) -> list[str]:
    return [server.name for server in watched_servers(store, run)]


def _values(view: MetricsView, series: str, label: str) -> dict[str, float]:
    found = {one.labels[label]: one.value for one in view.values if one.series == series}
    return {name: value for name, value in found.items() if value is not None}


def _show_gaps(view: MetricsView) -> None:
    gaps = _values(view, "workbench_target_gap_seconds_total", "target")
    up = _values(view, "workbench_target_up", "target")
    for target, seconds in gaps.items():
        if not up.get(target):
            st.warning(
                f"{target} did not answer at the end; nothing is known for {format_duration(seconds)}."
            )
        elif seconds > 0:
            st.caption(
                f"{target}: nothing is known for {format_duration(seconds)}, which the charts leave out."
            )


def _show_queues(run: Run, names: list[str]) -> None:
    st.subheader("Queues")
    table = access.ask(queries.queue_over_time, run_id=run.run_id, buckets=_BUCKETS)
    window = (0.0, (run.end_us or 0) / 1e6)
    levels = {
        name: data
        for name, level in _LEVELS.items()
        if (data := charts.queue_over_time_data(table, names=names, level=level, window_s=window)) is not None
        and np.isfinite(data.values).any()
    }
    if not levels:
        st.info("These systems tell neither how many requests wait nor how many slots they have.")
        return
    chosen = st.segmented_control(
        "What of each server",
        list(levels),
        default=next(iter(levels)),
        key="collected",
        label_visibility="collapsed",
        required=True,
    )
    data = levels[chosen]
    draw(charts.queue_over_time_chart(data), key="queues", alt=f"{data.level.label} of each server over time")


def _show_counts(view: MetricsView, names: list[str]) -> None:
    arrivals = _values(view, "workbench_arrivals_total", "server")
    if not arrivals:
        return
    st.subheader("Servers")
    counting = [name for name in names if name in arrivals]
    total = sum(arrivals.values())
    busy = _values(view, "workbench_utilisation_ratio", "server")
    rows: list[dict[str, Any]] = [
        {
            "server_id": number,
            "requests": round(arrivals[name]),
            "share": arrivals[name] / total if total else 0.0,
            "utilisation": busy.get(name),
        }
        for number, name in enumerate(counting)
    ]
    data = charts.server_shares_data(pa.Table.from_pylist(rows), names=counting)
    draw(
        charts.server_shares_chart(data), key="servers", alt="Share of the requests that each server was sent"
    )
