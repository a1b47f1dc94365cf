"""Parts in a folder: written under a temporary name beside their own, synced and renamed."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from workbench.errors import PartError
from workbench.store.disk import writing_to
from workbench.store.files._base import Found, PartFiles
from workbench.tables import SCHEMAS

TEMPORARY_SUFFIX = ".tmp"


class LocalFiles(PartFiles):
    """The folder of a lake.

    Args:
        lake: the folder; it is made where it is missing.
    """

    def __init__(self, lake: Path) -> None:
        self._lake = lake
        self.root = str(lake)

    def writing(self) -> AbstractContextManager[None]:
        """Turn what the operating system refuses in a block into errors that name cause and remedy."""
        return writing_to(self._lake)

    def stage(self, folder: str) -> Path:
        """Name a file in the folder that it will stay in, which is made where it is missing."""
        place = self._lake / folder
        temporary = place / f"{uuid.uuid4().hex}{TEMPORARY_SUFFIX}"
        while True:
            place.mkdir(parents=True, exist_ok=True)
            try:
                temporary.touch()  # with a file in it nobody takes the folder for empty
            except FileNotFoundError:
                continue
            return temporary

    def put(self, staged: Sequence[tuple[Path, str]]) -> None:
        """Rename staged files, and make the names durable."""
        for temporary, path in staged:
            temporary.replace(self._lake / path)
        finals = [self._lake / path for _, path in staged]
        for folder in {folder for final in finals for folder in final.parents[:3]}:
            sync_folder(folder)  # the run's, the table's and the lake's

    def discard(self, staged: Path) -> None:
        """Remove a staged file, and its folder where nothing else is in it."""
        staged.unlink(missing_ok=True)
        _remove_if_empty(staged.parent)

    def size(self, path: str) -> int | None:
        """Give the size of a file, None where it is not there."""
        file = self._lake / path
        return file.stat().st_size if file.is_file() else None

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading."""
        try:
            return (self._lake / path).open("rb")
        except OSError as error:
            raise PartError(f"{self._lake / path} cannot be read: {error.strerror}") from error

    def remove(self, path: str) -> bool:
        """Remove a file, and its folder where nothing else is in it."""
        file = self._lake / path
        file.unlink(missing_ok=True)
        _remove_if_empty(file.parent)
        return True

    def listed(self) -> Iterator[Found]:
        """Walk over the files of all tables."""
        for table in SCHEMAS:
            for file in sorted((self._lake / table).rglob("*")):
                try:
                    status = file.stat()
                except FileNotFoundError:  # it went meanwhile
                    continue
                if file.is_file():
                    modified = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield Found(file.relative_to(self._lake).as_posix(), status.st_size, modified)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, which syncing a file alone does not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # other files are in it
