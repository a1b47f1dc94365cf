"""Reading the store by SQL, and keeping it in order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

from workbench.errors import InputError
from workbench.settings import Settings, load_settings, parse_bytes
from workbench.simulate import histograms
from workbench.store import Run, Store, maintenance, publish, publish_whole, read_only
from workbench.store.dictionary import data_dictionary
from workbench.workflows.asking import Form, check_form, in_form
from workbench.workflows.stored import ActionsView, FindingsView, FindingView, InventoryView, TableView, cells

_WRITERS: dict[str, Callable[[pa.Table, str], object]] = {
    ".csv": pyarrow.csv.write_csv,
    ".parquet": pq.write_table,
    ".arrow": pyarrow.feather.write_feather,
}


def sql(
    statement: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    form: Form = "pandas",
    settings: Settings | None = None,
) -> Any:
    """Ask the store by one SQL statement that reads.

    It sees every table and view (`workbench store dictionary`) as of now. It can write nothing and read
    no other file, and takes no more time, memory and rows than the settings say.

    Args:
        statement: a select, `describe`, `show tables` or `summarize`, with parameters as `$name`.
        parameters: their values by name.
        form: what comes back: a pandas or polars frame, or an Arrow table.
        settings: where the lake is, and `sql_time`, `sql_memory` and `sql_rows`.

    Raises:
        InputError: the statement is wrong, may not be run, or takes more than it may.
        StoreError: the lake cannot be read.

    Example:
        >>> import workbench as wb
        >>> wb.sql("select strategy, count(*) as runs from runs group by all")  # doctest: +SKIP
    """
    check_form(form)
    with Store(settings or load_settings()) as store:
        return in_form(read_only(store, statement, parameters), form)


def write_rows(table: pa.Table, file: Path) -> None:
    """Write the rows of a statement to a file, in the format that its name's end says.

    Raises:
        InputError: another end than .csv, .parquet or .arrow, or the file cannot be written.
    """
    if file.suffix not in _WRITERS:
        raise InputError(f"output: given {str(file)!r}; allowed: a name that ends in {', '.join(_WRITERS)}")
    try:
        _WRITERS[file.suffix](table, str(file))
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"output: given {str(file)!r}, which cannot be written: {error}") from None


def store_info(*, settings: Settings | None = None) -> InventoryView:
    """Show what is in the lake.

    Raises:
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        found = vars(maintenance.take_inventory(store))
    tables = [TableView.model_validate(vars(one)) for one in found.pop("tables")]
    return InventoryView.model_validate(found | {"tables": tables})


def compact_store(*, settings: Settings | None = None) -> ActionsView:
    """Put small files together; those that they replace are collected after the grace period.

    Raises:
        StoreError: a file is damaged, or the lake cannot be written.
    """
    with Store(settings or load_settings()) as store:
        done = [one for one in maintenance.compact(store) if one.files or one.skipped]
    old = sum(one.skipped for one in done)
    files, into = sum(one.files for one in done), sum(one.into for one in done)
    return ActionsView(
        action="compact",
        summary=f"{files:,} files became {into:,}" if files else "nothing to put together",
        headings=["table", "files", "became", "bytes", "then bytes"],
        done=cells(
            [(one.table, one.files, one.into, one.bytes, one.into_bytes) for one in done if one.files]
        ),
        notes=[f"{old:,} files have an older schema: workbench store migrate, then compact"] if old else [],
    )


def collect_store(
    *,
    age_s: float | None = None,
    size: str | None = None,
    grace_s: float | None = None,
    dry: bool = False,
    settings: Settings | None = None,
) -> ActionsView:
    """Let go of single requests by age and size, then remove the files that nobody needs.

    Args:
        age_s: age from which requests go, seconds; by default that of the settings.
        size: size that the lake may have, such as 20GB; by default that of the settings.
        grace_s: how long a file that nobody needs is left, seconds; by default that of the settings.
        dry: only say what would be done.
        settings: where the lake is.

    Raises:
        InputError: the size cannot be read.
        StoreError: the lake cannot be read or written.
    """
    settings = settings or load_settings()
    now = datetime.now(UTC)
    with Store(settings) as store:
        rolled = maintenance.roll_up(
            store,
            now=now,
            age_s=settings.keep_requests if age_s is None else age_s,
            size=_bytes(size or settings.keep_size),
            prepare=lambda run: maintenance.add_histograms(store, run, _histograms),
            dry=dry,
        )
        if rolled and not dry:
            maintenance.compact(store, small=0)  # files that other runs share keep their rows only
        gone = maintenance.collect(
            store, now=now, grace_s=settings.grace if grace_s is None else grace_s, dry=dry
        )
    rows = [(f"requests of run {one.run_id}", one.bytes, f"let go by {one.reason}") for one in rolled]
    rows += [(one.path, one.bytes, one.reason) for one in gone]
    would = "would be " if dry else ""
    return ActionsView(
        action="gc",
        summary=f"requests of {len(rolled):,} runs {would}let go, {len(gone):,} files {would}removed",
        headings=["what", "bytes", "why"],
        done=cells(rows),
        notes=["histograms, samples and summaries of these runs stay"] if rolled else [],
    )


def verify_store(*, content: bool = True, settings: Settings | None = None) -> FindingsView:
    """Hold the lake's files against its catalogue.

    Args:
        content: whether every file is read and compared with its checksum.
        settings: where the lake is.

    Raises:
        StoreError: the catalogue cannot be read.
    """
    with Store(settings or load_settings()) as store:
        findings = maintenance.verify(store, content=content)
        files = len(store.catalogue.parts.files())
        views = [FindingView.model_validate(vars(one)) for one in findings]
        return FindingsView(lake=str(store.lake), files=files, findings=views)


def migrate_store(*, settings: Settings | None = None) -> ActionsView:
    """Bring stored runs to the present schema.

    Raises:
        StoreError: a run cannot be written.
    """
    with Store(settings or load_settings()) as store:
        done = maintenance.migrate(store, histograms=_histograms)
        if done:
            publish(store)
    return ActionsView(
        action="migrate",
        summary=f"{len(done):,} runs were brought up to date" if done else "every run is up to date",
        headings=["run", "written anew", "added", "remark"],
        done=cells(
            [(one.run_id, ", ".join(one.rewritten), ", ".join(one.added), one.remark) for one in done]
        ),
    )


def export_store(
    file: Path, *, run_ids: Collection[int] | None = None, settings: Settings | None = None
) -> ActionsView:
    """Write runs, and the comparisons among them, to one file for another lake.

    Raises:
        NotFoundError: there is no such run, or it is not complete.
        StoreError: a part is damaged, or the file cannot be written.
    """
    with Store(settings or load_settings()) as store:
        done = maintenance.export_runs(store, file, run_ids=run_ids)
    return _exchanged("export", f"{len(done):,} runs are in {file}", done)


def import_store(file: Path, *, settings: Settings | None = None) -> ActionsView:
    """Bring the runs of an exported file into the lake.

    Raises:
        InputError: the file is no export, or is damaged.
        SchemaVersionError: it was written by a newer version.
        StoreError: the lake cannot be written.
    """
    with Store(settings or load_settings()) as store:
        done = maintenance.import_runs(store, file)
        new = sum(one.state == "imported" for one in done)
        if new:
            publish(store)
    return _exchanged("import", f"{new:,} runs were imported, {len(done) - new:,} were there already", done)


def publish_store(
    *, anew: bool = False, whole: Path | None = None, settings: Settings | None = None
) -> ActionsView:
    """Bring the lake's DuckDB file up to date.

    Args:
        anew: build it anew rather than extend it.
        whole: build a file with everything instead, single requests included, to take along.
        settings: where the lake is.

    Raises:
        StoreError: the file cannot be written, or a part is missing.
    """
    with Store(settings or load_settings()) as store:
        file = publish(store, anew=anew) if whole is None else publish_whole(store, whole)
    row = (str(file), file.stat().st_size)
    return ActionsView(
        action="publish", summary=f"published {file}", headings=["file", "bytes"], done=cells([row])
    )


def tune_store(*, settings: Settings | None = None) -> ActionsView:
    """Measure a few settings of DuckDB on the lake's own data, and propose some.

    Raises:
        NotFoundError: the lake holds no requests.
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        trials = maintenance.tune(store)
    names = list(dict.fromkeys(name for trial in trials for name in trial.seconds))
    best = next((trial for trial in trials if trial.proposed), None)
    lines = []
    if best is not None:
        lines = ["in workbench.toml:", f"duckdb_threads = {best.threads}", f'duckdb_memory = "{best.memory}"']
    return ActionsView(
        action="tune",
        summary="median seconds of each question"
        + (f"; proposed: {best.threads} threads, {best.memory}" if best else "; none could be used"),
        headings=["threads", "memory", *names, "remark"],
        done=cells(
            [
                (
                    one.threads,
                    one.memory,
                    *map(one.seconds.get, names),
                    one.failed or ("proposed" * one.proposed),
                )
                for one in trials
            ]
        ),
        notes=lines,
    )


def store_dictionary() -> str:
    """Describe every stored table and column, as Markdown."""
    return data_dictionary()


def _histograms(requests: pa.Table, run: Run) -> pa.Table:
    window = run.warm_up_us or 0, run.end_us or 0
    return histograms(requests, measured_us=window, run_id=run.run_id)


def _bytes(text: str | None) -> int | None:
    try:
        return None if text is None else parse_bytes(text)
    except ValueError as error:
        raise InputError(f"size: given {text!r}; allowed: {error}") from None


def _exchanged(action: str, summary: str, done: list[maintenance.Exchanged]) -> ActionsView:
    return ActionsView(
        action=action,
        summary=summary,
        headings=["run", "was", "rows", "state"],
        done=cells([(one.run_id, one.was, one.rows, one.state) for one in done]),
    )
