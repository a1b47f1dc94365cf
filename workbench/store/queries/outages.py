"""What broke in a run, and what came of it."""

from __future__ import annotations

import pyarrow as pa

from workbench.store.queries.scope import complete_run
from workbench.store.store import Store


def outages(store: Store, *, run_id: int) -> pa.Table:
    """Return the outages of a run: each fault of each server, sorted by its begin.

    Args:
        store: the lake.
        run_id: the run.

    Returns:
        `server_id` (null where a fault is about none), `fault`, `begin_s` and `end_s` (null where it lasts),
        `detected_s`, `ejected_s`, `back_s` and `settled_s` in seconds, `sent`, `failed` and `retried`, and
        `goodput_before_per_s`, `goodput_during_per_s` and `goodput_after_per_s` a second. No rows where
        nothing broke.

    Raises:
        NotFoundError: no such run, or it is not complete.
    """
    complete_run(store, run_id)
    return store.query(_outages_sql(store, run_id), views=())


def _outages_sql(store: Store, run_id: int) -> str:
    return f"""
        select server_id,
            fault,
            begin_us / 1e6 as begin_s,
            end_us / 1e6 as end_s,
            detected_s,
            ejected_s,
            back_s,
            settled_s,
            sent,
            failed,
            retried,
            goodput_before_per_s,
            goodput_during_per_s,
            goodput_after_per_s
        from {store.relation_sql("outages", run_ids=[run_id])}
        order by begin_us, server_id
    """
