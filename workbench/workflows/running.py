"""Running one scenario."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.experiments import Cell
from workbench.monitor.collection import ENGINE as COLLECTED
from workbench.settings import Settings, load_settings
from workbench.simulate import (
    EngineName,
    Progress,
    Scenario,
    Strategy,
    Workload,
    choose_engine,
    load_scenario,
    read_strategy,
)
from workbench.simulate.theory import stability
from workbench.store import Run, Store, publish, queries
from workbench.tables import QUANTILES, Outcome, quantile_column
from workbench.workflows.results import OutageView, RunLine, RunsView, RunView, ServerView, Statistics
from workbench.workflows.simulating import Report, Simulation, cell_key, engine_reason, streams
from workbench.workflows.theory_checking import check_run

_FEW = 100
"""Requests below which the figures of a run say little."""

_COARSE = 2e-5
"""Mean processing time, in seconds, below which a microsecond is 5 % or more."""

Source = Scenario | Path | str | dict[str, Any]
"""A scenario, the path of its YAML file, or a dict with the same keys."""


def run(
    source: Source,
    *,
    strategy: Strategy | str | None = None,
    seed: int | None = None,
    engine: EngineName | str | None = None,
    replication: int = 0,
    settings: Settings | None = None,
    report: Report | None = None,
) -> RunView:
    """Simulate a scenario and store the result; a run that the store holds already is shown from there.

    Args:
        source: a scenario, the path of its YAML file, or a dict with the same keys.
        strategy: in place of the scenario's own: one, or its label such as `power_of_two(choices=3)`.
        seed: in place of the scenario's own, 0 or more.
        engine: in place of the scenario's own: `auto`, `reference` or `compiled`.
        replication: 0 or more; each has random numbers of its own.
        settings: where the lake is; from the environment and `workbench.toml` by default.
        report: told how many requests are simulated so far.

    Raises:
        InputError: the scenario, the strategy or the trace cannot be used.
        StoreError: the lake cannot be read or written.

    Example:
        >>> import workbench as wb
        >>> wb.run("simulations/mm1.yaml").response.mean  # doctest: +SKIP
        5.01
    """
    scenario = resolve(source, strategy=strategy, seed=seed, engine=engine)
    settings = settings or load_settings()
    cell = Cell(scenario, replication)
    with Store(settings) as store:
        known = store.find_run(cell_key(cell))
        expected = None if known else Workload(scenario).expected_requests()
        if known:
            return view_run(store, known.run_id, reused=True)
        choice = choose_engine(scenario)
        run_id = Simulation(settings, _progress(report, expected), choice)(cell)
        publish(store)
        return view_run(store, run_id, reused=False).model_copy(update={"engine_reason": choice.reason})


def resolve(
    source: Source,
    *,
    strategy: Strategy | str | None = None,
    seed: int | None = None,
    engine: EngineName | str | None = None,
) -> Scenario:
    """Load a scenario and put another strategy, seed or engine into it.

    Raises:
        InputError: the scenario, the strategy or the engine cannot be used, or the seed is negative.
    """
    scenario = load_scenario(source)
    if strategy is not None:
        scenario = scenario.with_strategy(read_strategy(strategy) if isinstance(strategy, str) else strategy)
    if seed is not None:
        if not 0 <= seed < 2**63:
            raise InputError(f"seed: given {seed}; allowed: a whole number from 0 to {2**63 - 1}")
        scenario = scenario.model_copy(update={"seed": seed})
    if engine is not None:
        if engine not in list(EngineName):
            raise InputError(f"engine: given {engine!r}; allowed: {', '.join(EngineName)}")
        scenario = scenario.model_copy(update={"engine": EngineName(engine)})
    check_pool(scenario)
    return scenario


def outlook(
    source: Source, *, strategies: Sequence[Strategy | str] | None = None, seed: int | None = None
) -> list[str]:
    """Say before anything runs what speaks against a scenario: which strategies cannot hold its load.

    Args:
        source: a scenario, the path of its YAML file, or a dict with the same keys.
        strategies: in place of the scenario's own.
        seed: in place of the scenario's own, 0 or more.

    Raises:
        InputError: the scenario or a strategy cannot be used.
    """
    chosen: Sequence[Strategy | str | None] = strategies or [None]
    variants = [resolve(source, strategy=one, seed=seed) for one in chosen]
    return list(dict.fromkeys(note for variant in variants for note in _overload(variant)))


def check_pool(scenario: Scenario) -> None:
    """Let a scenario's strategy look at its pool and keys, before anything runs.

    Raises:
        InputError: the strategy cannot work with this pool or these keys.
        TraceError: the trace that the keys come from cannot be used.
    """
    keys = scenario.keys.names() if scenario.keys else []
    scenario.balancers.strategy.memory(scenario.servers(), keys)


def show_run(run_id: int, *, settings: Settings | None = None) -> RunView:
    """Show a run that is in the store.

    Raises:
        NotFoundError: there is no such run, or it is not complete.
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        return view_run(store, run_id, reused=True)


def list_runs(
    *, limit: int | None = 20, scenario: str | None = None, settings: Settings | None = None
) -> RunsView:
    """List runs, the newest first.

    Raises:
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        rows = queries.run_table(store, limit=limit, scenario=scenario).to_pylist()
        known = {run.run_id: run for run in store.runs(limit, scenario)}
        lines = [_line(row, known[row["run_id"]]) for row in rows if row["run_id"] in known]
        return RunsView(lake=str(store.lake), runs=lines)


def _line(row: dict[str, Any], run: Run) -> RunLine:
    more = {"response_mean": row["response_mean_s"], "response_p99": row["response_p99_s"]}
    kept = {name: row[name] for name in RunLine.model_fields if name in row}
    return RunLine.model_validate(kept | more | {"engine": run.engine, "reason": run.reason})


def _progress(report: Report | None, expected: float | None) -> Progress | None:
    return None if report is None else lambda done: report(float(done), expected)


def view_run(store: Store, run_id: int, *, reused: bool) -> RunView:
    """Gather what the store holds of a run.

    Raises:
        NotFoundError: there is no such run, or it is not complete.
    """
    run = store.run(run_id)
    scenario = scenario_of(run)
    summary = queries.summary(store, run_id=run_id)
    pool = dict(summary.pool)
    figures = (
        "window_s",
        "requests",
        "attempts",
        "retried",
        "goodput_per_s",
        "utilisation",
        "imbalance",
        "jain",
    )
    return RunView.model_validate(
        {name: pool[name] for name in (*figures, "mean_in_system", "little_residual")}
        | {name: getattr(run, name) for name in ("scenario", "strategy", "seed", "replication", "engine")}
        | {
            "run_id": run_id,
            "engine_reason": engine_reason(scenario, run.engine),
            "balancers": scenario.balancers.count,
            "reused": reused,
            "lake": str(store.lake),
            "outcomes": {outcome.label: pool[outcome.label] for outcome in Outcome},
            "response": statistics(pool, "response"),
            "wait": statistics(pool, "wait"),
            "elapsed_s": run.elapsed_s or 0.0,
            "servers": _server_views(summary.servers.to_pylist(), scenario),
            "outages": _outage_views(store, run_id, scenario),
            "theory": check_run(store, run_id, scenario, pool),
            "notes": notes(scenario) + _few(int(pool["requests"] or 0)) + _binned(run, scenario),
        }
    )


def check_simulated(run: Run) -> None:
    """Refuse a run that has no scenario.

    Raises:
        InputError: it was collected from real systems.
    """
    if run.engine == COLLECTED:
        raise InputError(
            f"run {run.run_id}: given a run that was collected from real systems; allowed: one that was "
            f"simulated (workbench metrics {run.run_id} shows what it holds)"
        )


def scenario_of(run: Run) -> Scenario:
    """Read the scenario that a run simulated.

    Raises:
        InputError: it was collected from real systems.
    """
    check_simulated(run)
    return Scenario.model_validate_json(run.scenario_json)


def statistics(row: dict[str, Any], measure: str) -> Statistics:
    """Take the statistics of a measure out of a row of the summaries."""
    names = {f"p{100 * q:g}".replace(".", "_"): quantile_column(measure, q) for q in QUANTILES}
    names |= {"mean": f"{measure}_mean_s", "max": f"{measure}_max_s"}
    return Statistics.model_validate({name: row[column] for name, column in names.items()})


def _server_views(rows: Sequence[dict[str, Any]], scenario: Scenario) -> list[ServerView]:
    names = scenario.servers().names
    return [
        ServerView(
            name=names[row["server_id"]],
            response_mean=row["response_mean_s"],
            response_p99=row["response_p99_s"],
            **{name: row[name] for name in ("server_id", "requests", "share", "utilisation", "refused")},
        )
        for row in rows
    ]


def _outage_views(store: Store, run_id: int, scenario: Scenario) -> list[OutageView]:
    names = scenario.servers().names
    found = []
    for row in queries.outages(store, run_id=run_id).to_pylist():
        server = row.pop("server_id")
        found.append(OutageView(server=None if server is None else names[server], **row))
    return found


def notes(scenario: Scenario) -> list[str]:
    """Say what a reader of a scenario's results must know.

    Raises:
        TraceError: the trace cannot be used.
    """
    return _coarse(scenario) + _overload(scenario)


def _binned(run: Run, scenario: Scenario) -> list[str]:
    if run.records > 0 or not streams(scenario, run.engine):
        return []
    return ["no request is kept: percentiles are read from histograms, at most 1 % off"]


def _few(requests: int) -> list[str]:
    if requests >= _FEW:
        return []
    return [f"only {requests} requests are measured; lengthen the horizon or shorten the warm-up"]


def _coarse(scenario: Scenario) -> list[str]:
    fastest = max(group.speed for group in scenario.pool)
    if scenario.service.moments().mean / fastest >= _COARSE:
        return []
    return ["service is so short that the whole microseconds in which times are stored are coarse for it"]


def _overload(scenario: Scenario) -> list[str]:
    held = stability(scenario)
    return [] if held is None or held.stable else [held.sentence(scenario.balancers.strategy.label)]
