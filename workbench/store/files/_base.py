"""What every place for the files of parts can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class Found:
    """A file that lies there, listed or not.

    Args:
        path: file, relative to the root, with forward slashes.
        bytes: its size.
        modified: when it was last written, in UTC.
    """

    path: str
    bytes: int
    modified: datetime


class PartFiles(ABC):
    """A place for immutable files, each complete under its name or not there at all."""

    root: str
    """Folder or address that the paths of files begin at, without a slash at the end."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[None]:
        """Turn what the place refuses in a block into errors that name cause and remedy."""

    @abstractmethod
    def stage(self, folder: str) -> Path:
        """Make an empty local file, to be written and then put into a folder of the place."""

    @abstractmethod
    def put(self, staged: Sequence[tuple[Path, str]]) -> None:
        """Give staged files their paths, durably; each was synced by the caller."""

    @abstractmethod
    def discard(self, staged: Path) -> None:
        """Remove a staged file, if it is there."""

    @abstractmethod
    def size(self, path: str) -> int | None:
        """Give the size of a file, None where it is not there."""

    @abstractmethod
    def open(self, path: str) -> BinaryIO:
        """Open a file for reading.

        Raises:
            PartError: it is not there, or cannot be read.
        """

    @abstractmethod
    def remove(self, path: str) -> bool:
        """Remove a file; say whether it is gone."""

    @abstractmethod
    def listed(self) -> Iterator[Found]:
        """Walk over the files of all tables, staged ones that were left behind included."""
