"""A live run's journal in the store: commands from there, and everything that becomes of the run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pyarrow as pa

from workbench.monitor.live import Batch, Order, Slice, tally
from workbench.simulate import kept_requests
from workbench.store import CommandResult, NewCommand, Part, Snapshot, Store, maintenance, write_parts

STREAMED = ("samples", "events", "histograms", "requests")
"""The tables that grow while a run is live; the others are written at its end."""

_BETWEEN_MERGES = 32
"""Commits after which small parts are looked for."""


class StoreJournal:
    """Keeps a live run in a store.

    Args:
        store: the lake.
        run_id: number of the run.
        sample_us: length of an interval, microseconds.
        stop: when set, the command `stop` is put into the journal once.
        stopper: in whose name that is.
        committed: told of each simulated time until which everything is stored, microseconds.
    """

    def __init__(
        self,
        store: Store,
        run_id: int,
        *,
        sample_us: int,
        stop: threading.Event,
        stopper: str,
        committed: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._store, self._run_id, self._sample_us = store, run_id, sample_us
        self._stop, self._stopper, self._committed = stop, stopper, committed
        self._stopped = False
        self._seen = -1
        self._commits = 0

    def waiting(self) -> Sequence[Order]:
        """Give the commands that wait, in the order in which they were sent."""
        if self._stop.is_set() and not self._stopped:
            self._stopped = True
            told = NewCommand("stop", self._stopper, "its process was told to end")
            self._store.catalogue.lives.send(self._run_id, told)
        version = self._store.version
        if version == self._seen:
            return []
        self._seen = version
        return [
            Order(one.command_id, one.command, one.author, one.reason, one.forced)
            for one in self._store.catalogue.lives.commands(self._run_id, state="waiting")
        ]

    def commit(self, batch: Batch) -> None:
        """Keep a batch; it is safe when this returns."""
        snapshot = Snapshot(
            at_us=batch.at_us,
            requests=batch.requests,
            answered=batch.answered,
            behind_s=batch.behind_s,
            paused=batch.paused,
            speed=batch.speed,
        )
        results = [CommandResult(one.number, one.applied, one.at_us, one.result) for one in batch.outcomes]
        parts = self._write(batch)
        self._store.commit_live(self._run_id, snapshot, results=results, parts=parts)
        self._committed(batch.at_us)
        self._commits += 1
        if self._commits % _BETWEEN_MERGES == 0:
            maintenance.merge_small_parts(self._store, self._run_id, STREAMED)

    def _write(self, batch: Batch) -> list[Part]:
        tables = batch_tables(batch.slices, batch.events, sample_us=self._sample_us, run_id=self._run_id)
        requests = tables.pop("requests", None)
        parts = write_parts(self._store.files, self._run_id, tables)
        if requests is not None and (share := self._store.settings.records) > 0:
            kept = kept_requests(requests, share)
            if kept.num_rows:
                parts += write_parts(self._store.files, self._run_id, {"requests": kept})
        return parts


def batch_tables(
    slices: Sequence[Slice], events: pa.Table, *, sample_us: int, run_id: int
) -> dict[str, pa.Table]:
    """Put the intervals of a batch together; tables without a row are left out."""
    tables = {"events": events}
    if slices:
        tables["samples"] = in_order(pa.concat_tables([one.samples for one in slices]))
        requests = pa.concat_tables([one.requests for one in slices]).sort_by("req_id")
        if requests.num_rows:
            tables["requests"] = requests
            tables["histograms"] = tally(requests, sample_us, run_id)
    return {name: table for name, table in tables.items() if table.num_rows}


def in_order(samples: pa.Table) -> pa.Table:
    """Sort samples by server, then time."""
    return samples.sort_by([("server_id", "ascending"), ("ts_us", "ascending")])
