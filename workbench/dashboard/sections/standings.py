"""How strategies stand against each other."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd
import streamlit as st

from workbench import charts
from workbench.charts import Standing, Standings
from workbench.charts.theme import ClockUnit, clock_unit
from workbench.dashboard import addresses
from workbench.dashboard.drawing import draw, draw_table, plain
from workbench.quantities import format_duration
from workbench.workflows import ComparisonView

_VERDICTS = {
    "same": "the same: it equals the best in every replication",
    "not told apart": "not told apart: the interval of its difference to the best holds 0",
    "worse": "worse: the interval of its difference to the best lies above 0",
    "bound": "bound: it knows what no balancer knows, so it is not in the running",
    "no answer": "no answer: in some replication no request ended well",
}


def show_answer(view: ComparisonView, standings: Standings) -> None:
    """Say who is best."""
    best = standings.best
    if best is None or best.value is None:
        st.warning("There is no answer: in some replication no request ended well.")
        return
    close = [row.strategy for row in standings.rows if row.verdict in ("same", "not told apart")]
    text = f"**{plain(best.strategy)}** has the least {view.measure_label}: {format_duration(best.value)}."
    if close:
        text += f" Not told apart from it: {', '.join(f'**{plain(name)}**' for name in close)}."
    st.success(text, icon=":material/trophy:")


def show_table(standings: Standings) -> None:
    """Show each strategy with its measure, its difference to the best and the verdict."""
    percent = f"{100 * standings.level:.0f} %"
    unit, digits = _column_unit(standings)
    best = standings.best.value if standings.best else None

    def time(seconds: float | None, sign: str = "") -> str:
        return "–" if seconds is None else f"{seconds / unit.seconds:{sign},.{digits}f}"

    def share(seconds: float | None) -> str:
        return "–" if seconds is None or not best else f"{100 * seconds / best:+,.1f}"

    columns: dict[str, Callable[[Standing], str]] = {
        "verdict": lambda row: row.verdict,
        f"{standings.measure} ({unit.name})": lambda row: time(row.value),
        f"{percent} interval ({unit.name})": lambda row: f"{time(row.low)} to {time(row.high)}",
        f"vs best ({unit.name})": lambda row: time(row.difference, "+"),
        "vs best (%)": lambda row: share(row.difference),
        f"{percent} interval (%)": lambda row: f"{share(row.difference_low)} to {share(row.difference_high)}",
    }
    to_best = set(list(columns)[3:])
    cells = {
        name: ["" if row is standings.best and name in to_best else cell(row) for row in standings.rows]
        for name, cell in columns.items()
    }
    table = pd.DataFrame(cells, index=list(standings.strategies))
    alt = "Strategies with their measure, their difference to the best and the verdict"
    draw_table(table, alt=alt, words=("verdict",))


def show_method(view: ComparisonView) -> None:
    """Say how the intervals came about and what the verdicts mean."""
    used = dict.fromkeys(row.verdict for row in view.standings if row.verdict in _VERDICTS)
    lines = [view.method_text, *(_VERDICTS[verdict] for verdict in used), *view.notes]
    st.caption("  \n".join(f"{line[:1].upper()}{line[1:]}." for line in lines))


def show_differences(standings: Standings) -> None:
    """Show how far each strategy is from the best."""
    st.subheader("Difference to the best")
    data = charts.differences_data(standings)
    if data is None:
        st.info("There is no best value above 0 to compare with.")
        return
    alt = "Difference of each strategy to the best, with intervals"
    draw(charts.differences_chart(data), key="differences", alt=alt)


def show_measure(standings: Standings) -> None:
    """Show what each strategy measured."""
    st.subheader(f"{standings.measure[:1].upper()}{standings.measure[1:]}")
    data = charts.intervals_data(standings)
    draw(charts.intervals_chart(data), key="measure", alt="Measure of each strategy, with intervals")


def show_quantiles(standings: Standings) -> None:
    """Show which strategy is good at which quantile."""
    st.subheader("Which requests suffer")
    data = charts.quantile_profile_data(standings)
    if data is None:
        st.info("No quantiles were stored.")
        return
    draw(charts.quantile_profile_chart(data), key="quantiles", alt="Response time by strategy and quantile")
    st.caption("Mean over the replications. The bluer, the further above the least of the column.")


def show_replications(standings: Standings) -> None:
    """Show what each replication measured."""
    st.subheader("Every replication")
    data = charts.replications_data(standings)
    alt = "Measure of each replication of each strategy"
    draw(charts.replications_chart(data), key="replications", alt=alt)
    if data.resampled:
        st.caption("Diamond: the trace as recorded. Lines: resamples of it.")


def show_runs(standings: Standings) -> None:
    """Let the run of each replication be opened."""
    with st.expander("The run behind each value", icon=":material/table:"):
        st.caption("Select a value to open its run.")
        values = pd.DataFrame([row.values for row in standings.rows], dtype=float)
        numbers = [f"repl. {number}" for number in values.columns]
        values.columns = pd.Index(numbers)
        values.insert(0, "strategy", list(standings.strategies))
        chosen = st.dataframe(
            values.style.format(
                lambda seconds: format_duration(float(str(seconds))), subset=values.columns[1:]
            ),
            hide_index=True,
            key="values",
            on_select="rerun",
            selection_mode="single-cell",
            column_config={"strategy": st.column_config.TextColumn(pinned=True)},
            alt="Measure of each strategy and replication",
        )
        for row, column in chosen.selection.cells:
            if column in numbers:
                addresses.open_run(standings.rows[row].run_ids[numbers.index(column)])


def _column_unit(standings: Standings) -> tuple[ClockUnit, int]:
    """Choose one unit for all times, and the decimals that give the least three significant digits."""
    values = [row.value for row in standings.rows if row.value]
    least = min(values, default=1.0)
    unit = clock_unit(least)
    return unit, max(0, 2 - math.floor(math.log10(least / unit.seconds)))
