"""What the catalogue needs of a database: SQLite on one machine, or Postgres for many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

Parameters = Sequence[Any] | Mapping[str, Any]


class Row(Protocol):
    """A row, whose values are found by name, by place, and in turn."""

    def __getitem__(self, key: Any, /) -> Any:
        """Give a value by name or place."""

    def __iter__(self) -> Iterator[Any]:
        """Give the values in turn."""

    def keys(self) -> Iterable[str]:
        """Give the names."""


class Result(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """Number of rows that it changed."""

    def fetchone(self) -> Any:
        """Give the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Give the rows that are left."""


class Session(Protocol):
    """A transaction that is going on."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Result:
        """Run a statement, with parameters as `?` or `:name`."""

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> object:
        """Run a statement once for each of the parameters."""


class CatalogueConnection(ABC):
    """A connection that threads share; each statement and each transaction has it alone."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection; closing twice does nothing."""

    @abstractmethod
    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Run one statement that reads."""

    @abstractmethod
    def problems(self) -> list[str]:
        """Say what is wrong inside the database; nothing where it is sound."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[None]:
        """Let all that is read in a block be of one moment; such blocks may stand in each other."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Session]:
        """Run a block as one transaction, alone among those that write; an error in it undoes it all."""

    @property
    @abstractmethod
    def version(self) -> int:
        """The manifest's version; it rises with every commit of any process that changes what readers see."""

    @contextmanager
    def changing(self) -> Iterator[Session]:
        """Run the block as one transaction that changes what readers see."""
        with self.writing() as session:
            session.execute("update manifest set version = version + 1")
            yield session
