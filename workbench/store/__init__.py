"""The store: Parquet parts, the catalogue that says which of them live, and queries over them.

Accumulating data are immutable Parquet parts, one folder a run. A SQLite catalogue alone says which
parts live. Each reader runs a DuckDB in memory over that list. So any number of processes write and
read at once, a killed writer leaves nothing half-written to be read, and a reader never waits.
"""

from workbench.store import queries
from workbench.store.live_records import (
    CommandResult,
    LiveCommand,
    LiveRun,
    LiveState,
    NewCommand,
    Snapshot,
)
from workbench.store.parts import write_parts
from workbench.store.publish import publish, publish_whole
from workbench.store.reading import read_only
from workbench.store.records import (
    Comparison,
    NewComparison,
    NewRun,
    Part,
    Run,
    RunResult,
    RunState,
)
from workbench.store.store import Store

__all__ = [
    "CommandResult",
    "Comparison",
    "LiveCommand",
    "LiveRun",
    "LiveState",
    "NewCommand",
    "NewComparison",
    "NewRun",
    "Part",
    "Run",
    "RunResult",
    "RunState",
    "Snapshot",
    "Store",
    "publish",
    "publish_whole",
    "queries",
    "read_only",
    "write_parts",
]
