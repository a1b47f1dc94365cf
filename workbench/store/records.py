"""What the catalogue records: runs, the parts that they wrote, and comparisons of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RunState = Literal["running", "complete", "failed", "interrupted"]
"""How far a run is. `interrupted` is never stored: it is a running run whose process is gone."""


@dataclass(frozen=True)
class NewRun:
    """What is known of a run before it starts.

    Args:
        key: hash of all that the records depend on: resolved scenario, seed, replication, engine
            version, input files.
        scenario: name of the scenario.
        scenario_json: the resolved scenario as JSON text.
        strategy: label as the user typed it, such as `power_of_two(choices=3)`.
        seed: 0 or more, below 2**63.
        replication: number of the replication, from 0.
        engine: the engine that simulates, by name.
        version: version of the workbench.
    """

    key: str
    scenario: str
    scenario_json: str
    strategy: str
    seed: int
    replication: int
    engine: str
    version: str


@dataclass(frozen=True)
class RunResult:
    """What is known of a run once it is complete.

    Args:
        requests: requests simulated, those of the warm-up included.
        warm_up_us: start of the measured window, microseconds on the simulated clock.
        end_us: end of the measured window: the last arrival or the horizon, microseconds.
        drained_us: the last event, microseconds.
        elapsed_s: processor time that simulating took, seconds.
        records: share of the requests that are stored one by one, 0 to 1.
    """

    requests: int
    warm_up_us: int
    end_us: int
    drained_us: int
    elapsed_s: float
    records: float = 1.0


@dataclass(frozen=True)
class Part:
    """The rows of one run in one immutable Parquet file.

    Args:
        table: the table that the rows belong to.
        run_id: the run that the rows belong to.
        path: file, relative to the lake, with forward slashes.
        rows: number of the run's rows in it.
        bytes: size of the file.
        min_us: earliest time of the rows, microseconds; None where the table has no time or no rows.
        max_us: latest time of the rows, microseconds; None where the table has no time or no rows.
        checksum: SHA-256 of the file, hexadecimal.
        schema_version: version of the schema that it was written with.
        runs: how many runs the file was written with; more than one once it is compacted.
    """

    table: str
    run_id: int
    path: str
    rows: int
    bytes: int
    min_us: int | None
    max_us: int | None
    checksum: str
    schema_version: int
    runs: int = 1


@dataclass(frozen=True)
class StoredFile:
    """A Parquet file that the catalogue lists.

    Args:
        path: file, relative to the lake, with forward slashes.
        table: the table that its rows belong to.
        rows: number of rows in it, those included that no run owns any more.
        bytes: its size.
        checksum: its SHA-256, hexadecimal.
        schema_version: version of the schema that it was written with.
        runs: how many runs it was written with.
    """

    path: str
    table: str
    rows: int
    bytes: int
    checksum: str
    schema_version: int
    runs: int


@dataclass(frozen=True)
class Garbage:
    """A file that no run needs any more.

    Args:
        path: file, relative to the lake.
        bytes: its size.
        since: when it was last needed, in UTC.
    """

    path: str
    bytes: int
    since: datetime


@dataclass(frozen=True)
class Run(NewRun):
    """A run as the catalogue knows it; what its result adds is None until it is complete.

    Args:
        run_id: number of the run, from 1.
        state: how far it is.
        started: when it started, or was started again, in UTC.
        finished: when it was completed or failed, in UTC.
        reason: why it failed.
    """

    run_id: int
    state: RunState
    started: datetime
    finished: datetime | None
    reason: str | None
    requests: int | None
    warm_up_us: int | None
    end_us: int | None
    drained_us: int | None
    elapsed_s: float | None
    records: float = 1.0
    """Share of the requests that are stored one by one, 0 to 1."""
    revision: int = 0
    """Version of the manifest when it was last completed; 0 before."""


@dataclass(frozen=True)
class NewComparison:
    """A comparison of strategies over one scenario, before it is stored.

    Args:
        name: what it is called.
        scenario_json: the resolved scenario that its strategies share, as JSON text.
        metric: the metric that was compared, such as `response_p99_s`.
        replications: replications of each strategy.
        run_ids: the run of each (strategy, replication).
        result_json: what was found, as JSON text.
    """

    name: str
    scenario_json: str
    metric: str
    replications: int
    run_ids: Mapping[tuple[str, int], int]
    result_json: str


@dataclass(frozen=True)
class Comparison(NewComparison):
    """A comparison as the catalogue knows it.

    Args:
        comparison_id: number of the comparison, from 1.
        created: when it was stored, in UTC.
    """

    comparison_id: int
    created: datetime
