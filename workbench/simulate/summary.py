"""Summaries of a run: what the records say after the warm-up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.quantities import Extent
from workbench.simulate.records import Records
from workbench.simulate.scenario import Scenario
from workbench.tables import QUANTILES, SUMMARIES, Outcome, quantile_column

Window = tuple[float, float]
"""From and until when requests that arrive are measured, seconds."""


def measured_window(records: Records, warm_up: Extent) -> Window:
    """Find the window: from the end of the warm-up until arrivals end."""
    until = records.until
    if warm_up.requests is not None:
        left_out = min(warm_up.requests, len(records) - 1)
        return (float(records.arrival[left_out]) if left_out > 0 else 0.0), until
    return min(
        warm_up.seconds if warm_up.seconds is not None else (warm_up.share or 0.0) * until, until
    ), until


def summarise(records: Records, scenario: Scenario, *, run_id: int = 0) -> pa.Table:
    """Summarise a run as rows of the summaries table: the pool's first, then one for each server."""
    window = measured_window(records, scenario.warm_up)
    inside = (records.arrival >= window[0]) & (records.arrival <= window[1])
    slots = np.array(scenario.servers().slots, dtype=np.float64)
    length = window[1] - window[0]
    busy = np.minimum(busy_seconds(records, window, len(slots)), slots * length)
    utilisation = busy / (slots * length) if length > 0 else np.zeros(len(slots))
    tries = records.tries()
    pool = _row(records, tries, np.flatnonzero(inside), length) | balance(utilisation) | _little(records)
    pool |= {"server_id": None, "share": 1.0}
    pool["utilisation"] = float(busy.sum() / (slots.sum() * length)) if length > 0 else 0.0
    rows = [pool]
    for server, members in enumerate(_by_server(records, inside, len(slots))):
        row = _row(records, tries, members, length)
        row |= {"server_id": server, "utilisation": float(utilisation[server])}
        row["share"] = len(members) / max(1, pool["requests"])
        rows.append(row)
    return pa.Table.from_pylist([row | {"run_id": run_id} for row in rows], schema=SUMMARIES)


def _row(
    records: Records, tries: NDArray[np.int64], members: NDArray[np.int64], length: float
) -> dict[str, Any]:
    outcomes = np.bincount(records.outcome[members], minlength=len(Outcome))
    row: dict[str, Any] = {"window_s": length, "requests": len(members)}
    row |= {outcome.label: int(outcomes[outcome]) for outcome in Outcome}
    row |= {"attempts": int(tries[members].sum()), "retried": int(np.count_nonzero(tries[members] > 1))}
    row["goodput_per_s"] = float(outcomes[Outcome.OK] / length) if length > 0 else 0.0
    good = members[records.ok()[members]]
    for measure, values in (("response", records.response[good]), ("wait", records.wait[good])):
        row |= _statistics(measure, values)
    return row


def _statistics(measure: str, values: NDArray[np.float64]) -> dict[str, float]:
    if len(values) == 0:
        return {}
    quantiles = np.quantile(values, QUANTILES)
    found = {quantile_column(measure, q): float(value) for q, value in zip(QUANTILES, quantiles, strict=True)}
    return found | {f"{measure}_mean_s": float(values.mean()), f"{measure}_max_s": float(values.max())}


def busy_seconds(records: Records, window: Window, servers: int) -> NDArray[np.float64]:
    """Slot-seconds of service that each server gave inside the window.

    Where requests share a server, all of a request's service counts as its last; see `Ps`.
    """
    visits = records.visits()
    served = np.isfinite(visits.finish) & np.isfinite(visits.begin)
    inside = np.clip(visits.finish[served], *window) - np.clip(visits.begin[served], *window)
    return np.bincount(visits.server[served], weights=inside, minlength=servers).astype(np.float64)


def balance(utilisation: NDArray[np.float64]) -> dict[str, float]:
    """Say how even the servers' utilisations are."""
    total = float(utilisation.sum())
    if total == 0:
        return {}
    count = len(utilisation)
    return {
        "imbalance": float(utilisation.max()) * count / total,
        "jain": total**2 / (count * float((utilisation**2).sum())),
    }


def _little(records: Records) -> dict[str, float]:
    if records.drained == 0 or records.area == 0:
        return {}
    spent = float(records.response.sum())
    return {
        "mean_in_system": records.area / records.drained,
        "little_residual": abs(records.area - spent) / records.area,
    }


def _by_server(records: Records, inside: NDArray[np.bool_], servers: int) -> list[NDArray[np.int64]]:
    chosen = np.flatnonzero(inside & (records.server >= 0))
    order = chosen[np.argsort(records.server[chosen], kind="stable")]
    edges = np.searchsorted(records.server[order], np.arange(1, servers))
    return np.split(order, edges)
