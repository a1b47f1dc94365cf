"""Runs with what their summaries say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa

from workbench.store.queries.scope import complete_run
from workbench.store.records import RunState
from workbench.store.store import Store


@dataclass(frozen=True)
class Summary:
    """The summary of one run, with the columns of `workbench.tables.SUMMARIES`.

    Args:
        pool: that of the whole pool, by column; None where there is nothing to say.
        servers: those of the servers, one row each, in order.
    """

    pool: Mapping[str, float | None]
    servers: pa.Table


def run_table(
    store: Store, *, limit: int | None = 100, scenario: str | None = None, state: RunState | None = None
) -> pa.Table:
    """List runs with the headline figures of their pools, newest first.

    Args:
        store: the lake.
        limit: at most so many; None for all, at the price of reading the summary of each.
        scenario: only those of the scenario of this name.
        state: only those in this state.

    Returns:
        `run_id`, `scenario`, `strategy`, `seed`, `replication`, `state`, `requests` (in the whole
        run), `utilisation` (0 to 1), `response_mean_s`, `response_p50_s`, `response_p95_s`,
        `response_p99_s` (seconds, measured window), `refused` (requests of the measured window) and
        `started` (UTC). What only a summary knows is null until the run is complete.
    """
    run_ids = [run.run_id for run in store.runs(limit, scenario, state)]
    summaries_sql = store.relation_sql("summaries", run_ids=run_ids)
    return store.query(_run_table_sql(summaries_sql), {"run_ids": run_ids}, views=("runs",))


def summaries(store: Store, *, run_ids: Collection[int]) -> pa.Table:
    """Return the summaries of the pools of some runs.

    Returns:
        The columns of `workbench.tables.SUMMARIES` without `server_id`, one row a run, in order of
        run. A run without results has no row.
    """
    source = store.relation_sql("summaries", run_ids=run_ids)
    return store.query(
        f"select * exclude (server_id) from {source} where server_id is null order by run_id", views=()
    )


def summary(store: Store, *, run_id: int) -> Summary:
    """Return the summary of one run, of the pool and of each server.

    Raises:
        NotFoundError: no such run, or it is not complete.
    """
    complete_run(store, run_id)
    source = store.relation_sql("summaries", run_ids=[run_id])
    pool = summaries(store, run_ids=[run_id]).to_pylist()
    servers = store.query(f"select * from {source} where server_id is not null order by server_id", views=())
    return Summary(pool[0] if pool else {}, servers)


def _run_table_sql(summaries_sql: str) -> str:
    return f"""
        with pools as (select * from {summaries_sql} where server_id is null)
        select run_id, scenario, strategy, seed, replication, state, runs.requests, utilisation,
            response_mean_s, response_p50_s, response_p95_s, response_p99_s, refused, started
        from runs left join pools using (run_id)
        where list_contains($run_ids::INTEGER[], run_id)
        order by run_id desc
    """
