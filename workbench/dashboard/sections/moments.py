"""How a run went from moment to moment, with what happened marked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import streamlit as st

from workbench import charts
from workbench.charts import HappeningsData
from workbench.dashboard import access, scenarios
from workbench.dashboard.drawing import draw
from workbench.dashboard.sections.shown import ShownRun
from workbench.quantities import format_duration
from workbench.store import queries
from workbench.workflows import rule_courses

_MOST = 1000
"""Most requests of a window that are listed."""
_NO_RULE = "no rule"
_COLUMNS: dict[str, Any] = {
    "req_id": "request",
    "arrival_s": st.column_config.NumberColumn("arrived at (s)", format="%.6f"),
    "balancer_id": "balancer",
    "queue_depth": "waiting then",
    "wait_s": st.column_config.NumberColumn("waited (s)", format="%.6f"),
    "service_s": st.column_config.NumberColumn("service (s)", format="%.6f"),
    "response_s": st.column_config.NumberColumn("response (s)", format="%.6f"),
}


def happenings(shown: ShownRun) -> HappeningsData | None:
    """Gather what happened in a run; None where nothing did."""
    return charts.happenings_data(
        access.ask(queries.outages, run_id=shown.run_id),
        access.ask(queries.events_of_run, run_id=shown.run_id),
        names=scenarios.servers(shown.run).names,
        length_s=shown.length_s,
    )


def show_happenings(found: HappeningsData | None) -> None:
    """Show the timeline of what happened."""
    if found is None:
        return
    st.subheader("What happened")
    alt = "Faults, and what balancers noticed and did, over time"
    draw(charts.happenings_chart(found), key="happenings", alt=alt)
    st.caption("Faults shade the charts below; ejections, servers found down, panic and weights are lines.")


def show_heat_map(shown: ShownRun, found: HappeningsData | None) -> None:
    """Show how response times were distributed at each moment."""
    st.subheader("Response time, moment by moment")
    table = access.ask(queries.latency_heat, run_id=shown.run_id)
    data = charts.latency_heat_map_data(table, length_s=shown.length_s)
    if data is None:
        st.info("No request ended ok in any time, or the run has no histograms.")
        return
    figure = charts.marked(charts.latency_heat_map_chart(data), found, length_s=shown.length_s)
    draw(figure, key="heat", alt="Share of the requests by time and response time")
    st.caption("From the stored histograms: each time at most 1 % off.")


def show_percentiles(shown: ShownRun, found: HappeningsData | None) -> None:
    """Show percentiles of response time and the load."""
    st.subheader("Percentiles and load")
    buckets = min(200, max(20, (shown.run.requests or 0) // 100))
    table = access.ask(queries.latency_over_time, run_id=shown.run_id, buckets=buckets)
    data = charts.latency_over_time_data(table, length_s=shown.length_s, window_s=shown.window_s)
    if data is None:
        st.info("No request arrived in this run.")
        return
    figure = charts.marked(charts.latency_over_time_chart(data), found, length_s=shown.length_s)
    draw(figure, key="percentiles", alt="Percentiles of response time and arrivals over time")


def show_balance(shown: ShownRun, found: HappeningsData | None) -> None:
    """Show each server's share and the imbalance over time."""
    st.subheader("Who had the load")
    names = scenarios.servers(shown.run).names
    table = access.ask(queries.arrivals_over_time, run_id=shown.run_id)
    data = charts.balance_over_time_data(table, names=names, length_s=shown.length_s)
    if data is None:
        st.info("No sample was stored.")
        return
    figure = charts.marked(charts.balance_over_time_chart(data), found, length_s=shown.length_s)
    draw(figure, key="balance", alt="Share of the requests of each server over time, and the imbalance")
    st.caption("Attempts that came to each server; 1 is even.")


def show_queue(shown: ShownRun, found: HappeningsData | None) -> None:
    """Show how the queue of each server went."""
    st.subheader("Queues")
    names = scenarios.servers(shown.run).names
    table = access.ask(queries.queue_over_time, run_id=shown.run_id, buckets=200)
    level = charts.Level.QUEUE_DEPTH
    data = charts.queue_over_time_data(table, names=names, level=level, window_s=shown.window_s)
    if data is None:
        st.info("No sample of the queues was stored.")
        return
    figure = charts.marked(charts.queue_over_time_chart(data), found, length_s=shown.length_s)
    draw(figure, key="queues", alt=f"{level.label} of each server over time")


def show_rule(shown: ShownRun) -> None:
    """Let a rule be chosen, and show what it saw: signal, threshold and when it fired."""
    st.subheader("What an alert would have seen")
    files = rule_courses.rule_files(settings=access.settings())
    named = [f"{name}: {rule}" for name, file in files.items() for rule in rule_courses.threshold_rules(file)]
    chosen = st.selectbox("Rule", [_NO_RULE, *named], key="rule", bind="query-params", width=360)
    if chosen == _NO_RULE:
        st.caption("Choose a rule to see its signal over this run against its threshold.")
        return
    name, rule = chosen.split(": ")
    with st.spinner("Sampling the metrics …"):
        course = _course(str(files[name]), files[name].stat().st_mtime, rule, shown.run_id)
    given = vars(course).copy()
    every = given.pop("every_s")
    data = charts.rule_course_data(**given, length_s=shown.length_s)
    draw(charts.rule_course_chart(data), key="rule-course", alt=f"Signal and threshold of {rule}")
    fired = len(course.firings)
    began = ", ".join(format_duration(begin) for begin, _ in course.firings[:5])
    told = f"fired {fired} time{'' if fired == 1 else 's'}, from {began}" if fired else "never fired"
    st.caption(f"`{course.signal}`, evaluated every {format_duration(every)}: it {told}. Shaded: firing.")


@st.cache_data(max_entries=50, show_spinner=False)
def _course(file: str, changed: float, rule: str, run_id: int) -> rule_courses.RuleCourse:
    return rule_courses.rule_course(Path(file), rule, run_id, settings=access.settings())


def show_requests(shown: ShownRun) -> None:
    """List the requests of the window, and let them be taken along."""
    st.subheader("Requests of the window")
    order = st.segmented_control(
        "Order",
        ["slowest", "arrival"],
        default="slowest",
        key="order",
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    table = access.ask(
        queries.window_requests, run_id=shown.run_id, window=shown.window, order=order, limit=_MOST
    )
    names = scenarios.servers(shown.run).names
    frame = table.to_pandas()
    frame["server"] = ["–" if pd.isna(server) else names[int(server)] for server in frame.pop("server_id")]
    st.dataframe(
        frame,
        hide_index=True,
        alt="Requests of the window",
        height=360,
        placeholder="–",
        column_config=_COLUMNS,
    )
    more = (
        f"the first {_MOST:,} in this order; a narrower window shows the others"
        if len(frame) == _MOST
        else ""
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "CSV",
            lambda: _csv(table),
            f"run-{shown.run_id}-requests.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.caption(f"{len(frame):,} requests, times in seconds{f'; {more}' if more else ''}.")


def _csv(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pyarrow.csv.write_csv(table, stream)
    return stream.getvalue()
