"""What the lake holds: comparisons and runs; selecting one opens it."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from workbench.dashboard import access, addresses, listing, notices
from workbench.store import RunState

_ANY = "all"
_TALL = 20
"""More rows than so many scroll."""
_WITH_REASON = 280
"""Width of a state that says why, pixels."""
_CHOICE: Any = ["single-row", "single-cell"]


def page() -> None:
    """Show the lists."""
    scenarios = access.ask(listing.scenario_names)
    st.title("Runs")
    if not scenarios:
        notices.show_no_runs()
        return
    _show_comparisons()
    st.subheader("All runs")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        scenario = st.selectbox(
            "Scenario", [_ANY, *scenarios], key="scenario", bind="query-params", width=280
        )
        state = st.selectbox(
            "State", [_ANY, *get_args(RunState)], key="state", bind="query-params", width=160
        )
        everything = st.toggle(
            "Show all runs of comparisons",
            key="everything",
            bind="query-params",
            help="Otherwise replication 0 of each strategy stands for the others.",
        )
    _show_runs(scenario, state, everything)


def _show_comparisons() -> None:
    table = access.ask(listing.comparison_table)
    st.subheader("Comparisons of strategies")
    if table.empty:
        notices.show_no_comparisons()
        return
    chosen = st.dataframe(
        listing.styled_comparisons(table),
        hide_index=True,
        key="comparisons",
        on_select="rerun",
        selection_mode=_CHOICE,
        alt="Comparisons of strategies, the newest first",
        column_config={
            "comparison": st.column_config.NumberColumn("no.", width=50),
            "best": st.column_config.TextColumn("best strategy"),
            "close": st.column_config.TextColumn("not told apart from it", width="medium"),
            "replications": st.column_config.NumberColumn("repl."),
            "created": st.column_config.Column("created (UTC)"),
        },
    )
    if (row := _row(chosen)) is not None:
        addresses.open_comparison(int(table["comparison"].iloc[row]))


def _show_runs(scenario: str, state: str, everything: bool) -> None:
    runs = access.ask(
        listing.recent_runs,
        scenario=None if scenario == _ANY else scenario,
        state=None if state == _ANY else state,
        everything=everything,
    )
    if runs.table.empty:
        st.info("No run is like that. Choose another scenario or state.")
        return
    reasons = runs.table["state"].str.contains(":").any()
    chosen = st.dataframe(
        listing.styled_runs(runs.table),
        hide_index=True,
        height="content" if len(runs.table) <= _TALL else 35 * (_TALL + 1),
        key="runs",
        on_select="rerun",
        selection_mode=_CHOICE,
        placeholder="–",
        alt="Runs, the newest first",
        column_config={
            "run": st.column_config.NumberColumn("run", width=50),
            "state": st.column_config.TextColumn("state", width=_WITH_REASON if reasons else None),
            "load": st.column_config.Column("load", help="Share of the slots that was busy"),
            "mean": st.column_config.Column("mean", help="Mean response time of requests that ended ok"),
            "replication": st.column_config.NumberColumn("repl."),
            "started": st.column_config.Column("started (UTC)"),
        },
    )
    st.caption(_counted(len(runs.table), runs.matching, runs.left_out))
    if (row := _row(chosen)) is not None:
        addresses.open_run(int(runs.table["run"].iloc[row]))


def _row(chosen: Any) -> int | None:
    rows = [*chosen.selection.rows, *(row for row, _ in chosen.selection.cells)]
    return rows[0] if rows else None


def _counted(shown: int, matching: int, left_out: int) -> str:
    newest = f"{shown:,} runs" if shown == matching else f"the newest {shown:,} of {matching:,} runs"
    if left_out:
        newest += f"; {left_out:,} further replications of comparisons are left out"
    return f"{newest}. Select one to open it. Times are response times after the warm-up."


if __name__ == "__main__":
    page()
