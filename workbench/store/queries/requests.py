"""Single requests."""

from __future__ import annotations

import pyarrow as pa

from workbench.errors import InputError
from workbench.store.queries.scope import Scope, Span, complete_run, requests_in
from workbench.store.store import Store
from workbench.tables import Outcome

_TIMES = ("wait", "service", "network", "response")


def slowest_requests(store: Store, *, run_id: int, count: int = 20, window: Span | None = None) -> pa.Table:
    """Return the ok requests with the longest response times, the longest first.

    Of a run that kept a share of its requests, those among the kept.

    Args:
        store: the lake.
        run_id: the run.
        count: how many at most, 1 or more.
        window: from and to, seconds on the simulated clock, the end outside; None is the measured
            window.

    Returns:
        `req_id`, `arrival_s`, `balancer_id`, `server_id`, `queue_depth` (requests waiting when it
        came), and `wait_s`, `service_s`, `network_s` and `response_s`; times in seconds.

    Raises:
        NotFoundError: no such run, or it is not complete, or it kept no requests.
        InputError: a count below 1, or an empty window.
    """
    if count < 1:
        raise InputError(f"the {count} slowest requests; at least 1 is needed")
    return store.query(_slowest_sql(requests_in(store, run_id, window)), {"count": count}, views=())


def requests_of_run(store: Store, *, run_id: int) -> pa.Table:
    """Return all requests of a run, warm-up included, in the order of arrival.

    Args:
        store: the lake.
        run_id: the run.

    Returns:
        `arrival_s`, `wait_s`, `service_s` and `response_s` in seconds, `server_id` (-1 where there was
        none) and `outcome`, the code.

    Raises:
        NotFoundError: no such run, or it is not complete, or it kept no requests.
    """
    scope = requests_in(store, run_id, (0.0, 9e12))
    times = ", ".join(f"{name}_us / 1e6 as {name}_s" for name in ("arrival", "wait", "service", "response"))
    return store.query(
        f"""
        select {times}, coalesce(server_id, -1) as server_id, outcome_code as outcome
        from {scope.sql}
        order by req_id
        """,
        views=(),
    )


def attempts_of_run(store: Store, *, run_id: int) -> pa.Table:
    """Return the attempts of a run that were sent to a server, in the order of the picks.

    Args:
        store: the lake.
        run_id: the run.

    Returns:
        `server_id`, `sent_s`, `begin_s` and `finish_s` (null where its service never began or ended),
        `end_s`, all in seconds, and `outcome`, the code. No rows of a run in which nothing can fail.

    Raises:
        NotFoundError: no such run, or it is not complete.
    """
    complete_run(store, run_id)
    attempts = store.relation_sql("attempts", run_ids=[run_id])
    return store.query(
        f"""
        select server_id, (ts_us + queued_us) / 1e6 as sent_s, begin_us / 1e6 as begin_s,
            finish_us / 1e6 as finish_s, end_us / 1e6 as end_s, outcome_code as outcome
        from {attempts}
        where server_id is not null
        order by attempt_id
        """,
        views=(),
    )


def _slowest_sql(scope: Scope) -> str:
    times = ", ".join(f"{name}_us / 1e6 as {name}_s" for name in _TIMES)
    return f"""
        select req_id, arrival_us / 1e6 as arrival_s, balancer_id, server_id, queue_depth, {times}
        from {scope.sql}
        where outcome_code = {Outcome.OK.value}
        order by response_us desc, req_id
        limit $count
    """
