"""The catalogue's schema, as numbered migrations.

A migration is never changed once it was released; a change is a new one at the end. Each runs in
one transaction that also sets `user_version`, so a catalogue is at one version or the next.
"""

from __future__ import annotations

_FIRST = (
    # `version` rises with every commit that changes what readers see.
    """create table manifest (
        version integer not null,
        published integer not null
    )""",
    "insert into manifest values (0, 0)",
    """create table runs (
        run_id integer primary key autoincrement,
        key text not null unique,
        scenario text not null,
        scenario_json text not null,
        strategy text not null,
        seed integer not null,
        replication integer not null,
        engine text not null,
        version text not null,
        state text not null check (state in ('running', 'complete', 'failed')),
        started text not null,
        finished text,
        reason text,
        requests integer,
        warm_up_us integer,
        end_us integer,
        drained_us integer,
        elapsed_s real,
        host text not null,
        pid integer not null,
        process_started text not null
    )""",
    "create index runs_by_scenario on runs (scenario, run_id)",
    "create index runs_by_state on runs (state, run_id)",
    """create table parts (
        path text primary key,
        "table" text not null,
        run_id integer not null references runs,
        rows integer not null,
        bytes integer not null,
        min_us integer,
        max_us integer,
        checksum text not null,
        schema_version integer not null
    )""",
    'create index parts_by_run on parts (run_id, "table")',
    """create table comparisons (
        comparison_id integer primary key autoincrement,
        name text not null,
        scenario_json text not null,
        metric text not null,
        replications integer not null,
        result_json text not null,
        created text not null
    )""",
    """create table comparison_runs (
        comparison_id integer not null references comparisons,
        strategy text not null,
        replication integer not null,
        run_id integer not null references runs,
        primary key (comparison_id, strategy, replication)
    )""",
)

_FILES = (
    # `records` is the share of the requests that are stored one by one. `revision` is the manifest's
    # version when the run was last completed, so that a copy knows which runs it has in their present state.
    "alter table runs add column records real not null default 1",
    "alter table runs add column revision integer not null default 0",
    "update runs set revision = 1 where state = 'complete'",
    # A compacted file holds the rows of several runs; `runs` is how many it was written with.
    """create table files (
        path text primary key,
        "table" text not null,
        rows integer not null,
        bytes integer not null,
        checksum text not null,
        schema_version integer not null,
        runs integer not null
    )""",
    """insert into files (path, "table", rows, bytes, checksum, schema_version, runs)
        select path, "table", rows, bytes, checksum, schema_version, 1 from parts""",
    """create table rows_of_runs (
        path text not null references files,
        run_id integer not null references runs,
        rows integer not null,
        min_us integer,
        max_us integer,
        primary key (path, run_id)
    )""",
    """insert into rows_of_runs (path, run_id, rows, min_us, max_us)
        select path, run_id, rows, min_us, max_us from parts""",
    "create index rows_by_run on rows_of_runs (run_id)",
    "drop table parts",
    # Files that nobody needs any more, left for a while to those who still read them.
    """create table garbage (
        path text primary key,
        bytes integer not null,
        since text not null
    )""",
)

_LIVES = (
    # `at_us` is the snapshot: everything until then is stored, and a run that is resumed begins there.
    """create table live_runs (
        run_id integer primary key references runs,
        state text not null check (state in ('running', 'paused')),
        speed real,
        sample_us integer not null,
        until_us integer,
        at_us integer not null,
        requests integer not null,
        answered integer not null,
        behind_s real not null,
        committed text not null
    )""",
    """create table live_commands (
        command_id integer primary key autoincrement,
        run_id integer not null references live_runs,
        command text not null,
        author text not null,
        reason text not null,
        forced integer not null,
        sent text not null,
        state text not null check (state in ('waiting', 'applied', 'refused')),
        at_us integer,
        done text,
        result text not null
    )""",
    "create index live_commands_by_run on live_commands (run_id, state)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _FILES, _LIVES)
"""The statements of each migration; the first brings an empty catalogue to version 1."""

CATALOGUE_VERSION = len(MIGRATIONS)
"""The version that this workbench reads and writes."""
