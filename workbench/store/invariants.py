"""Checks on the rows of tables before they are written: what must hold between them.

Times go on, counts are conserved. Each check yields what it found, with table and column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.tables import Outcome, Timing

_ROUNDING_US = 2
"""What rounding to whole microseconds can make of a sum."""

_BLOCK = 32_768
"""Rows that are looked at at once."""


def broken_invariants(tables: Mapping[str, pa.Table]) -> Iterator[str]:
    """Say which invariants the tables of a run break.

    Args:
        tables: tables by name, their columns as the schemas say.
    """
    for name, check in _CHECKS.items():
        if name in tables and tables[name].num_rows:
            yield from check(tables[name])
    if "requests" in tables and "histograms" in tables:
        yield from _both(tables["requests"], tables["histograms"])


def _requests(table: pa.Table) -> Iterator[str]:
    arrival, number = table["arrival_us"].to_numpy(), table["req_id"].to_numpy()
    yield from _broken("requests.arrival_us", "does not go back", arrival[1:] < arrival[:-1])
    yield from _broken("requests.req_id", "rises", number[1:] <= number[:-1])
    times = [table[name].to_numpy() for name in ("response_us", "wait_us", "service_us")]
    if _least_left(*times) >= -_ROUNDING_US:
        return
    response, wait, service = times
    short = (response - wait - service < -_ROUNDING_US) & (table["outcome"].to_numpy() == Outcome.OK)
    if (count := np.count_nonzero(short)) > 0:
        place = int(np.argmax(short))
        yield (
            f"requests.response_us: {count:,} ok requests answered before their wait and service were over, "
            f"the first in row {place}"
        )


def _least_left(response: NDArray[Any], wait: NDArray[Any], service: NDArray[Any]) -> int:
    """The least of response - wait - service, in blocks that stay in the processor's cache."""
    least = 0
    left = np.empty(min(_BLOCK, len(response)), response.dtype)
    for begin in range(0, len(response), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        inside = left[: len(response[block])]
        np.subtract(response[block], wait[block], out=inside)
        np.subtract(inside, service[block], out=inside)
        least = min(least, int(inside.min()))
    return least


def _broken(column: str, rule: str, broken: NDArray[np.bool_]) -> Iterator[str]:
    if broken.any():
        row = int(np.argmax(broken)) + 1
        yield f"{column}: it {rule} from row to row, except in row {row}"


def _samples(table: pa.Table) -> Iterator[str]:
    server, start = table["server_id"].to_numpy(), table["ts_us"].to_numpy()
    same = np.diff(server) == 0
    back = np.diff(server) < 0
    if np.any(back):
        yield f"samples.server_id: row {int(np.argmax(back)) + 1} goes back to an earlier server"
    # There may be time between them: a gap in what is known of a system that is watched.
    early = same & (start[:-1] + table["interval_us"].to_numpy()[:-1] > start[1:])
    if np.any(early):
        row = int(np.argmax(early)) + 1
        yield f"samples.ts_us: the interval of row {row} begins before the one before ends"


def _histograms(table: pa.Table) -> Iterator[str]:
    pool = pc.is_null(table["server_id"]).to_numpy()
    timing, n = table["timing"].to_numpy(), table["n"].to_numpy()
    ok = table["outcome"].to_numpy() == Outcome.OK

    def total(chosen: NDArray[Any]) -> int:
        return int(n[chosen].sum())

    expected = total(pool & ok & (timing == Timing.RESPONSE))
    for each in Timing:
        for where, rows in (("the pool", pool), ("the servers", ~pool)):
            found = total(rows & ok & (timing == each))
            if found != expected:
                yield (
                    f"histograms.n: {found:,} ok {each.label} times of {where}, "
                    f"{expected:,} ok responses of the pool"
                )
    if np.any((timing != Timing.RESPONSE) & ~ok):
        yield "histograms.outcome: wait and service times of requests that did not end ok"


def _summaries(table: pa.Table) -> Iterator[str]:
    labels = [outcome.label for outcome in Outcome if outcome.label in table.column_names]
    ended = np.sum([table[label].to_numpy() for label in labels], axis=0)
    requests = table["requests"].to_numpy()
    wrong = np.flatnonzero(ended != requests)
    if len(wrong):
        row = int(wrong[0])
        yield f"summaries.requests: {requests[row]:,} in row {row}, of which {ended[row]:,} ended in some way"
    pool = pc.is_null(table["server_id"]).to_numpy()
    ok = table["ok"].to_numpy()
    if (count := np.count_nonzero(pool)) != 1:
        yield f"summaries.server_id: {count} rows of the whole pool; there must be one"
    elif np.any(~pool) and ok[~pool].sum() != ok[pool].sum():
        yield f"summaries.ok: {ok[~pool].sum():,} of the servers, {ok[pool].sum():,} of the pool"


def _both(requests: pa.Table, histograms: pa.Table) -> Iterator[str]:
    if not requests.num_rows:
        return
    pool = pc.is_null(histograms["server_id"]).to_numpy()
    responses = histograms["timing"].to_numpy() == Timing.RESPONSE
    counted = int(histograms["n"].to_numpy()[pool & responses].sum())
    last = requests["req_id"][-1].as_py()
    if counted <= last:
        yield f"histograms.n: {counted:,} responses of the pool, but there is a request number {last}"


_CHECKS = {
    "requests": _requests,
    "samples": _samples,
    "histograms": _histograms,
    "summaries": _summaries,
}
