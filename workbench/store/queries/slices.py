"""The pool of a run in its measured window, slice by slice: what intervals from one run are made of."""

from __future__ import annotations

import pyarrow as pa

from workbench.store.queries.binned import slices_in
from workbench.store.queries.scope import complete_run, measured_window
from workbench.store.store import Store
from workbench.tables import Outcome, Timing


def has_slices(store: Store, run_id: int) -> bool:
    """Whether a run has histograms; those of the first version have none."""
    return bool(store.parts("histograms", [run_id]))


def sliced_times(store: Store, *, run_id: int, timing: Timing) -> pa.Table:
    """Count the times of ok requests by slice and bin.

    Returns:
        `ts_us` (start of the slice), `bin` (as in the histograms) and `n`, in order of slice and bin.

    Raises:
        NotFoundError: no such run, or it is not complete, or it has no histograms.
    """
    scope = slices_in(store, run_id, None)
    return store.query(
        f"""
        select ts_us, bin, sum(n)::BIGINT as n from {scope.sql}
        where outcome_code = {Outcome.OK.value} and timing_code = {timing.value}
        group by ts_us, bin order by ts_us, bin
        """,
        views=(),
    )


def sliced_refusals(store: Store, *, run_id: int) -> pa.Table:
    """Count requests, and those that a server refused, by slice.

    Returns:
        `ts_us` (start of the slice), `requests` and `refused`, in order of slice.

    Raises:
        NotFoundError: no such run, or it is not complete, or it has no histograms.
    """
    scope = slices_in(store, run_id, None)
    return store.query(
        f"""
        select ts_us, sum(n)::BIGINT as requests,
            coalesce(sum(n) filter (where outcome_code = {Outcome.REFUSED.value}), 0)::BIGINT as refused
        from {scope.sql} where timing_code = {Timing.RESPONSE.value}
        group by ts_us order by ts_us
        """,
        views=(),
    )


def sliced_service(store: Store, *, run_id: int) -> pa.Table:
    """Add up over the servers what is in service, interval by interval of the samples.

    Returns:
        `ts_us` (start of the interval), `interval_us` and `in_service` (mean over the interval), in order of
        time, for the intervals that lie whole in the measured window.

    Raises:
        NotFoundError: no such run, or it is not complete.
    """
    begin, end = measured_window(complete_run(store, run_id))
    return store.query(
        f"""
        select ts_us, any_value(interval_us) as interval_us, sum(in_service::DOUBLE) as in_service
        from {store.relation_sql("samples", run_ids=[run_id])}
        where ts_us >= {begin} and ts_us + interval_us <= {end}
        group by ts_us order by ts_us
        """,
        views=(),
    )
