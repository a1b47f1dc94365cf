"""The queue metrics of runs of the store, and how they are defined."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from workbench.errors import InputError, NotFoundError
from workbench.monitor import METRICS, MetricKind, sample_points
from workbench.monitor.collection import ENGINE
from workbench.monitor.collectors import COLLECTORS
from workbench.monitor.exposition import exposition
from workbench.settings import Settings, load_settings
from workbench.store import Run, Store
from workbench.workflows.metric_views import MetricsView, SeriesView, WrittenView, summed
from workbench.workflows.run_metrics import end_us, run_points, watched_servers


def metric_definitions() -> str:
    """Give the table of all metrics, as Markdown."""
    lines = ["| metric | labels | meaning | from the store | told by |", "|---|---|---|---|---|"]
    for name, one in METRICS.items():
        kind = "" if one.kind is MetricKind.GAUGE else f" ({one.kind})"
        told = "all" if set(one.told_by) == set(COLLECTORS) else ", ".join(one.told_by) or "-"
        meaning = one.meaning.replace("|", "\\|")
        follows = one.follows.replace("|", "\\|")
        lines.append(f"| `{name}`{kind} | {', '.join(one.labels)} | {meaning} | {follows} | {told} |")
    return "".join(f"{line}\n" for line in lines)


def show_metrics(run_id: int | None = None, *, settings: Settings | None = None) -> MetricsView:
    """Show the metrics of a run as a scrape at its end would have seen them.

    Args:
        run_id: the run, which may still go on; the newest complete one by default.
        settings: where the lake is.

    Raises:
        NotFoundError: there is no such run, or it has no samples yet.
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        run = _run(store, run_id)
        ended = end_us(store, run)
        points = run_points(store, run)
        exact = run.records == 1 and bool(store.parts("requests", [run.run_id]))
    return MetricsView(
        run_id=run.run_id,
        scenario=run.scenario,
        at_s=ended / 1e6,
        exact=exact,
        metrics=list(summed(points)),
        values=[SeriesView(series=one.series, labels=dict(one.labels), value=one.value) for one in points],
    )


def metrics_text(run_id: int | None = None, *, settings: Settings | None = None) -> str:
    """Give the metrics of a run in Prometheus's text format.

    Raises:
        NotFoundError: there is no such run, or it has no samples yet.
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        return exposition(run_points(store, _run(store, run_id)))


def write_openmetrics(
    file: Path, run_id: int | None = None, *, settings: Settings | None = None
) -> WrittenView:
    """Write every sample of a run to a file, with its time, to load it into a Prometheus.

    A simulated run is taken to have begun when it was started.

    Raises:
        NotFoundError: there is no such run, or it has no samples yet.
        InputError: the run has no samples, or the file cannot be written.
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        run = _run(store, run_id)
        servers = watched_servers(store, run)
        samples = store.read_table("samples", run_id=run.run_id)
    points = sample_points(samples, servers=servers, began=_began(run), every=True)
    if not points:
        raise InputError(f"run {run.run_id} has no samples; allowed: a run with some")
    try:
        file.write_text(exposition(points, form="openmetrics"), encoding="utf-8")
    except OSError as error:
        reason = error.strerror
        raise InputError(f"openmetrics: given {file}, which cannot be written ({reason})") from None
    times = [one.at for one in points if one.at is not None]
    return WrittenView(
        run_id=run.run_id, file=str(file), points=len(points), begins=min(times), ends=max(times)
    )


def _run(store: Store, run_id: int | None) -> Run:
    if run_id is None:
        newest = store.runs(limit=1, state="complete")
        if not newest:
            raise NotFoundError(f"{store.lake} has no complete run; workbench run or collect makes one")
        return newest[0]
    run = store.run(run_id)
    if run.state != "complete" and not store.parts("samples", [run.run_id]):
        raise NotFoundError(f"run {run_id} has no samples yet, it is {run.state}")
    return run


def _began(run: Run) -> float:
    """Say when a run's clock was 0, seconds since 1970."""
    if run.engine == ENGINE:
        return datetime.fromisoformat(json.loads(run.scenario_json)["began"]).timestamp()
    return run.started.timestamp()
