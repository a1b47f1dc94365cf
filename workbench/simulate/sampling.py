"""Samples of a run: what each server's queue did, interval by interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.simulate.records import Records, Visits, microseconds
from workbench.simulate.scenario import Scenario
from workbench.tables import SAMPLES, Outcome

_INTERVALS = 500
_DEFAULT_ROWS = 1_000_000
_MOST_ROWS = 20_000_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def sample(records: Records, scenario: Scenario, *, run_id: int = 0) -> pa.Table:
    """Sample a run as rows of the samples table, until the last answer.

    Raises:
        InputError: `sample_every` is so short that there would be more than 20 million rows.
    """
    slots = scenario.servers().slots
    width = scenario.sample_every or nice_width(records.drained / _default_intervals(len(slots)))
    count = max(1, math.ceil(records.drained / width))
    if count * len(slots) > _MOST_ROWS:
        raise InputError(
            f"sample_every: given {width:g}s; "
            f"allowed: {records.drained * len(slots) / _MOST_ROWS:.3g}s or more, "
            f"so that there are at most {_MOST_ROWS:,} samples"
        )
    edges = np.arange(count + 1, dtype=np.float64) * width
    return sample_visits(records.visits(), slots, edges, run_id=run_id)


def sample_visits(visits: Visits, slots: Sequence[int], edges: Floats, *, run_id: int = 0) -> pa.Table:
    """Sample what came to the servers as rows of the samples table.

    Args:
        visits: all that was at a server between the first and the last edge, or came then. Infinite is a
            begin, a finish or an end that is still to come.
        slots: of each server.
        edges: of the intervals, seconds.
        run_id: number of the run.
    """
    count = len(edges) - 1
    parts = [_sample_server(visits, members, edges) for members in _by_server(visits, len(slots))]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    starts = microseconds(edges)
    servers = np.repeat(np.arange(len(slots)), count)
    utilisation = whole["in_service"] / np.repeat(np.array(slots, dtype=np.float64), count)
    columns = whole | {
        "run_id": np.full(len(servers), run_id),
        "server_id": servers,
        "ts_us": np.tile(starts[:-1], len(slots)),
        "interval_us": np.tile(np.diff(starts), len(slots)),
        "utilisation": utilisation,
    }
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in SAMPLES}, schema=SAMPLES
    )


def _default_intervals(servers: int) -> int:
    return max(50, min(_INTERVALS, _DEFAULT_ROWS // servers))


def nice_width(width: float) -> float:
    """Round a number of seconds up to 1, 2 or 5 times a power of ten, in whole microseconds."""
    width = max(width, 1e-6)
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= width * (1 - 1e-9))


def _by_server(visits: Visits, servers: int) -> list[Ints]:
    order = np.argsort(visits.server, kind="stable")
    edges = np.searchsorted(visits.server[order], np.arange(servers + 1))
    return [order[low:high] for low, high in pairwise(edges)]


def _sample_server(visits: Visits, members: Ints, edges: Floats) -> dict[str, NDArray[np.generic]]:
    begun, done = np.isfinite(visits.begin[members]), ~np.isnan(visits.finish[members])
    reached, refused = visits.reached[members], visits.outcome[members] == Outcome.REFUSED
    let_in = begun | ((visits.queue_depth[members] >= 0) & ~refused)
    left_queue = np.where(begun, visits.begin[members], visits.ended[members])[let_in]
    come = np.minimum(reached[let_in], left_queue)
    waited = left_queue > come
    begin, finish = visits.begin[members][done], visits.finish[members][done]
    whole = visits.outcome[members][done] != Outcome.RESET
    return {
        "queue_depth": _mean_level(come, left_queue, edges).astype(np.float32),
        "queue_max": _highest(come[waited], left_queue[waited], edges).astype(np.int32),
        "in_service": _mean_level(begin, finish, edges).astype(np.float32),
        "arrivals": _count(reached, edges),
        "completions": _count(finish[whole], edges),
        "refused": _count(reached[refused], edges),
    }


def _mean_level(enter: Floats, leave: Floats, edges: Floats) -> Floats:
    """Mean number present in each interval, of those who enter and leave at these times."""
    present = np.diff(_cut_sum(leave, edges) - _cut_sum(enter, edges))
    return np.maximum(present, 0.0) / np.diff(edges)


def _cut_sum(times: Floats, edges: Floats) -> Floats:
    """For each edge e the sum of min(time, e)."""
    ordered = np.sort(times)
    before = np.searchsorted(ordered, edges)
    sums = np.concatenate(([0.0], np.cumsum(ordered)))
    return sums[before] + edges * (len(ordered) - before)


def _highest(enter: Floats, leave: Floats, edges: Floats) -> Ints:
    """Largest number present in each interval; of one instant, those who leave go first."""
    times = np.concatenate((leave, enter))
    steps = np.concatenate((np.full(len(leave), -1), np.full(len(enter), 1)))
    order = np.lexsort((steps, times))
    times, level = times[order], np.cumsum(steps[order])
    highest = np.concatenate(([0], level))[np.searchsorted(times, edges[:-1])]
    later = times >= edges[0]
    inside = np.clip(np.searchsorted(edges, times[later], side="right") - 1, 0, len(highest) - 1)
    np.maximum.at(highest, inside, level[later])
    return highest


def _count(times: Floats, edges: Floats) -> NDArray[np.int32]:
    times = times[(times >= edges[0]) & (times <= edges[-1])]
    inside = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    return np.bincount(inside, minlength=len(edges) - 1).astype(np.int32)
