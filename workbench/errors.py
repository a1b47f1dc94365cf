"""The errors that the workbench raises on purpose.

    WorkbenchError                 exit code
    ├── InputError                 2   what was given cannot be used
    │   ├── DocumentError          2   a YAML document: every problem at once, each with its place
    │   │   └── LedgerError        2   a ledger whose records cannot be used, likewise
    │   ├── ModelError             2   a saved model that is damaged or does not fit
    │   ├── TraceError             2   a trace that is missing, empty or corrupt
    │   ├── NotFoundError          2   a run, comparison, strategy or file that does not exist
    │   └── ConflictError          2   another writer was faster; nothing was written
    ├── SimulationError            3   a model that cannot go on, such as a strategy that names no server
    ├── RecordingError             5   a recording that could not be made
    ├── TargetError                6   a system that runs could not be read or changed
    └── StoreError                 4   the lake cannot be read or written
        ├── DiskFullError          4   no room is left; nothing half-written remains
        ├── CatalogueError         4   the catalogue is corrupt, locked or read-only
        ├── PartError              4   a stored file is damaged or gone
        └── SchemaVersionError     4   the lake was written by a newer version

The command line prints the message and ends with the exit code; a traceback is a defect.
"""

from __future__ import annotations

from dataclasses import dataclass


class WorkbenchError(Exception):
    """Any error that the workbench raises on purpose; its text is meant for the user."""

    exit_code = 1


class InputError(WorkbenchError):
    """What the user gave cannot be used."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a document: where it stands, what was given and what is allowed."""

    file: str
    line: int
    key: str
    given: str
    allowed: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key or 'document'}: given {self.given}; allowed: {self.allowed}"


class DocumentError(InputError):
    """A document with problems, all of them in `problems`, in the order of their lines."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[DocumentError], tuple[list[Problem]]]:
        return type(self), (self.problems,)


class LedgerError(DocumentError):
    """A ledger whose records cannot be used; `problems` holds the first of them."""


class ModelError(InputError):
    """A saved model that is damaged, or does not fit the ledgers or this version."""


class TraceError(InputError):
    """A trace that is missing, empty or corrupt."""


class NotFoundError(InputError):
    """A run, comparison, strategy or file that does not exist."""


class ConflictError(InputError):
    """Another writer was faster; nothing was written."""


class SimulationError(WorkbenchError):
    """A model that cannot go on."""

    exit_code = 3


class RecordingError(WorkbenchError):
    """A recording that could not be made: a proxy, a server or the client failed."""

    exit_code = 5


class TargetError(WorkbenchError):
    """A system that runs does not answer as it should, refuses a change, or does not stand as it was set."""

    exit_code = 6


class StoreError(WorkbenchError):
    """The lake cannot be read or written."""

    exit_code = 4


class DiskFullError(StoreError):
    """No room is left on the lake's disk; what was being written has been removed."""


class CatalogueError(StoreError):
    """The lake's catalogue is corrupt, locked or read-only."""


class PartError(StoreError):
    """A stored file is damaged or gone; its run, simulated again, writes it anew."""


class SchemaVersionError(StoreError):
    """The lake was written by a newer version of the workbench."""
