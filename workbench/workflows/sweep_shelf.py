"""The shelf: results of cells as immutable files, found by the cells' keys.

A file holds the rows of one chunk. It appears complete or not at all, and no list says which files
count, so that workers on other machines write to an object store without asking anybody.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc

from workbench.errors import PartError, StoreError
from workbench.experiments.sweeps import RESULTS
from workbench.settings import Settings
from workbench.store.files import TEMPORARY_SUFFIX, PartFiles, open_files

CELLS = "cells"
SUFFIX = ".arrow"
_LEFTOVER = timedelta(hours=1)
"""Age from which a file that a killed writer left behind is removed."""
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")
_MANY = 100
"""Files from which those of a sweep are put into one."""


class Shelf:
    """The results of all sweeps of a lake.

    Args:
        settings: where the lake is.
    """

    def __init__(self, settings: Settings) -> None:
        self.files = open_files(settings)
        self.is_far = bool(settings.parts)
        self._lake = settings.lake.absolute()

    def keep(self, table: pa.Table) -> str:
        """Write the rows of cells as one file, durably, and return its path.

        Raises:
            DiskFullError: no room is left; nothing half-written remains.
            StoreError: the place cannot be written.
        """
        keys = "".join(sorted(str(key) for key in table["key"].to_pylist()))
        return self.write(f"{CELLS}/{hashlib.sha256(keys.encode()).hexdigest()[:32]}{SUFFIX}", _packed(table))

    def write(self, path: str, content: bytes) -> str:
        """Write a file under its final name, in place of one of that name, and return its path."""
        folder = path.rpartition("/")[0]
        with self.files.writing():
            staged = self.files.stage(folder)
            try:
                with staged.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                self.files.put([(staged, path)])
            except BaseException:
                self.files.discard(staged)
                raise
        return path

    def read(self, path: str) -> bytes:
        """Read a file.

        Raises:
            PartError: it is not there.
        """
        with self.files.open(path) as file:
            return file.read()

    def listed(self, folder: str) -> list[str]:
        """List the files of a folder by their paths, the order being that of the names.

        Raises:
            StoreError: the place cannot be read.
        """
        if not self.is_far:
            here = self._lake / folder
            return sorted(f"{folder}/{file.name}" for file in here.iterdir()) if here.is_dir() else []
        return _listed_far(self.files, folder)

    def find(self, keys: Collection[str]) -> pa.Table:
        """Return the rows of those of these cells that are there.

        Raises:
            PartError: a file is damaged.
        """
        wanted, found = pa.array(list(set(keys)), pa.string()), []
        for _ in range(3):  # another process may just be putting files together
            try:
                found = [self._rows(path, wanted) for path in self._parts()]
                break
            except FileNotFoundError:
                continue
        table = pa.concat_tables([RESULTS.empty_table(), *found])
        return table.take(pa.array(_first_places(table), pa.int64()))

    def merge(self, paths: Collection[str], table: pa.Table) -> None:
        """Put the files of one sweep into one, where they are many."""
        if len(paths) < _MANY:
            return
        merged = self.keep(table)
        for path in set(paths) - {merged}:
            self.files.remove(path)

    def sweep_leftovers(self, now: datetime) -> None:
        """Remove what killed writers left behind."""
        left = [path for path in self.listed(CELLS) if path.endswith(TEMPORARY_SUFFIX)]
        for file in (self._lake / path for path in left if not self.is_far):
            if file.exists() and datetime.fromtimestamp(file.stat().st_mtime, UTC) < now - _LEFTOVER:
                file.unlink(missing_ok=True)

    def _parts(self) -> Iterator[str]:
        return (path for path in self.listed(CELLS) if path.endswith(SUFFIX))

    def _rows(self, path: str, wanted: pa.Array[Any]) -> pa.Table:
        try:
            content = self.read(path)
        except PartError:
            if self.files.size(path) is None:
                raise FileNotFoundError(path) from None
            raise
        try:
            table = pa.ipc.open_file(pa.py_buffer(content)).read_all()
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise PartError(
                f"{self.files.root}/{path} is damaged ({error}); remove it, and its cells are simulated again"
            ) from None
        return _as_results(table.filter(pa.compute.is_in(table["key"], value_set=wanted)))


def _packed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _as_results(table: pa.Table) -> pa.Table:
    """Give a table of an earlier release the columns of this one, null where it has none."""
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in RESULTS
    ]
    return pa.table(columns, schema=RESULTS)


def _first_places(table: pa.Table) -> list[int]:
    """Tell where each key stands first: two processes may have simulated the same cell."""
    places: dict[str, int] = {}
    for place, key in enumerate(table["key"].to_pylist()):
        places.setdefault(str(key), place)
    return list(places.values())


def _listed_far(files: PartFiles, folder: str) -> list[str]:
    system: Any = getattr(files, "system")  # noqa: B009  # only those of object stores have one
    prefix = files.root.partition("://")[2]
    system.invalidate_cache()
    try:
        found = system.find(f"{prefix}/{folder}")
    except FileNotFoundError:
        return []
    except Exception as error:
        raise StoreError(f"the object store {files.root} cannot be used: {error}") from error
    return sorted(str(key).removeprefix(f"{prefix}/") for key in found)


def far_settings(settings: Settings, folder: Path) -> Settings:
    """Give the settings for a worker on another machine, whose files on their way lie in a folder there."""
    return settings.model_copy(update={"lake": folder / "balancer-workbench"})
