"""Holding results against queueing theory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.experiments import (
    LITTLE,
    Agreement,
    Check,
    Interval,
    SlicedTimes,
    check,
    in_batches,
    mean_interval,
    overall,
    ratio_interval,
)
from workbench.experiments.batch_means import BATCHES, FEWEST
from workbench.simulate import Scenario
from workbench.simulate.theory import Theory, predict
from workbench.store import Store, queries
from workbench.tables import QUANTILES, Timing
from workbench.workflows.theory_views import TheoryCheckView, TheoryView

_QUANTILES = {f"p{100 * q:g}".replace(".", "_"): q for q in QUANTILES}


def check_run(store: Store, run_id: int, scenario: Scenario, pool: Mapping[str, Any]) -> TheoryView:
    """Hold one run against theory; its intervals are from batches of its histograms and samples.

    Args:
        store: the lake.
        run_id: a complete run.
        scenario: the run's.
        pool: the run's summary, that of the whole pool.

    Raises:
        StoreError: the lake cannot be read.
    """
    theory = predict(scenario)
    measured = _Run(store, run_id, scenario, pool)
    checks = check(theory, measured) if queries.has_slices(store, run_id) else []
    return _view(theory, checks, pool["little_residual"])


def check_replications(scenario: Scenario, rows: Sequence[Mapping[str, Any]]) -> TheoryView:
    """Hold replications against theory; the intervals are Student's over them.

    Args:
        scenario: with the strategy of the replications.
        rows: their summaries, 2 or more.
    """

    def measured(quantity: str, level: float) -> Interval | None:
        values = [_figure(row, quantity) for row in rows]
        known = [value for value in values if value is not None]
        return mean_interval(known, level=level) if len(known) == len(rows) > 1 else None

    residuals = [row["little_residual"] for row in rows if row["little_residual"] is not None]
    theory = predict(scenario)
    return _view(theory, check(theory, measured), max(residuals, default=None))


class _Run:
    """The quantities of one run with their intervals."""

    def __init__(self, store: Store, run_id: int, scenario: Scenario, pool: Mapping[str, Any]) -> None:
        self._store, self._run_id, self._pool = store, run_id, pool
        self._slots = sum(scenario.servers().slots)
        self._times: dict[Timing, SlicedTimes] = {}

    def __call__(self, quantity: str, level: float) -> Interval | None:
        exact = _figure(self._pool, quantity)
        if exact is None:
            return None
        if quantity == "utilisation":
            return self._utilisation(level)
        if quantity == "refused":
            return self._refused(level)
        kind, _, which = quantity.partition("_")
        times = self._sliced(Timing.WAIT if kind == "wait" else Timing.RESPONSE)
        if not times.enough:
            return None
        if which == "mean":
            return times.mean(exact, level=level)
        return times.quantile(exact, _QUANTILES[which], level=level)

    def _sliced(self, timing: Timing) -> SlicedTimes:
        if timing not in self._times:
            rows = queries.sliced_times(self._store, run_id=self._run_id, timing=timing)
            self._times[timing] = SlicedTimes.of(*(rows[name].to_numpy() for name in ("ts_us", "bin", "n")))
        return self._times[timing]

    def _utilisation(self, level: float) -> Interval | None:
        rows = queries.sliced_service(self._store, run_id=self._run_id)
        width = rows["interval_us"].to_numpy() / 1e6
        busy = rows["in_service"].to_numpy() * width
        return _batched(busy, width * self._slots, level)

    def _refused(self, level: float) -> Interval | None:
        rows = queries.sliced_refusals(self._store, run_id=self._run_id)
        return _batched(rows["refused"].to_numpy(), rows["requests"].to_numpy(), level)


def _batched(sums: Any, counts: Any, level: float) -> Interval | None:
    if len(sums) < FEWEST:
        return None
    batches = min(BATCHES, len(sums))
    return ratio_interval(in_batches(sums, batches), in_batches(counts, batches), level=level)


def _figure(row: Mapping[str, Any], quantity: str) -> float | None:
    """Take a quantity out of a row of the summaries."""
    if quantity == "utilisation":
        return float(row["utilisation"])
    if quantity == "refused":
        return float(row["refused"]) / row["requests"] if row["requests"] else None
    value = row[f"{quantity}_s"]
    return None if value is None or math.isnan(value) else float(value)


def _view(theory: Theory, checks: list[Check], little: float | None) -> TheoryView:
    views = [
        TheoryCheckView(
            quantity=one.quantity,
            expected=one.expected,
            measured=one.measured.value,
            low=one.measured.low,
            high=one.measured.high,
            verdict=one.agreement.value,
        )
        for one in checks
    ]
    verdict = overall(theory, checks)
    if little is not None:
        held = little <= LITTLE
        agreement = Agreement.PASS if held else Agreement.WARN
        views.append(
            TheoryCheckView(
                quantity="little", expected=0.0, measured=little, low=None, high=None, verdict=agreement.value
            )
        )
        verdict = verdict if held else Agreement.WARN
    return TheoryView(model=theory.model, verdict=verdict.value, reason=theory.reason, checks=views)
