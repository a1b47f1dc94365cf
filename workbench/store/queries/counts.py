"""How many requests there were, and how they ended."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.store.queries import binned
from workbench.store.queries.scope import Scope, Span, keeps_requests, requests_in
from workbench.store.store import Store
from workbench.tables import Outcome


@dataclass(frozen=True)
class OutcomeCounts:
    """The requests that arrived in a window, by how they ended.

    Args:
        window_s: length of the window, seconds.
        requests: requests that arrived in it.
        outcomes: of these, how many ended in each way, for every label of `Outcome`.
        goodput_per_s: of these, those that ended ok, per second of the window; NaN where the window
            has no length.
    """

    window_s: float
    requests: int
    outcomes: Mapping[str, int]
    goodput_per_s: float


def outcome_counts(store: Store, *, run_id: int, window: Span | None = None) -> OutcomeCounts:
    """Count the requests of a run by outcome.

    A run that did not keep them all is counted in its histograms, by the slices that overlap the window.

    Args:
        store: the lake.
        run_id: the run.
        window: from and to, seconds on the simulated clock, the end outside; None is the measured
            window.

    Raises:
        NotFoundError: no such run, or it is not complete, or it kept neither requests nor histograms.
        InputError: the window does not end after it begins.
    """
    if keeps_requests(store, run_id):
        scope = requests_in(store, run_id, window)
        rows = store.query(_outcomes_sql(scope), views=()).to_pylist()
        found = {row["outcome"]: row["requests"] for row in rows}
    else:
        scope = binned.slices_in(store, run_id, window)
        found = binned.outcomes(store, scope)
    outcomes = {outcome.label: 0 for outcome in Outcome} | found
    goodput = outcomes[Outcome.OK.label] / scope.window_s if scope.window_s else math.nan
    return OutcomeCounts(scope.window_s, sum(outcomes.values()), outcomes, goodput)


def _outcomes_sql(scope: Scope) -> str:
    return f"select outcome, count(*) as requests from {scope.sql} group by outcome"
