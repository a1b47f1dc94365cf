"""Verifying a lake: what is missing, damaged, left over or old, and how each is mended."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, cast

import pyarrow.parquet as pq

from workbench.errors import PartError
from workbench.store.files import TEMPORARY_SUFFIX
from workbench.store.records import StoredFile
from workbench.store.store import Store
from workbench.tables import SCHEMA_VERSION

Kind = Literal["missing", "damaged", "extra", "superseded", "old schema", "new schema", "counts", "catalogue"]

_AGAIN = "remove it, and simulate run{} again by the same command; it writes the rows anew"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Args:
        kind: what it is.
        path: file, relative to the lake, or the run.
        detail: what was found.
        remedy: how it is mended.
        serious: whether rows are lost or wrong; else it is only untidy.
    """

    kind: Kind
    path: str
    detail: str
    remedy: str
    serious: bool


def verify(store: Store, *, content: bool = True) -> list[Finding]:
    """Hold the files against the catalogue.

    Args:
        store: the lake.
        content: whether every file is read and compared with its checksum; else sizes only.
    """
    found = [*_catalogue(store)]
    with store.catalogue.reading():
        files = {file.path: file for file in store.catalogue.parts.files()}
        superseded = {item.path for item in store.catalogue.parts.garbage()}
        owners = _owners(store)
    for path, file in files.items():
        found += _file(store, file, owners.get(path, ""), content=content)
    found += _others(store, files.keys(), superseded)
    if not any(finding.serious for finding in found):
        found += _counts(store)
    return found


def _owners(store: Store) -> dict[str, str]:
    runs: dict[str, list[int]] = {}
    for part in store.parts():
        runs.setdefault(part.path, []).append(part.run_id)
    return {
        path: ("s " if len(owned) > 1 else " ") + ", ".join(map(str, owned)) for path, owned in runs.items()
    }


def _catalogue(store: Store) -> Iterator[Finding]:
    for problem in store.catalogue.problems():
        yield Finding(
            "catalogue", "catalogue", problem, "put back a copy of it; the parts are unharmed", True
        )


def _file(store: Store, file: StoredFile, owners: str, *, content: bool) -> Iterator[Finding]:
    size = store.files.size(file.path)
    again = _AGAIN.format(owners)
    if size is None:
        again = f"simulate run{owners} again by the same command; it writes the rows anew"
        yield Finding("missing", file.path, "the file is not there", again, True)
    elif size != file.bytes:
        yield Finding("damaged", file.path, f"{size:,} bytes; {file.bytes:,} were written", again, True)
    elif content and (problem := _content_problem(store, file)):
        yield Finding("damaged", file.path, problem, again, True)
    if file.schema_version < SCHEMA_VERSION:
        detail = f"schema version {file.schema_version}; {SCHEMA_VERSION} is current"
        yield Finding("old schema", file.path, detail, "workbench store migrate", False)
    elif file.schema_version > SCHEMA_VERSION:
        detail = f"schema version {file.schema_version}; this workbench knows {SCHEMA_VERSION}"
        yield Finding("new schema", file.path, detail, "update the workbench", True)


def _content_problem(store: Store, file: StoredFile) -> str:
    try:
        with store.files.open(file.path) as stream:
            checksum = hashlib.file_digest(cast("io.BufferedReader", stream), "sha256").hexdigest()
            if checksum != file.checksum:
                return f"its checksum is {checksum[:12]}; {file.checksum[:12]} was written"
            stream.seek(0)
            rows = pq.ParquetFile(stream).metadata.num_rows
    except (PartError, OSError, ValueError) as error:
        return f"it cannot be read: {error}"
    return "" if rows == file.rows else f"{rows:,} rows; the catalogue lists {file.rows:,}"


def _others(store: Store, live: Collection[str], superseded: Collection[str]) -> Iterator[Finding]:
    for file in store.files.listed():
        if file.path in live:
            continue
        gc = "workbench store gc removes it once it is an hour old"
        if file.path in superseded:
            yield Finding("superseded", file.path, "no run needs it any more", gc, False)
        elif file.path.endswith((".parquet", TEMPORARY_SUFFIX)):
            yield Finding("extra", file.path, f"{file.bytes:,} bytes that no run lists", gc, False)
        else:
            yield Finding("extra", file.path, "it is none of the lake's", "move it elsewhere", False)


def _counts(store: Store) -> Iterator[Finding]:
    """Hold the rows of each run against the number of its requests."""
    counted = {
        row["run_id"]: row["n"]
        for row in store.query(
            "select run_id, sum(n)::BIGINT as n from histograms "
            "where server_id is null and timing = 'response' group by run_id",
            views=("histograms",),
        ).to_pylist()
    }
    stored = {part.run_id: 0 for part in store.parts("requests")}
    for part in store.parts("requests"):
        stored[part.run_id] += part.rows
    remedy = "simulate the run again by the same command"
    for run in store.runs(state="complete"):
        if run.run_id in counted and counted[run.run_id] != run.requests:
            detail = f"its histograms count {counted[run.run_id]:,} requests, it had {run.requests:,}"
            yield Finding("counts", f"run {run.run_id}", detail, remedy, True)
        if run.records == 1 and stored.get(run.run_id, run.requests) != run.requests:
            detail = f"{stored[run.run_id]:,} requests are stored, it had {run.requests:,}"
            yield Finding("counts", f"run {run.run_id}", detail, remedy, True)
