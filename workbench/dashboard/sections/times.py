"""How long the requests of a run took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pyarrow as pa
import streamlit as st

from workbench import charts
from workbench.dashboard import access, scenarios
from workbench.dashboard.drawing import draw, draw_table
from workbench.dashboard.sections.shown import ShownRun
from workbench.quantities import format_duration
from workbench.store import queries
from workbench.tables import QUANTILES

_MEASURES = {"response time": "response", "waiting time": "wait", "service time": "service"}
_QUANTILES = {f"p{100 * q:g}": f"p{100 * q:g}_s".replace(".", "_") for q in QUANTILES}
_MARKED = ("p50", "p95", "p99", "p99.9")
_CHOICE: Any = ["single-row", "single-cell"]
_ROUNDING_S = 2e-6
"""Three times of a request are each rounded to a microsecond."""


def show_times(shown: ShownRun) -> None:
    """Show mean and quantiles of response and waiting time."""
    times = {name: _statistics(shown, name) for name in ("response time", "waiting time")}
    columns = {"mean": "mean_s", **_QUANTILES, "largest": "max_s"}
    table = pd.DataFrame(
        {
            label: {name: _time(found[column]) for name, found in times.items()}
            for label, column in columns.items()
        }
    )
    draw_table(table, alt="Mean and quantiles of response and waiting time")


def show_distribution(shown: ShownRun) -> None:
    """Show how a time is distributed: a histogram, or the share above each time."""
    st.subheader("Distribution")
    measure, shape = _choose_distribution()
    table = access.ask(
        queries.latency_distribution,
        run_id=shown.run_id,
        measure=_MEASURES[measure],
        window=shown.window,
        bins_ratio=1.02 if shape == "tail" else 1.1,
    )
    found = {} if measure == "service time" else _statistics(shown, measure)
    marks = {label: found[_QUANTILES[label]] for label in _MARKED if found}
    figure = _distribution(table, shape, measure, {label: value or 0.0 for label, value in marks.items()})
    if figure is None:
        st.info(f"No request of this window had a {measure} above 0.")
        return
    draw(figure, key="distribution", alt=f"Distribution of the {measure} of requests that ended ok")
    if (zero := _zero_share(table)) >= 0.0005:
        st.caption(f"{100 * zero:.1f} % of the requests had a {measure} of 0 and are not drawn.")


def show_over_time(shown: ShownRun) -> None:
    """Show percentiles of response time and the load over the whole run."""
    st.subheader("Response time over the run")
    buckets = min(200, max(20, (shown.run.requests or 0) // 100))
    table = access.ask(queries.latency_over_time, run_id=shown.run_id, buckets=buckets)
    data = charts.latency_over_time_data(table, length_s=shown.length_s, window_s=shown.window_s)
    if data is None:
        st.info("No request arrived in this run.")
        return
    alt = "Percentiles of response time and arrivals over time"
    draw(charts.latency_over_time_chart(data), key="over-time", alt=alt)
    st.caption("Shaded: outside the window that the figures above are of.")


def show_slowest(shown: ShownRun) -> None:
    """List the slowest requests."""
    st.subheader("Slowest requests")
    table = access.ask(queries.slowest_requests, run_id=shown.run_id, window=shown.window).to_pandas()
    names = scenarios.servers(shown.run).names
    table["server_id"] = [names[server] for server in table["server_id"]]
    times = ["arrival_s", "response_s", "wait_s", "service_s"]
    if (table["network_s"] > _ROUNDING_S).any():
        times.append("network_s")
    table = table[["req_id", *times[:2], "server_id", "queue_depth", *times[2:]]]
    chosen = st.dataframe(
        table.style.format(_time, subset=pd.Index(times)),
        hide_index=True,
        key="slowest",
        on_select="rerun",
        selection_mode=_CHOICE,
        alt="The slowest requests",
        column_config={
            "req_id": "request",
            "arrival_s": "arrived at",
            "response_s": "response",
            "server_id": "server",
            "queue_depth": st.column_config.NumberColumn(
                "waiting then", help="Requests waiting when it came"
            ),
            "wait_s": "waited",
            "service_s": "service",
            "network_s": "network",
        },
    )
    st.caption("Select one to see why it went where it went.")
    rows = [*chosen.selection.rows, *(row for row, _ in chosen.selection.cells)]
    if rows:
        st.query_params["request"] = str(table["req_id"].iloc[rows[0]])


def _choose_distribution() -> tuple[str, str]:
    with st.container(horizontal=True):
        measure = st.selectbox(
            "Which time",
            list(_MEASURES),
            key="time",
            bind="query-params",
            label_visibility="collapsed",
            width=170,
        )
        shape = st.segmented_control(
            "How it is drawn",
            ["histogram", "tail"],
            default="histogram",
            key="shape",
            bind="query-params",
            label_visibility="collapsed",
            required=True,
        )
    return measure, shape


def _distribution(table: pa.Table, shape: str, measure: str, marks: Mapping[str, float]) -> go.Figure | None:
    if shape == "tail":
        tail = charts.tail_data(table, measure=measure, quantiles_s=marks)
        return None if tail is None else charts.tail_chart(tail)
    histogram = charts.distribution_data(table, measure=measure, quantiles_s=marks)
    return None if histogram is None else charts.distribution_chart(histogram)


def _statistics(shown: ShownRun, measure: str) -> Mapping[str, float | None]:
    """Gather mean, quantiles and largest, exact for the window where requests are stored."""
    if shown.keeps_requests:
        found = access.ask(queries.latency, run_id=shown.run_id, window=shown.window)
        return asdict(found.response if measure == "response time" else found.wait)
    prefix = f"{_MEASURES[measure]}_"
    pool = access.ask(queries.summary, run_id=shown.run_id).pool
    return {name.removeprefix(prefix): value for name, value in pool.items() if name.startswith(prefix)}


def _time(seconds: object) -> str:
    number = math.nan if seconds is None else float(str(seconds))
    return "–" if math.isnan(number) else format_duration(number)


def _zero_share(table: pa.Table) -> float:
    rows = table.to_pylist()
    total = sum(row["count"] for row in rows)
    zero = sum(row["count"] for row in rows if row["upper_s"] == 0)
    return float(zero / total) if total else 0.0
