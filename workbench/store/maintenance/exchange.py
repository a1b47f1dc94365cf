"""Taking runs along: export to one file, import into another lake.

The file is a zip with `manifest.json`, which says what is in it, and a Parquet file for each run and
table. Names inside it are made by the export and looked up in the manifest only; nothing is ever
unpacked under a name that the file gives.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.errors import InputError, NotFoundError, SchemaVersionError
from workbench.store.disk import writing_to
from workbench.store.encodings import ROW_GROUP, parquet_options
from workbench.store.maintenance.room import require_room
from workbench.store.parts import write_parts
from workbench.store.records import NewComparison, NewRun, Run, RunResult
from workbench.store.store import Store
from workbench.tables import SCHEMA_VERSION, SCHEMAS

FORMAT = "workbench.export/1"
_MANIFEST = "manifest.json"
_MOST_MANIFEST = 256 << 20


class _Member(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    rows: int = Field(ge=0)
    checksum: str


class _ExportedRun(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: int
    new: NewRun
    result: RunResult
    tables: dict[str, _Member]


class _ExportedComparison(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    scenario_json: str
    metric: str
    replications: int
    result_json: str
    members: list[tuple[str, int, int]]


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True)

    format: str
    schema_version: int
    runs: list[_ExportedRun]
    comparisons: list[_ExportedComparison]


@dataclass(frozen=True)
class Exchanged:
    """A run that was exported or imported.

    Args:
        run_id: its number in this lake.
        was: its number in the other lake, or in the file.
        rows: its rows, of all tables.
        state: `exported`, `imported`, or `there already`.
    """

    run_id: int
    was: int
    rows: int
    state: str


def export_runs(store: Store, file: Path, *, run_ids: Collection[int] | None = None) -> list[Exchanged]:
    """Write complete runs, and the comparisons whose runs are all among them, to one file.

    Args:
        store: the lake.
        file: the file; one that is there is replaced once the new one is complete.
        run_ids: the runs; None is all complete ones.

    Raises:
        NotFoundError: there is no such run, or it is not complete.
        StoreError: a part is damaged, or the file cannot be written.
    """
    runs = _chosen(store, run_ids)
    temporary = file.with_name(f"{file.name}.{uuid.uuid4().hex}.tmp")
    with writing_to(file.parent):
        try:
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
                exported = [_export_run(store, run, archive) for run in runs]
                content = {
                    "format": FORMAT,
                    "schema_version": SCHEMA_VERSION,
                    "runs": [each.model_dump() for each in exported],
                    "comparisons": _comparisons(store, {run.run_id for run in runs}),
                }
                archive.writestr(_MANIFEST, json.dumps(content))
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
    return [Exchanged(each.run_id, each.run_id, _rows(each), "exported") for each in exported]


def _chosen(store: Store, run_ids: Collection[int] | None) -> list[Run]:
    if run_ids is None:
        return list(reversed(store.runs(state="complete")))
    runs = [store.run(run_id) for run_id in sorted(set(run_ids))]
    for run in runs:
        if run.state != "complete":
            raise NotFoundError(f"run {run.run_id} cannot be exported: it is {run.state}")
    return runs


def _export_run(store: Store, run: Run, archive: zipfile.ZipFile) -> _ExportedRun:
    members = {}
    for name in sorted({part.table for part in store.parts(run_ids=[run.run_id])}):
        table = store.read_table(name, run_id=run.run_id)
        sink = io.BytesIO()
        pq.write_table(table, sink, row_group_size=ROW_GROUP, **parquet_options(table.schema))
        content = sink.getvalue()
        member = f"runs/{run.run_id}/{name}.parquet"
        archive.writestr(member, content)
        checksum = hashlib.sha256(content).hexdigest()
        members[name] = _Member(file=member, rows=table.num_rows, checksum=checksum)
    result = RunResult(
        requests=run.requests or 0,
        warm_up_us=run.warm_up_us or 0,
        end_us=run.end_us or 0,
        drained_us=run.drained_us or 0,
        elapsed_s=run.elapsed_s or 0.0,
        records=run.records,
    )
    new = NewRun(**{field.name: getattr(run, field.name) for field in fields(NewRun)})
    return _ExportedRun(run_id=run.run_id, new=new, result=result, tables=members)


def _comparisons(store: Store, run_ids: Collection[int]) -> list[dict[str, Any]]:
    found = []
    for comparison in reversed(store.comparisons()):
        if set(comparison.run_ids.values()) <= set(run_ids):
            values = {
                key: value
                for key, value in asdict(comparison).items()
                if key in _ExportedComparison.model_fields
            }
            members = [(*member, run_id) for member, run_id in comparison.run_ids.items()]
            found.append(values | {"members": members})
    return found


def import_runs(store: Store, file: Path) -> list[Exchanged]:
    """Bring the runs of an exported file into a lake, each under a number of its own.

    A run that the lake holds already keeps its number. What is imported is checked as what is
    simulated is.

    Args:
        store: the lake.
        file: what `export_runs` wrote.

    Raises:
        InputError: the file is no export, or is damaged; the runs before the damaged one are imported.
        SchemaVersionError: it was written by a newer version.
        DiskFullError: it does not fit.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _read_manifest(archive, file)
            if not store.settings.parts:
                size = sum(member.file_size for member in archive.infolist())
                require_room(store, needed=size, what=f"importing {file}")
            done = list(_import_all(store, manifest, archive, file))
    except FileNotFoundError:
        raise InputError(f"{file} does not exist") from None
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise InputError(f"{file} is no export of the workbench, or is damaged: {error}") from None
    _import_comparisons(store, manifest, {each.was: each.run_id for each in done})
    return done


def _read_manifest(archive: zipfile.ZipFile, file: Path) -> _Manifest:
    try:
        if archive.getinfo(_MANIFEST).file_size > _MOST_MANIFEST:
            raise InputError(f"{file} is no export of the workbench: its manifest is too large")
        content = json.loads(archive.read(_MANIFEST))
        version = content["schema_version"]
        if content["format"] != FORMAT or not isinstance(version, int):
            raise InputError(f"{file}: format: given {content['format']!r}; allowed: {FORMAT}")
        if version > SCHEMA_VERSION:
            raise SchemaVersionError(
                f"{file} has schema version {version}; this workbench knows up to version "
                f"{SCHEMA_VERSION}. Update it"
            )
        return _Manifest.model_validate(content)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise InputError(f"{file} is no export of the workbench, or is damaged: {error}") from None


def _import_all(
    store: Store, manifest: _Manifest, archive: zipfile.ZipFile, file: Path
) -> Iterator[Exchanged]:
    for run in manifest.runs:
        known = store.catalogue.runs.find(run.new.key)
        if known is not None and known.records >= run.result.records:
            yield Exchanged(known.run_id, run.run_id, _rows(run), "there already")
            continue
        tables = {name: _read_member(archive, member, name, file) for name, member in run.tables.items()}
        run_id = store.begin_run(run.new)
        numbered = {name: _numbered(table, run_id) for name, table in tables.items()}
        store.finish_run(run_id, run.result, write_parts(store.files, run_id, numbered))
        yield Exchanged(run_id, run.run_id, _rows(run), "imported")


def _read_member(archive: zipfile.ZipFile, member: _Member, name: str, file: Path) -> pa.Table:
    try:
        content = archive.read(member.file)
        if hashlib.sha256(content).hexdigest() != member.checksum:
            raise InputError(
                f"{file}: {member.file}: given another content than was exported; allowed: the same"
            )
        if name not in SCHEMAS:
            raise InputError(f"{file}: table: given {name!r}; allowed: {', '.join(SCHEMAS)}")
        return _present(pq.read_table(pa.BufferReader(content)), SCHEMAS[name])
    except (KeyError, pa.ArrowException) as error:
        raise InputError(f"{file}: {member.file} is damaged: {error}") from None


def _present(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Add the columns that an older export lacks: null, or what the schema says of rows from before."""
    for field in schema:
        if field.name not in table.column_names:
            before = (field.metadata or {}).get(b"before")
            values = [json.loads(before) if before else None] * table.num_rows
            table = table.append_column(field, pa.array(values, field.type))
    return table.select(schema.names)


def _numbered(table: pa.Table, run_id: int) -> pa.Table:
    field = table.schema.field("run_id")
    return table.set_column(0, field, pa.array(np.full(table.num_rows, run_id, np.int32)))


def _import_comparisons(store: Store, manifest: _Manifest, numbers: dict[int, int]) -> None:
    known = {(found.metric, tuple(sorted(found.run_ids.items()))) for found in store.comparisons()}
    for given in manifest.comparisons:
        if not all(run_id in numbers for _, _, run_id in given.members):
            continue
        run_ids = {(strategy, number): numbers[run_id] for strategy, number, run_id in given.members}
        if (given.metric, tuple(sorted(run_ids.items()))) not in known:
            values = given.model_dump(exclude={"members"})
            store.add_comparison(NewComparison(**values, run_ids=run_ids))


def _rows(run: _ExportedRun) -> int:
    return sum(member.rows for member in run.tables.values())
