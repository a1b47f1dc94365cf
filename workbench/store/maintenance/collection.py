"""Collecting what nobody needs: superseded files, leftovers of killed writers, spilled data."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from workbench.store.files import TEMPORARY_SUFFIX
from workbench.store.store import Store

_TEMPORARY = re.compile(r"(.*\.)?[0-9a-f]{32}\.tmp(\.wal)?")


@dataclass(frozen=True)
class Collected:
    """A file that was removed, or would be.

    Args:
        path: file, relative to the lake.
        bytes: its size.
        reason: why nobody needs it.
    """

    path: str
    bytes: int
    reason: str


def collect(store: Store, *, now: datetime, grace_s: float, dry: bool = False) -> list[Collected]:
    """Remove files that nobody has needed for the grace period.

    A file is removed inside a transaction of the catalogue in which it is seen that no run lists it, so
    that no writer can list it at the same time.

    Args:
        store: the lake.
        now: the time of day, in UTC.
        grace_s: how long a file is left to those who still read or write it, seconds: longer than the
            longest query and than the writing of a run.
        dry: only say what would be removed.
    """
    before = now - timedelta(seconds=grace_s)
    found = {each.path: each for each in _candidates(store, before)}
    leftovers = list(_leftovers(store.lake, before))
    if dry:
        return [*found.values(), *(_collected(store.lake, path) for path in leftovers)]
    gone = store.catalogue.parts.collect(found, store.files.remove)
    removed = [found[path] for path in gone]
    for path in leftovers:
        removed.append(_collected(store.lake, path))
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    _remove_empty_folders(store.lake, before)
    return removed


def _candidates(store: Store, before: datetime) -> Iterator[Collected]:
    superseded = {item.path: item for item in store.catalogue.parts.garbage()}
    for item in superseded.values():
        if item.since < before:
            yield Collected(item.path, item.bytes, "superseded")
    live = {file.path for file in store.catalogue.parts.files()}
    for file in store.files.listed():
        if file.path in live or file.path in superseded or file.modified >= before:
            continue
        if file.path.endswith(TEMPORARY_SUFFIX):
            yield Collected(file.path, file.bytes, "left by a killed writer")
        elif file.path.endswith(".parquet"):
            yield Collected(file.path, file.bytes, "listed by no run")


def _leftovers(lake: Path, before: datetime) -> Iterator[Path]:
    ours = [path for path in lake.iterdir() if _TEMPORARY.fullmatch(path.name)]
    for path in (*ours, *(lake / "tmp").glob("*")):
        if _modified(path) < before:
            yield path


def _collected(lake: Path, path: Path) -> Collected:
    size = sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())
    return Collected(path.relative_to(lake).as_posix(), size, "left by a killed process")


def _remove_empty_folders(lake: Path, before: datetime) -> None:
    for folder in lake.glob("*/run_id=*"):
        if folder.is_dir() and _modified(folder) < before:
            try:
                folder.rmdir()
            except OSError:
                continue  # files are in it


def _modified(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.max.replace(tzinfo=UTC)
