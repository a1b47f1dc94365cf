"""How a live run or a watched system stands, and its last minutes, drawn anew every two seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from workbench import charts
from workbench.charts import HappeningsData, Level
from workbench.dashboard import access
from workbench.dashboard.drawing import draw, draw_table, plain, side_by_side
from workbench.quantities import format_duration
from workbench.workflows.present import Present, show_present

_EVERY_S = 2.0
_COMMANDS = 8
"""So many commands are listed, the last ones."""


@st.fragment(run_every=_EVERY_S)
def follow_present(run_id: int, minutes: float) -> None:
    """Show how a run stands, anew every two seconds until it has ended."""
    shown = show_present(access.lake(), run_id=run_id, minutes=minutes)
    if not shown.goes_on:
        st.rerun()
    draw_present(shown)


def draw_present(shown: Present) -> None:
    """Draw tiles, charts, servers and commands."""
    _say_state(shown)
    _show_tiles(shown)
    if not shown.last.num_rows:
        st.info("Nothing was sampled yet.")
        return
    found = _happenings(shown)
    side_by_side(lambda: _draw_level(shown, found, Level.QUEUE_DEPTH), lambda: _draw_rates(shown, found))
    side_by_side(
        lambda: _draw_percentiles(shown, found), lambda: _draw_level(shown, found, Level.UTILISATION)
    )
    st.caption("Faults are shaded; ejections, servers found down, panic, weights and commands are lines.")
    _show_servers(shown)
    _show_commands(shown)


def _say_state(shown: Present) -> None:
    live = shown.live
    if live is None:
        st.caption(f"Watched; stored until {shown.stored_until:%Y-%m-%d %H:%M:%S} UTC.")
        return
    speed = "as fast as it goes" if live.speed is None else f"{live.speed:g} times as fast as the clock"
    behind = f", {format_duration(live.behind_s)} behind" if live.behind_s >= 1 else ""
    st.caption(
        plain(f"{live.state}{behind} · at {format_duration(live.at_s)} · {speed} · picks by {live.strategy}")
    )


def _show_tiles(shown: Present) -> None:
    told, window = shown.figures, format_duration(shown.figures.window_s)
    firing = "no alert rules were run" if told.firing is None else "alerts that fire"
    tiles = {
        "Waiting": (_count(told.waiting), "requests that wait, mean over the last sample"),
        "In flight": (_count(told.in_flight), "requests that have come and have no answer yet"),
        "Oldest wait": (_time(told.oldest_s), "how long the oldest request has been waiting"),
        "Throughput": (_rate(told.throughput_per_s), f"finished by servers, a second, in {window}"),
        "Goodput": (_rate(told.goodput_per_s), f"ended ok, a second, in {window}"),
        "p50": (_time(told.p50_s), f"response time of those that ended ok in {window}"),
        "p95": (_time(told.p95_s), f"response time of those that ended ok in {window}"),
        "p99": (_time(told.p99_s), f"response time of those that ended ok in {window}"),
        "Servers up": (f"{told.up} of {told.servers}", "neither down, ejected, drained nor crashed"),
        "Firing": ("–" if told.firing is None else f"{told.firing}", firing),
    }
    with st.container(horizontal=True, gap="medium"):
        for label, (value, about) in tiles.items():
            st.metric(label, value, help=about, width="content")


def _happenings(shown: Present) -> HappeningsData | None:
    """Take what happened in what is shown."""
    recent = [row for row in shown.events.to_pylist() if row["at_s"] >= shown.from_s]
    faults = [
        row | {"begin_s": max(row["begin_s"], shown.from_s)}
        for row in shown.faults.to_pylist()
        if row["end_s"] is None or row["end_s"] > shown.from_s
    ]
    return charts.happenings_data(
        shown.faults.from_pylist(faults, schema=shown.faults.schema),
        shown.events.from_pylist(recent, schema=shown.events.schema),
        names=shown.names,
        length_s=shown.at_s,
    )


def _draw(shown: Present, figure: go.Figure, found: HappeningsData | None, *, key: str, alt: str) -> None:
    figure = charts.marked(figure, found, length_s=shown.at_s)
    draw(figure, key=key, alt=alt)


def _draw_level(shown: Present, found: HappeningsData | None, level: Level) -> None:
    st.subheader("Queues" if level is Level.QUEUE_DEPTH else "Utilisation")
    data = charts.queue_over_time_data(
        shown.samples, names=shown.names, level=level, window_s=(shown.from_s, shown.at_s)
    )
    if data is None or all(value is None for value in shown.samples.column(level.value).to_pylist()):
        st.info("The system does not tell.")
        return
    figure = charts.queue_over_time_chart(data)
    if level is Level.QUEUE_DEPTH:  # where nobody waits the scale still begins at 0
        highest = max(1.0, float(np.nanmax(data.values)))
        figure.update_traces(zmax=highest, selector={"type": "heatmap"})
    _draw(shown, figure, found, key=level.value, alt=f"{level.label} of each server in the last minutes")


def _draw_rates(shown: Present, found: HappeningsData | None) -> None:
    st.subheader("Throughput and goodput")
    answers = None if shown.live is None else shown.answers
    data = charts.rates_over_time_data(shown.samples, answers, width_s=shown.width_s, end_s=shown.at_s)
    if data is None or not data.rates_per_s:
        st.info("The system does not tell.")
        return
    alt = "Arrivals, throughput and goodput in the last minutes"
    _draw(shown, charts.rates_over_time_chart(data), found, key="rates", alt=alt)


def _draw_percentiles(shown: Present, found: HappeningsData | None) -> None:
    st.subheader("Response time")
    answers = shown.answers.rename_columns(
        ["requests" if name == "answered" else name for name in shown.answers.column_names]
    )
    # The last bucket goes on, so nothing of it lies outside what is shown.
    window = (shown.from_s, shown.at_s + shown.width_s)
    data = charts.latency_over_time_data(answers, length_s=shown.at_s, window_s=window)
    if data is None or not any(data.rates_per_s):
        st.info("No request has been answered in this time, or the system does not tell.")
        return
    figure = charts.latency_over_time_chart(data)
    figure.update_yaxes(title="answers (1/s)", row=2, col=1)
    _draw(shown, figure, found, key="percentiles", alt="Percentiles of response time in the last minutes")


def _show_servers(shown: Present) -> None:
    st.subheader("Servers")
    last: dict[int, dict[str, Any]] = {row["server_id"]: row for row in shown.last.to_pylist()}
    rows = []
    for number, server in enumerate(shown.servers):
        told = last.get(number, {})
        waiting, serving = told.get("queue_depth"), told.get("in_service")
        flying = None if waiting is None or serving is None else waiting + serving
        busy = told.get("utilisation")
        weight = "–" if server.weight is None else f"{server.weight:g}"
        share = "–" if busy is None else f"{100 * busy:.0f} %"
        rows.append((server.name, server.label, _count(flying), _count(waiting), share, weight))
    columns = ["server", "state", "in flight", "waiting", "busy", "weight"]
    table = pd.DataFrame(rows, columns=columns).set_index("server")
    draw_table(table, alt="State, load and weight of each server", words=("state",))


def _show_commands(shown: Present) -> None:
    if not shown.commands:
        return
    st.subheader("What it was told")
    newest = list(reversed(shown.commands))[:_COMMANDS]
    cells = [[plain(cell) or "–" for cell in one.cells()] for one in newest]
    table = pd.DataFrame(cells, columns=["no.", "command", "by", "reason", "state", "result"])
    draw_table(
        table.set_index("no."),
        alt="Commands and what became of them, newest first",
        words=("command", "by", "reason", "state", "result"),
    )
    left = len(shown.commands) - len(newest)
    if left:
        st.caption(f"{left} more: `workbench live log {shown.run.run_id}`.")


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else format_duration(seconds)


def _rate(per_second: float | None) -> str:
    return "–" if per_second is None else f"{_count(per_second)}/s"
