"""Sweeps: run what is missing, and show what the cells say."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.documents import check, read_document
from workbench.errors import NotFoundError
from workbench.experiments.executors import Executor, choose_executor
from workbench.experiments.manifest import Manifest, begun, table_digest
from workbench.experiments.sweeps import (
    UNCOMPARED,
    Chunk,
    ChunkWork,
    Sweep,
)
from workbench.settings import Settings, load_settings
from workbench.simulate.scenario import ENGINE_VERSION
from workbench.workflows.simulating import Report
from workbench.workflows.sweep_plan import Chunker, Plan, lay_out, plan
from workbench.workflows.sweep_shelf import Shelf, far_settings
from workbench.workflows.sweep_showing import plan_view, slug_of, sweep_view
from workbench.workflows.sweep_views import SweepLine, SweepPlanView, SweepsView, SweepView

RECORDS = "sweeps"
"""Folder of the lake that holds a record of each sweep."""

_FEW_S = 4.0
"""Seconds of work below which processes are not worth starting."""

SweepSource = Sweep | Path | str | dict[str, Any]
"""A sweep, the path of its YAML file, or a dict with the same keys."""


def load_sweep(source: SweepSource, *, replications: int | None = None) -> Sweep:
    """Make a sweep from a YAML file's path or from a dict with the same keys.

    Raises:
        DocumentError: with every problem of the document.
    """
    if isinstance(source, Sweep):
        found = source
    elif isinstance(source, dict):
        found = check(source, Sweep, name="sweep", folder=Path.cwd())
    else:
        found = read_document(Path(source), Sweep)
    if replications is None:
        return found
    content = found.model_dump(mode="json", by_alias=True) | {"replications": replications}
    return check(content, Sweep, name="arguments", folder=Path.cwd())


def sweep(
    source: SweepSource,
    *,
    on: str | None = None,
    workers: int | None = None,
    replications: int | None = None,
    settings: Settings | None = None,
    announce: Callable[[SweepPlanView], None] | None = None,
    report: Report | None = None,
) -> SweepView:
    """Simulate the cells of a sweep that are not there yet, and say what they show.

    Each cell is kept as soon as its chunk, of about a second, is done; whatever ends the run, the same
    call goes on from there.

    Args:
        source: a sweep, the path of its YAML file, or a dict with the same keys.
        on: `processes` of this machine, `serial`, `dask` for a cluster of this machine, or the address
            of a scheduler, `dask://HOST:PORT`. The results are the same. By default processes, or
            this one where that is done before others have started.
        workers: processes at once; `jobs` of the settings by default.
        replications: in place of the sweep's own, 2 or more.
        settings: where the lake is.
        announce: told, before anything runs, what is reused, what is to run and for how long.
        report: told how many requests are simulated so far.

    Raises:
        InputError: the sweep cannot be used.
        SimulationError: workers cannot be reached, or die again and again.
        StoreError: the lake cannot be read or written.

    Example:
        >>> import workbench as wb
        >>> wb.sweep("simulations/sweeps/servers_for_p99.yaml").answer  # doctest: +SKIP
    """
    wanted = load_sweep(source, replications=replications)
    settings = settings or load_settings()
    shelf = Shelf(settings)
    shelf.sweep_leftovers(datetime.now(UTC))
    laid = lay_out(wanted)
    found = shelf.find([cell.key for cell in laid[2]])
    count = workers or settings.jobs
    whole = plan(wanted, found, laid, workers=1 if on == "serial" else count)
    on = _where(on, whole)
    with _executor(on, count, needed=bool(whole.missing)) as executor:
        at_once = executor.workers if executor is not None else 0
        if announce is not None:
            announce(plan_view(whole, settings, executor=on, workers=at_once))
        manifest = _manifest(whole, source, executor=on, workers=at_once)
        _record(shelf, wanted, manifest, "")
        begun = time.monotonic()
        if executor is not None:
            found = _run(whole, executor, shelf, settings, report, precompile=not on.startswith("dask://"))
        ended = {
            "ended": datetime.now(UTC),
            "elapsed_s": time.monotonic() - begun,
            "simulated": len(whole.missing),
            "lost_workers": 0 if executor is None else executor.lost,
            "digest": _digest(whole, found),
        }
    view = sweep_view(whole, found, manifest.model_copy(update=ended), settings)
    _record(shelf, wanted, view.manifest, view.answer)
    return view


def plan_sweep(
    source: SweepSource,
    *,
    on: str | None = None,
    workers: int | None = None,
    replications: int | None = None,
    settings: Settings | None = None,
) -> SweepPlanView:
    """Say what `sweep` would reuse, run and need, without running it.

    Raises:
        InputError: the sweep cannot be used.
        StoreError: the lake cannot be read.
    """
    wanted = load_sweep(source, replications=replications)
    settings = settings or load_settings()
    laid = lay_out(wanted)
    count = 1 if on == "serial" else workers or settings.jobs
    whole = plan(wanted, Shelf(settings).find([cell.key for cell in laid[2]]), laid, workers=count)
    on = _where(on, whole)
    return plan_view(whole, settings, executor=on, workers=1 if on == "serial" else count)


def show_sweep(name: str, *, settings: Settings | None = None) -> SweepView:
    """Show what is there of a sweep that was run, or begun.

    Args:
        name: its name, its `sweep_id` or the path of its file.
        settings: where the lake is.

    Raises:
        NotFoundError: no such sweep was run.
        StoreError: the lake cannot be read.
    """
    settings = settings or load_settings()
    whole, slug = open_sweep(name, settings)
    manifest = Manifest.model_validate(_read_record(Shelf(settings), slug)["manifest"])
    view = sweep_view(whole, whole.found, manifest, settings).model_copy(update={"simulated": 0})
    if whole.missing and manifest.engine_version != ENGINE_VERSION:
        note = (
            f"it was simulated by engine version {manifest.engine_version}; this is version "
            f"{ENGINE_VERSION}, whose results may differ, so its cells are to be simulated again"
        )
        view = view.model_copy(update={"notes": [note, *view.notes]})
    return view


def open_sweep(name: str, settings: Settings) -> tuple[Plan, str]:
    """Find a sweep that was run, with the cells that are there, and its `sweep_id`.

    Raises:
        NotFoundError: no such sweep was run.
        StoreError: the lake cannot be read.
    """
    shelf, slug = Shelf(settings), _sweep_id(name)
    record = _read_record(shelf, slug)
    wanted = check(record["sweep"], Sweep, name=name, folder=Path.cwd())
    laid = lay_out(wanted)
    return plan(wanted, shelf.find([cell.key for cell in laid[2]]), laid, workers=1), slug


def list_sweeps(*, settings: Settings | None = None) -> SweepsView:
    """List the sweeps of a lake, the newest first.

    Raises:
        StoreError: the lake cannot be read.
    """
    settings = settings or load_settings()
    shelf = Shelf(settings)
    lines = []
    for path in shelf.listed(RECORDS):
        if not path.endswith(".json"):
            continue
        record = json.loads(shelf.read(path))
        manifest = Manifest.model_validate(record["manifest"])
        lines.append(
            SweepLine(
                sweep_id=path.removeprefix(f"{RECORDS}/").removesuffix(".json"),
                name=record["sweep"]["name"],
                question=record["sweep"]["question"],
                state="complete" if manifest.ended else "not complete",
                cells=manifest.cells,
                started=manifest.started,
                answer=record["answer"],
            )
        )
    lines.sort(key=lambda line: line.started, reverse=True)
    return SweepsView(lake=str(settings.lake.absolute()), sweeps=lines)


@dataclass(frozen=True)
class _Depositing:
    """Simulates a chunk and keeps its rows, in whatever process it is called."""

    work: ChunkWork
    settings: Settings
    far: bool

    def __call__(self, chunk: Chunk) -> tuple[pa.Table, str, float]:
        begun = time.monotonic()
        table = self.work(chunk)
        there = far_settings(self.settings, Path(tempfile.gettempdir())) if self.far else self.settings
        path = "" if self.far and not self.settings.parts else Shelf(there).keep(table)
        return table, path, time.monotonic() - begun


def _run(
    whole: Plan,
    executor: Executor,
    shelf: Shelf,
    settings: Settings,
    report: Report | None,
    *,
    precompile: bool,
) -> pa.Table:
    if precompile:
        whole.compile()
    chunker = Chunker(whole, executor.workers)
    total, done = whole.expected_requests(), 0.0
    work = _Depositing(ChunkWork(whole.sweep.scenario, whole.compiled), settings, executor.far)
    tables, paths = [whole.found], []
    for chunk, (table, path, seconds) in executor.run(work, chunker):
        chunker.told(chunk, seconds)
        # Workers that do not see this disk leave it to this process.
        paths.append(path or shelf.keep(table))
        tables.append(table)
        done += sum(whole.requests[cell.point] or 0.0 for cell in chunk)
        if report is not None:
            report(done, total)
    fresh = pa.concat_tables(tables)
    if paths:
        shelf.merge(paths, pa.concat_tables(tables[1:]))
    return fresh


@contextmanager
def _executor(on: str, workers: int, *, needed: bool) -> Iterator[Executor | None]:
    if not needed:
        yield None
        return
    executor = choose_executor(on, workers=workers)
    try:
        yield executor
    finally:
        executor.close()


def _where(on: str | None, whole: Plan) -> str:
    """Choose the executor; a strategy of a script's or a notebook's own is known to this process only."""
    if any(type(one.balancers.strategy).__module__ == "__main__" for one in whole.scenarios):
        return "serial"
    return on or ("serial" if whole.remaining(workers=1) < _FEW_S else "processes")


def _digest(whole: Plan, found: pa.Table) -> str:
    places = {key: place for place, key in enumerate(found["key"].to_pylist())}
    order = [places[cell.key] for cell in whole.cells]
    return table_digest(found.take(pa.array(order, pa.int64())).drop_columns(list(UNCOMPARED)))


def _manifest(whole: Plan, source: SweepSource, *, executor: str, workers: int) -> Manifest:
    files = [Path(source)] if isinstance(source, Path | str) else []
    scenario = whole.sweep.scenario
    named = (getattr(part, "file", None) for part in (scenario.arrivals, scenario.service, scenario.keys))
    files += [Path(file) for file in named if file]
    return begun(
        now=datetime.now(UTC),
        folder=files[0].parent if files else Path.cwd(),
        files=list(dict.fromkeys(files)),
        seed=scenario.seed,
        replications=whole.sweep.replications,
        executor=executor,
        workers=workers,
        cells=len(whole.cells),
        reused=len(whole.cells) - len(whole.missing),
    )


def _sweep_id(name: str) -> str:
    """Tell the id of a sweep from its name, its id or the path of its file."""
    is_file = name.endswith((".yaml", ".yml")) and Path(name).is_file()
    return slug_of(read_document(Path(name), Sweep).name if is_file else name)


def _record(shelf: Shelf, wanted: Sweep, manifest: Manifest, answer: str) -> None:
    content = {
        "sweep": wanted.model_dump(mode="json", by_alias=True, exclude_none=False),
        "manifest": manifest.model_dump(mode="json"),
        "answer": answer,
    }
    shelf.write(f"{RECORDS}/{slug_of(wanted.name)}.json", json.dumps(content, indent=1).encode())


def _read_record(shelf: Shelf, slug: str) -> dict[str, Any]:
    path = f"{RECORDS}/{slug}.json"
    if shelf.files.size(path) is None:
        known = [Path(one).stem for one in shelf.listed(RECORDS) if one.endswith(".json")]
        raise NotFoundError(f"sweep: given {slug!r}; allowed: {', '.join(known) or 'none was run yet'}")
    record: dict[str, Any] = json.loads(shelf.read(path))
    return record
