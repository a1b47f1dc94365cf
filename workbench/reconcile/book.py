"""The book of a reconciliation: what people decided, in SQLite.

It holds the versions of the decision configuration, the cases of the review, every verdict, and how
confident the matchings were that were watched. Any number of processes may use it at once; what was
acknowledged outlives a kill or a power cut.
"""

from __future__ import annotations

from workbench.sqlite_file import Migrations, SqliteFile

FILE_NAME = "reconciliation.sqlite"

_FIRST = (
    """create table versions (
        version integer primary key,
        content text not null,
        author text not null,
        at text not null,
        reason text not null
    )""",
    """create table cases (
        case_id integer primary key autoincrement,
        proposal_id text not null unique,
        kind text not null,
        origin text not null check (origin in ('review', 'audit')),
        left_ids text not null,
        right_ids text not null,
        evidence text not null,
        confidence real not null,
        confidence_low real,
        confidence_high real,
        reason text not null,
        value real not null,
        drawn_above real not null,
        opened text not null,
        decided integer not null default 0 check (decided in (0, 1)),
        holder text,
        held_until text
    )""",
    "create index cases_by_value on cases (decided, origin, value desc, proposal_id)",
    """create table verdicts (
        verdict_id integer primary key autoincrement,
        case_id integer not null references cases,
        verdict text not null check (verdict in ('accept', 'reject', 'repair', 'split')),
        left_ids text not null,
        right_ids text not null,
        blind integer not null check (blind in (0, 1)),
        by text not null,
        at text not null,
        note text not null
    )""",
    "create index verdicts_by_case on verdicts (case_id, verdict_id)",
    # One row a matching that was watched: how many confidences lie up to each bound.
    """create table matchings (
        fingerprint text primary key,
        at text not null,
        counts text not null,
        total real not null
    )""",
)
_MIGRATIONS: Migrations = (_FIRST,)
"""Never changed once released; a change is a new one at the end."""


class Book(SqliteFile):
    """The SQLite file, opened.

    Args:
        file: where it is; it and its folder are made where they are missing.
        busy_s: how long a transaction waits for that of another process, seconds.

    Raises:
        CatalogueError: the file is corrupt, locked or cannot be written.
        SchemaVersionError: it was written by a newer version.
    """

    noun = "book"
    migrations = _MIGRATIONS
