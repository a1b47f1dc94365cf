"""What became of a live run in one sample interval, as rows of the stored tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.simulate import events_table
from workbench.simulate.engines.reference import SteeredRun
from workbench.simulate.engines.reference.attempts import Attempt
from workbench.simulate.records import Visits
from workbench.simulate.sampling import Sampler
from workbench.tables import HISTOGRAMS, Outcome, Timing, histogram_bins

_COLUMNS = {Timing.RESPONSE: "response_us", Timing.WAIT: "wait_us", Timing.SERVICE: "service_us"}

Ints = NDArray[np.int64]


class SliceSampler:
    """Samples a run interval by interval; only what is at the servers or new is looked at.

    Args:
        run: the run.
        run_id: its number.
    """

    def __init__(self, run: SteeredRun, run_id: int) -> None:
        self._run = run
        self._run_id = run_id
        self._servers = run.scenario.servers()
        self._there: list[Attempt] = []
        """Attempts that had not left the servers at the last edge."""
        self._seen = 0
        """Attempts so far."""

    def sample(self, begin: float, end: float) -> pa.Table:
        """Give the samples from one edge to the next, seconds; the run stands just before `end`."""
        run = self._run
        new = run.attempts[self._seen :]
        self._seen += len(new)
        candidates = [*self._there, *new]
        waiting = {attempt for machine in run.machines for attempt in machine.waiting}
        sent = [one for one in candidates if not math.isnan(one.sent)]
        sampler = Sampler(self._servers.slots, np.array([begin, end]), shares=self._servers.shares)
        sampler.add(self._visits(sent, waiting, end), until=end)
        self._there = [one for one in candidates if _stays(one, waiting)]
        return sampler.table(self._run_id)

    def _visits(self, sent: Sequence[Attempt], waiting: set[Attempt], end: float) -> Visits:
        delay = [machine.near for machine in self._run.machines]
        reached = np.array([one.sent + delay[one.server] for one in sent], np.float64)
        reached[reached >= end] = math.inf
        begin = np.array([one.begin for one in sent], np.float64)
        finish = np.array([one.finish for one in sent], np.float64)
        finish[np.isfinite(begin) & np.isnan(finish)] = math.inf
        ended = [one.ended if one.over and one not in waiting else math.inf for one in sent]
        return Visits(
            np.array([one.server for one in sent], np.int64),
            reached,
            begin,
            finish,
            np.array(ended, np.float64),
            np.array([one.outcome if one.over else one.told for one in sent], np.int64),
            np.array([one.depth for one in sent], np.int64),
        )


def _stays(attempt: Attempt, waiting: set[Attempt]) -> bool:
    """Tell whether an attempt may still be at a server, or come there, after this interval."""
    if not math.isnan(attempt.finish):
        return False
    return not math.isnan(attempt.begin) or not attempt.over or attempt in waiting


def requests_table(run: SteeredRun, numbers: Sequence[int], run_id: int) -> pa.Table:
    """Give requests, all of them answered, as rows of the requests table.

    Args:
        numbers: of the requests, rising.
    """
    table = run.records_of(numbers).to_table(run_id)
    place = table.schema.get_field_index("req_id")
    return table.set_column(place, table.schema.field(place), pa.array(numbers, pa.int32()))


def new_events(run: SteeredRun, since: int, run_id: int) -> pa.Table:
    """Give the events from the `since`-th on as rows of the events table."""
    return events_table(run.events[since:], run_id)


def tally(requests: pa.Table, width_us: int, run_id: int) -> pa.Table:
    """Count the times of requests as rows of the histograms table, by the interval of their arrival.

    Rows of one bin may stand in several parts: a request is counted once it is answered.

    Args:
        requests: rows of the requests table.
        width_us: length of an interval, microseconds.
    """
    outcome = requests["outcome"].to_numpy().astype(np.int64)
    server = requests["server_id"].fill_null(pa.scalar(-1, pa.int16())).to_numpy().astype(np.int64)
    start = requests["arrival_us"].to_numpy() // width_us * width_us
    found = []
    for timing, column in _COLUMNS.items():
        counted = np.full(len(outcome), True) if timing is Timing.RESPONSE else outcome == Outcome.OK
        bins = histogram_bins(requests[column].to_numpy()).astype(np.int64)
        keys = np.stack((np.full(len(outcome), timing.value), start, outcome, bins))
        found.append(_counted(np.full(len(outcome), -1), keys, counted))
        found.append(_counted(server, keys, counted & (server >= 0)))
    rows = np.concatenate(found, axis=1)
    order = np.lexsort((rows[4], rows[3], rows[2], rows[1], rows[0]))
    names = ("server_id", "timing", "ts_us", "outcome", "bin", "n")
    columns = dict(zip(names, rows[:, order], strict=True))
    columns |= {"run_id": np.full(rows.shape[1], run_id), "interval_us": np.full(rows.shape[1], width_us)}
    arrays = {
        field.name: pa.array(
            columns[field.name],
            field.type,
            mask=columns[field.name] < 0 if field.name == "server_id" else None,
        )
        for field in HISTOGRAMS
    }
    return pa.table(arrays, schema=HISTOGRAMS)


def _counted(server: Ints, keys: Ints, chosen: NDArray[np.bool_]) -> Ints:
    """Count equal columns, each with its server; a row for each key and one for how often."""
    whole = np.concatenate((server[None, :], keys))[:, chosen]
    different, n = np.unique(whole, axis=1, return_counts=True)
    return np.concatenate((different, n[None, :]))
