"""The lists of runs and of comparisons: what to list, and how their columns look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler
from pydantic import ValidationError

from workbench.errors import StoreError
from workbench.quantities import format_duration
from workbench.store import Comparison, Run, RunState, Store, queries
from workbench.workflows import ComparisonView

_TIMES = {
    "mean": "response_mean_s",
    "p50": "response_p50_s",
    "p95": "response_p95_s",
    "p99": "response_p99_s",
}
_RUN_COLUMNS = (
    *("run", "scenario", "strategy", "state", "requests", "load", *_TIMES, "refused"),
    *("replication", "seed", "started"),
)

_COMPARISON_COLUMNS = (
    "comparison",
    "scenario",
    "best",
    "close",
    "measure",
    "strategies",
    "replications",
    "created",
)


@dataclass(frozen=True)
class Runs:
    """Runs to list.

    Args:
        table: one row a run, newest first: `run`, `scenario`, `strategy`, `state` (with the reason of a
            failure), `requests`, `load` (utilisation, 0 to 1), `mean`, `p50`, `p95` and `p99` of response
            time (seconds), `refused`, `replication`, `seed` and `started` (UTC).
        matching: how many there are in all; the table may hold fewer.
        left_out: further replications that were left out because they belong to comparisons.
    """

    table: pd.DataFrame
    matching: int
    left_out: int


def recent_runs(
    store: Store,
    *,
    scenario: str | None = None,
    state: RunState | None = None,
    everything: bool = False,
    limit: int = 200,
) -> Runs:
    """List runs with the headline figures of their pools, newest first.

    Args:
        store: the lake.
        scenario: only those of the scenario of this name.
        state: only those in this state.
        everything: all runs of comparisons; else of these only replication 0.
        limit: at most so many.
    """
    found = store.runs(scenario=scenario, state=state)
    compared = {run_id for one in store.comparisons() for run_id in one.run_ids.values()}
    runs = [run for run in found if everything or run.replication == 0 or run.run_id not in compared]
    shown = runs[:limit]
    summaries = {
        row["run_id"]: row
        for row in queries.summaries(store, run_ids=[run.run_id for run in shown]).to_pylist()
    }
    rows = [_run_row(run, summaries.get(run.run_id, {})) for run in shown]
    table = pd.DataFrame(rows, columns=list(_RUN_COLUMNS))
    table = table.astype(
        {"requests": "Int64", "refused": "Int64", "load": float, **dict.fromkeys(_TIMES, float)}
    )
    return Runs(table, len(runs), len(found) - len(runs))


def scenario_names(store: Store) -> list[str]:
    """List the names of all scenarios that have runs, sorted."""
    return sorted({run.scenario for run in store.runs()})


def comparison_table(store: Store) -> pd.DataFrame:
    """List comparisons, newest first.

    Returns:
        `comparison`, `scenario`, `best`, `close` (those not told apart from the best), `measure`,
        `strategies`, `replications` and `created` (UTC).
    """
    rows = [_comparison_row(one) for one in store.comparisons()]
    return pd.DataFrame(rows, columns=list(_COMPARISON_COLUMNS))


def read_comparison(comparison: Comparison) -> ComparisonView:
    """Read what a comparison found.

    Raises:
        StoreError: another version of the workbench stored it in a form that this one does not know.
    """
    try:
        return ComparisonView.model_validate_json(comparison.result_json)
    except ValidationError:
        raise StoreError(
            f"comparison {comparison.comparison_id} was stored by another version of the workbench; "
            "compare again: runs that are stored are not simulated again"
        ) from None


def styled_runs(table: pd.DataFrame) -> Styler:
    """Write figures as people read them; columns still sort by value."""
    return (
        table.style.format(_duration, subset=list(_TIMES), na_rep="–")
        .format(_percent, subset=["load"], na_rep="–")
        .format("{:,}", subset=["requests", "refused"], na_rep="–")
        .format("{:%Y-%m-%d %H:%M}", subset=["started"])
    )


def styled_comparisons(table: pd.DataFrame) -> Styler:
    """Write the time of day as people read it."""
    return table.style.format("{:%Y-%m-%d %H:%M}", subset=["created"])


def _duration(seconds: object) -> str:
    return format_duration(float(str(seconds)))


def _percent(share: object) -> str:
    return f"{100 * float(str(share)):.1f} %"


def _run_row(run: Run, summary: dict[str, Any]) -> tuple[Any, ...]:
    return (
        run.run_id,
        run.scenario,
        run.strategy,
        f"{run.state}: {run.reason}" if run.reason else run.state,
        run.requests,
        summary.get("utilisation"),
        *(summary.get(column) for column in _TIMES.values()),
        summary.get("refused"),
        run.replication,
        run.seed,
        run.started.replace(tzinfo=None),
    )


def _comparison_row(comparison: Comparison) -> tuple[Any, ...]:
    try:
        view = read_comparison(comparison)
    except StoreError:
        # One that cannot be read must not hide the others; its own page says why.
        unknown = ("cannot be read", "", comparison.metric, None)
        created = comparison.created.replace(tzinfo=None)
        return comparison.comparison_id, comparison.name, *unknown, comparison.replications, created
    named = {
        verdict: ", ".join(one.strategy for one in view.standings if one.verdict in verdicts)
        for verdict, verdicts in (("best", ("best",)), ("close", ("same", "not told apart")))
    }
    return (
        comparison.comparison_id,
        view.scenario,
        named["best"] or "no answer",
        named["close"],
        view.measure_label,
        len(view.standings),
        view.replications,
        comparison.created.replace(tzinfo=None),
    )
