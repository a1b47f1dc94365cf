"""The catalogue as one object."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from workbench.store.catalogue._base import CatalogueConnection
from workbench.store.catalogue.comparisons import ComparisonCatalogue
from workbench.store.catalogue.connection import Connection
from workbench.store.catalogue.lives import LiveCatalogue
from workbench.store.catalogue.parts import PartCatalogue
from workbench.store.catalogue.postgres import PostgresConnection
from workbench.store.catalogue.runs import RunCatalogue


class Catalogue:
    """The runs, live ones, parts and comparisons of a lake.

    Any number of processes and threads may use it at once. The SQLite file lies on a local disk.

    Args:
        file: the SQLite file; it is made where it is missing, and migrated where it is older.
        clock: the time of day, in UTC.
        address: of a Postgres that is used instead, such as `postgresql://user@host/name`.

    Raises:
        CatalogueError: the file is corrupt, locked or cannot be written.
        SchemaVersionError: it was written by a newer version.
    """

    def __init__(self, file: Path, clock: Callable[[], datetime], address: str = "") -> None:
        self._connection: CatalogueConnection = PostgresConnection(address) if address else Connection(file)
        self.parts = PartCatalogue(self._connection, clock)
        self.runs = RunCatalogue(self._connection, self.parts, clock)
        self.lives = LiveCatalogue(self._connection, self.parts, clock)
        self.comparisons = ComparisonCatalogue(self._connection, clock)

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._connection.close()

    def reading(self) -> AbstractContextManager[None]:
        """Let all that is read in a block be of one moment."""
        return self._connection.reading()

    @property
    def version(self) -> int:
        """Number that rises whenever any process commits what readers see."""
        return self._connection.version

    def problems(self) -> list[str]:
        """Say what is wrong inside the catalogue's file; nothing where it is sound."""
        return self._connection.problems()

    def publish(self, version: int, put_in_place: Callable[[], None]) -> bool:
        """Put a published copy in place, unless one of a later version already is.

        Args:
            version: the version that the copy was made from.
            put_in_place: does it; no other process publishes meanwhile.

        Returns:
            Whether it was put in place.
        """
        with self._connection.writing() as session:
            if session.execute("select published from manifest").fetchone()[0] > version:
                return False
            put_in_place()
            session.execute("update manifest set published = ?", (version,))
        return True
