"""What a pool had to do in a run: requests, queues and servers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import streamlit as st

from workbench import charts
from workbench.dashboard import access, scenarios
from workbench.dashboard.drawing import draw
from workbench.dashboard.sections.shown import ShownRun
from workbench.quantities import format_duration
from workbench.store import queries

_LEVELS = {
    "mean queue": charts.Level.QUEUE_DEPTH,
    "longest queue": charts.Level.QUEUE_MAX,
    "busy": charts.Level.UTILISATION,
}
_CELLS = 60_000
"""A heat map has about so many at most, so that it stays quick in the browser."""


@dataclass(frozen=True)
class _Counts:
    requests: int
    ok: int
    refused: int
    goodput_per_s: float
    utilisation: float | None


def show_headline(shown: ShownRun) -> None:
    """Show how many requests there were, how they ended and how busy the pool was."""
    counts = _measured(shown) if shown.window is None else _chosen(shown)
    start, end = shown.window_s
    busy = "–" if counts.utilisation is None else f"{100 * counts.utilisation:.1f} %"
    with st.container(horizontal=True, gap="medium"):
        _show("Requests", f"{counts.requests:,}", f"in {format_duration(end - start)} on the simulated clock")
        _show("Ended ok", percent_of(counts.ok, counts.requests), f"{counts.requests - counts.ok:,} did not")
        _show("Refused", f"{counts.refused:,}", "their server's queue was full")
        _show("Goodput", _rate(counts.goodput_per_s), "requests that ended ok, a second")
        _show("Utilisation", busy, "share of the slots that was busy")


def show_queues(shown: ShownRun) -> None:
    """Show how the queue of each server went."""
    st.subheader("Queues over the run")
    names = scenarios.servers(shown.run).names
    chosen = st.segmented_control(
        "What of each server",
        list(_LEVELS),
        default="mean queue",
        key="queue",
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    buckets = min(300, max(20, _CELLS // len(names)))
    table = access.ask(queries.queue_over_time, run_id=shown.run_id, buckets=buckets)
    data = charts.queue_over_time_data(table, names=names, level=_LEVELS[chosen], window_s=shown.window_s)
    if data is None:
        st.info("No sample of the queues was stored.")
        return
    draw(charts.queue_over_time_chart(data), key="queues", alt=f"{data.level.label} of each server over time")


def has_many_servers(shown: ShownRun) -> bool:
    """Tell whether there is a load to share."""
    return scenarios.servers(shown.run).count > 1


def show_servers(shown: ShownRun) -> None:
    """Show which part of the load each server had, and how evenly."""
    st.subheader("Servers")
    if shown.keeps_requests:
        table = access.ask(queries.server_shares, run_id=shown.run_id, window=shown.window).servers
    else:
        table = access.ask(queries.summary, run_id=shown.run_id).servers
    data = charts.server_shares_data(table, names=scenarios.servers(shown.run).names)
    alt = "Share of the requests and utilisation of each server"
    draw(charts.server_shares_chart(data), key="servers", alt=alt)
    lines = [
        f"{what}: the largest is {even.imbalance:.3f} times the mean, Jain's index is {even.jain:.4f}."
        for what, even in (("Requests", data.share_evenness), ("Busy", data.utilisation_evenness))
        if even is not None
    ]
    st.caption("  \n".join([*lines, "1 is even; the dotted line is an even share."]))


def percent_of(part: int, whole: int) -> str:
    """Write a part of a whole in percent, rounded down: a single failure never reads as 100 %.

    >>> percent_of(99_999, 100_000)
    '99.99 %'
    """
    return "–" if not whole else f"{math.floor(1e4 * part / whole) / 100:.4g} %"


def _measured(shown: ShownRun) -> _Counts:
    pool = access.ask(queries.summary, run_id=shown.run_id).pool
    requests, ok, refused = (int(pool[name] or 0) for name in ("requests", "ok", "refused"))
    return _Counts(requests, ok, refused, pool["goodput_per_s"] or 0.0, pool["utilisation"])


def _chosen(shown: ShownRun) -> _Counts:
    found = access.ask(queries.outcome_counts, run_id=shown.run_id, window=shown.window)
    outcomes = found.outcomes
    use = _pool_utilisation(shown)
    return _Counts(found.requests, outcomes["ok"], outcomes["refused"], found.goodput_per_s, use)


def _pool_utilisation(shown: ShownRun) -> float | None:
    found = access.ask(queries.server_shares, run_id=shown.run_id, window=shown.window)
    use = {row["server_id"]: row["utilisation"] for row in found.servers.to_pylist()}
    slots = scenarios.servers(shown.run).slots
    if any(use.get(server) is None for server in range(len(slots))):
        return None
    return float(sum(use[server] * count for server, count in enumerate(slots)) / sum(slots))


def _show(label: str, value: str, about: str) -> None:
    st.metric(label, value, help=about, width="content")


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}/s" if per_second >= 1000 else f"{per_second:.4g}/s"
