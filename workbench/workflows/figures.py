"""Figures of stored runs and comparisons, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from workbench import charts
from workbench.errors import InputError
from workbench.settings import Settings, load_settings
from workbench.store import Run, Store, queries
from workbench.workflows.results import ComparisonView, RunView
from workbench.workflows.running import scenario_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

_BUCKETS = 120

Drawn = Callable[[Store, Run], "go.Figure | None"]


def figure(
    result: RunView | ComparisonView | int, name: str | None = None, *, settings: Settings | None = None
) -> go.Figure:
    """Draw a result of `run` or `compare`.

    Args:
        result: what `run` or `compare` gave, or the number of a run.
        name: which figure: of a run `latency` (percentiles over time; the default), `distribution`, `tail`,
            `queue`, `queue_most`, `utilisation` or `servers`; of a comparison `differences` (to the best; the
            default), `values`, `quantiles` or `replications`.
        settings: where the lake is.

    Raises:
        InputError: there is no such figure, or nothing to draw in it.
        NotFoundError: there is no such run.
        StoreError: the lake cannot be read.

    Example:
        >>> import workbench as wb
        >>> wb.figure(wb.run("simulations/flash_crowd.yaml"), "queue")  # doctest: +SKIP
    """
    drawn: go.Figure | None
    if isinstance(result, ComparisonView):
        chosen = _chosen(name or "differences", _OF_COMPARISON, "a comparison")
        drawn = chosen(charts.read_standings(result.model_dump(mode="json")))
    else:
        draw = _chosen(name or "latency", _OF_RUN, "a run")
        with Store(settings or load_settings()) as store:
            drawn = draw(store, store.run(result if isinstance(result, int) else result.run_id))
    if drawn is None:
        raise InputError(f"figure: given {name!r}, for which the store holds nothing of this result")
    return drawn


def _chosen(
    name: str, known: Mapping[str, Callable[..., go.Figure | None]], of: str
) -> Callable[..., go.Figure | None]:
    if name not in known:
        raise InputError(f"figure of {of}: given {name!r}; allowed: {', '.join(known)}")
    return known[name]


def _latency(store: Store, run: Run) -> go.Figure | None:
    table = queries.latency_over_time(store, run_id=run.run_id, buckets=_BUCKETS)
    data = charts.latency_over_time_data(table, length_s=_end(run), window_s=_window(run))
    return None if data is None else charts.latency_over_time_chart(data)


def _distribution(store: Store, run: Run) -> go.Figure | None:
    table = queries.latency_distribution(store, run_id=run.run_id, measure="response", bins_ratio=1.1)
    data = charts.distribution_data(table, measure="response time", quantiles_s=_quantiles(store, run))
    return None if data is None else charts.distribution_chart(data)


def _tail(store: Store, run: Run) -> go.Figure | None:
    table = queries.latency_distribution(store, run_id=run.run_id, measure="response", bins_ratio=1.02)
    data = charts.tail_data(table, measure="response time", quantiles_s=_quantiles(store, run))
    return None if data is None else charts.tail_chart(data)


def _levels(level: charts.Level) -> Drawn:
    def draw(store: Store, run: Run) -> go.Figure | None:
        table = queries.queue_over_time(store, run_id=run.run_id, buckets=_BUCKETS)
        names = scenario_of(run).servers().names
        data = charts.queue_over_time_data(table, names=names, level=level, window_s=_window(run))
        return None if data is None else charts.queue_over_time_chart(data)

    return draw


def _servers(store: Store, run: Run) -> go.Figure | None:
    table = queries.summary(store, run_id=run.run_id).servers
    return charts.server_shares_chart(
        charts.server_shares_data(table, names=scenario_of(run).servers().names)
    )


def _replications(standings: charts.Standings) -> go.Figure | None:
    return charts.replications_chart(charts.replications_data(standings))


def _values(standings: charts.Standings) -> go.Figure | None:
    return charts.intervals_chart(charts.intervals_data(standings))


def _differences(standings: charts.Standings) -> go.Figure | None:
    data = charts.differences_data(standings)
    return None if data is None else charts.differences_chart(data)


def _profile(standings: charts.Standings) -> go.Figure | None:
    data = charts.quantile_profile_data(standings)
    return None if data is None else charts.quantile_profile_chart(data)


def _quantiles(store: Store, run: Run) -> dict[str, float]:
    pool = queries.summary(store, run_id=run.run_id).pool
    found = {f"p{label}": pool[f"response_p{label}_s"] for label in ("50", "95", "99")}
    return {label: value for label, value in found.items() if value is not None}


def _end(run: Run) -> float:
    return (run.end_us or 0) / 1e6


def _window(run: Run) -> tuple[float, float]:
    return (run.warm_up_us or 0) / 1e6, _end(run)


_OF_RUN: Mapping[str, Drawn] = {
    "latency": _latency,
    "distribution": _distribution,
    "tail": _tail,
    "queue": _levels(charts.Level.QUEUE_DEPTH),
    "queue_most": _levels(charts.Level.QUEUE_MAX),
    "utilisation": _levels(charts.Level.UTILISATION),
    "servers": _servers,
}
_OF_COMPARISON: Mapping[str, Callable[[charts.Standings], go.Figure | None]] = {
    "differences": _differences,
    "values": _values,
    "quantiles": _profile,
    "replications": _replications,
}
