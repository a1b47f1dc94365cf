"""Samples of a run: what each server's queue did, interval by interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

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
    sampler = Sampler.of(scenario, drained=records.drained)
    sampler.add(records.visits(), until=math.inf)
    return sampler.table(run_id)


class Sampler:
    """Samples a run some requests at a time, in the order of arrival.

    Args:
        slots: of each server.
        edges: of the intervals, seconds.
        shares: of each server whether all that are there share it; none does by default.
    """

    def __init__(self, slots: Sequence[int], edges: Floats, *, shares: Sequence[bool] | None = None) -> None:
        self.slots, self.edges = slots, edges
        self.shares = shares or [False] * len(slots)
        shape = len(slots), len(edges) - 1
        self._sums: dict[str, NDArray[Any]] = {
            **{name: np.zeros(shape) for name in ("queue_depth", "in_service")},
            **{name: np.zeros(shape, np.int32) for name in ("arrivals", "completions", "refused")},
        }
        self._most: dict[str, NDArray[Any]] = {
            "queue_max": np.zeros(shape, np.int32),
            "oldest_us": np.zeros(shape, np.int64),
        }
        self._since = 0.0
        nobody = np.empty(0)
        self._waiting: list[tuple[Floats, Floats]] = [(nobody, nobody)] * len(slots)
        """Of each server the requests that later ones may meet: when they come, and leave the queue.

        Where all share a server, until when they are there.
        """

    @classmethod
    def of(cls, scenario: Scenario, *, drained: float) -> Self:
        """Sample a whole run, in intervals of the length that suits it.

        Args:
            scenario: what is simulated.
            drained: when the last answer comes, seconds.

        Raises:
            InputError: `sample_every` is so short that there would be more than 20 million rows.
        """
        pool = scenario.servers()
        width = scenario.sample_every or nice_width(drained / _default_intervals(pool.count))
        count = max(1, math.ceil(drained / width))
        if count * pool.count > _MOST_ROWS:
            raise InputError(
                f"sample_every: given {width:g}s; "
                f"allowed: {drained * pool.count / _MOST_ROWS:.3g}s or more, "
                f"so that there are at most {_MOST_ROWS:,} samples"
            )
        return cls(pool.slots, np.arange(count + 1, dtype=np.float64) * width, shares=pool.shares)

    def add(self, visits: Visits, *, until: float) -> None:
        """Count what came to the servers.

        Args:
            visits: of the next requests. Infinite is a begin, a finish or an end that is still to come
                after the last edge.
            until: no request that is added later comes before this time, seconds; infinite for the last.
        """
        for server, members in enumerate(_by_server(visits, len(self.slots))):
            found = _sample_server(visits, members, self.edges, shared=self.shares[server])
            come, left = (
                np.concatenate(both)
                for both in zip(self._waiting[server], (found.come, found.left), strict=True)
            )
            most = {
                "queue_max": _highest(come, left, self.edges),
                "oldest_us": _oldest(come, left, self.edges[1:]),
            }
            if self.shares[server]:
                slots, last = self.slots[server], float(left.max(initial=0.0))
                found.sums.update(
                    _split_level(come, left, slots, self.edges, (self._since, min(until, last)))
                )
                most["queue_max"] = np.maximum(most["queue_max"] - slots, 0)
                most["oldest_us"][_present(come, left, self.edges[1:]) <= slots] = 0
            for name, values in self._sums.items():
                values[server] += found.sums[name]
            for name, values in self._most.items():
                values[server] = np.maximum(values[server], most[name])
            stays = left > until
            self._waiting[server] = come[stays], left[stays]
        self._since = until

    def table(self, run_id: int = 0) -> pa.Table:
        """Give what was added as rows of the samples table."""
        servers, count = len(self.slots), len(self.edges) - 1
        length = np.diff(self.edges)
        in_service, queue = (
            (np.maximum(self._sums[name], 0.0) / length).astype(np.float32).ravel()
            for name in ("in_service", "queue_depth")
        )
        starts = microseconds(self.edges)
        columns: dict[str, Any] = {
            **{name: values.ravel() for name, values in (self._sums | self._most).items()},
            "queue_depth": queue,
            "in_service": in_service,
            "run_id": np.full(servers * count, run_id),
            "server_id": np.repeat(np.arange(servers), count),
            "ts_us": np.tile(starts[:-1], servers),
            "interval_us": np.tile(np.diff(starts), servers),
            "utilisation": in_service / np.repeat(np.array(self.slots, dtype=np.float64), count),
        }
        return pa.table(
            {field.name: pa.array(columns[field.name], field.type) for field in SAMPLES}, schema=SAMPLES
        )


def _default_intervals(servers: int) -> int:
    return max(50, min(_INTERVALS, _DEFAULT_ROWS // servers))


def nice_width(width: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten, in whole microseconds."""
    width = max(width, 1e-6)
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= width * (1 - 1e-9))


def _by_server(visits: Visits, servers: int) -> list[Ints]:
    order = np.argsort(visits.server, kind="stable")
    edges = np.searchsorted(visits.server[order], np.arange(servers + 1))
    return [order[low:high] for low, high in pairwise(edges)]


class _Sampled(NamedTuple):
    sums: dict[str, NDArray[Any]]
    """What the requests add to each interval."""
    come: Floats
    """When those who had to wait came."""
    left: Floats
    """When they left the queue."""


def _sample_server(visits: Visits, members: Ints, edges: Floats, *, shared: bool) -> _Sampled:
    begun, done = np.isfinite(visits.begin[members]), ~np.isnan(visits.finish[members])
    reached, refused = visits.reached[members], visits.outcome[members] == Outcome.REFUSED
    let_in = begun | ((visits.queue_depth[members] >= 0) & ~refused)
    left_queue = np.where(begun, visits.begin[members], visits.ended[members])[let_in]
    come = np.minimum(reached[let_in], left_queue)
    waited = left_queue > come
    begin, finish = visits.begin[members][done], visits.finish[members][done]
    whole = visits.outcome[members][done] != Outcome.RESET
    sums: dict[str, NDArray[Any]] = {
        "queue_depth": _spent(come, left_queue, edges),
        "in_service": _spent(begin, finish, edges),
        "arrivals": _count(reached, edges),
        "completions": _count(finish[whole], edges),
        "refused": _count(reached[refused], edges),
    }
    if shared:
        return _Sampled(sums, reached[done], finish)
    return _Sampled(sums, come[waited], left_queue[waited])


def _split_level(
    enter: Floats, leave: Floats, slots: int, edges: Floats, span: tuple[float, float]
) -> dict[str, NDArray[Any]]:
    """Split the number present over a span of time into those that slots suffice for, and the rest.

    Gives the seconds of both in each interval.
    """
    times = np.concatenate((leave, enter))
    steps = np.concatenate((np.full(len(leave), -1.0), np.ones(len(enter))))
    order = np.argsort(times, kind="stable")
    times, level = np.clip(times[order], *span), np.cumsum(steps[order])
    inside, found = np.minimum(level, slots), {}
    for name, values in (("in_service", inside), ("queue_depth", level - inside)):
        seconds = np.concatenate(([0.0], np.cumsum(values[:-1] * np.diff(times))))
        found[name] = np.diff(np.interp(edges, times, seconds)) if len(times) else 0.0 * edges[1:]
    return found


def _spent(enter: Floats, leave: Floats, edges: Floats) -> Floats:
    """Time spent in each interval by those who enter and leave at these times."""
    return np.diff(_cut_sum(leave, edges) - _cut_sum(enter, edges))


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


def _oldest(enter: Floats, leave: Floats, at: Floats) -> Ints:
    """At each time for how long the oldest has been present, in microseconds; 0 where nobody is."""
    order = np.argsort(enter, kind="stable")
    entered = np.append(enter[order], np.inf)
    # The first that has not left: all that entered before it have.
    first = entered[np.searchsorted(np.maximum.accumulate(leave[order]), at, side="right")]
    present = first <= at
    return microseconds(np.where(present, at - np.where(present, first, 0.0), 0.0))


def _present(enter: Floats, leave: Floats, at: Floats) -> Ints:
    """Number present at each time, of those who enter and leave at these times."""
    entered, left = (np.searchsorted(np.sort(times), at, side="right") for times in (enter, leave))
    return np.asarray(entered - left, np.int64)


def _count(times: Floats, edges: Floats) -> NDArray[np.int32]:
    times = times[(times >= edges[0]) & (times <= edges[-1])]
    inside = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    return np.bincount(inside, minlength=len(edges) - 1).astype(np.int32)
