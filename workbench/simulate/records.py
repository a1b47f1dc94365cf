"""The records of a run: what became of every request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench import tables
from workbench.errors import SimulationError
from workbench.tables import Outcome

if TYPE_CHECKING:
    from workbench.simulate.events import Event

_US = 1e6
_MOST_US = 2.0**63


@dataclass(frozen=True, eq=False)
class Attempts:
    """One entry an attempt in each array, in the order of the picks; times in seconds, NaN for never."""

    request: NDArray[np.int64]
    call: NDArray[np.int64]
    """The client's try that it belongs to, from 0."""
    came: NDArray[np.float64]
    """When the balancer picked."""
    sent: NDArray[np.float64]
    """When it was sent to the server."""
    begin: NDArray[np.float64]
    finish: NDArray[np.float64]
    """When its service ended, or broke off."""
    ended: NDArray[np.float64]
    """When the balancer was done with it."""
    balancer: NDArray[np.int64]
    server: NDArray[np.int64]
    """The server that it was sent to; -1 where it was sent to none."""
    outcome: NDArray[np.int64]
    queue_depth: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.request)

    def to_table(self, run_id: int) -> pa.Table:
        """Write the attempts as rows of the attempts table."""
        nowhere = self.server < 0
        waited = np.where(np.isnan(self.sent), self.ended, self.sent) - self.came
        columns: dict[str, Any] = {
            "run_id": np.full(len(self), run_id, np.int32),
            "attempt_id": np.arange(len(self), dtype=np.int32),
            "req_id": self.request.astype(np.int32),
            "call": self.call.astype(np.int16),
            "ts_us": microseconds(self.came),
            "balancer_id": self.balancer.astype(np.int16),
            "server_id": pa.array(self.server.astype(np.int16), mask=nowhere),
            "outcome": self.outcome.astype(np.int8),
            "queued_us": microseconds(waited),
            "queue_depth": pa.array(self.queue_depth.astype(np.int32), mask=self.queue_depth < 0),
            "begin_us": _where_known(self.begin),
            "finish_us": _where_known(self.finish),
            "end_us": microseconds(self.ended),
        }
        return pa.table(columns, schema=tables.ATTEMPTS)


class Visits(NamedTuple):
    """What came to the servers; one entry each, times in seconds, NaN for never."""

    server: NDArray[np.int64]
    reached: NDArray[np.float64]
    begin: NDArray[np.float64]
    finish: NDArray[np.float64]
    """When its service ended or broke off."""
    ended: NDArray[np.float64]
    """When the balancer, or the client, was done with it."""
    outcome: NDArray[np.int64]
    queue_depth: NDArray[np.int64]
    """Requests waiting at the server when it came there; -1 where it did not get that far."""


@dataclass(frozen=True, eq=False)
class Records:
    """One entry a request in each array, in the order of arrival; times in seconds.

    What did not happen is NaN: a refused request has no `begin` and no `finish`.
    """

    arrival: NDArray[np.float64]
    """When the client sent it."""
    begin: NDArray[np.float64]
    """When its service began."""
    finish: NDArray[np.float64]
    """When its service ended."""
    answered: NDArray[np.float64]
    """When the client had its answer, or its refusal."""
    balancer: NDArray[np.int64]
    server: NDArray[np.int64]
    """The server that it was sent to; -1 where there was none."""
    outcome: NDArray[np.int64]
    queue_depth: NDArray[np.int64]
    """Requests waiting at the server when it came there; -1 where it came to none."""
    delay: NDArray[np.float64]
    """One-way network delay of each server, one entry a server."""
    until: float
    """When arrivals ended: the horizon where that is a time, else the last arrival."""
    area: float
    """Integral over the run of the number of requests in the system, as the engine counted it."""
    attempts: Attempts | None = None
    """Every sending of every request; None where each was sent once, or not at all."""
    events: Sequence[Event] = ()
    """What happened besides."""

    def __len__(self) -> int:
        return len(self.arrival)

    @property
    def drained(self) -> float:
        """When the last answer came, seconds; 0 where there was no request."""
        return float(self.answered.max()) if len(self) else 0.0

    @property
    def response(self) -> NDArray[np.float64]:
        """Response times, from sending to the answer."""
        return self.answered - self.arrival

    @property
    def wait(self) -> NDArray[np.float64]:
        """Waiting times at the server; 0 for requests that were not served."""
        reached = self.arrival + self.delay[np.maximum(self.server, 0)]
        return np.where(self.served, np.maximum(self.begin - reached, 0.0), 0.0)

    @property
    def served(self) -> NDArray[np.bool_]:
        """Which requests a server finished."""
        return np.isfinite(self.finish)

    def to_table(self, run_id: int) -> pa.Table:
        """Write the records as rows of the requests table."""
        nowhere = self.server < 0
        service = np.where(self.served, self.finish - self.begin, 0.0)
        columns: dict[str, Any] = {
            "run_id": np.full(len(self), run_id, np.int32),
            "req_id": np.arange(len(self), dtype=np.int32),
            "arrival_us": microseconds(self.arrival),
            "balancer_id": self.balancer.astype(np.int16),
            "server_id": pa.array(self.server.astype(np.int16), mask=nowhere),
            "outcome": self.outcome.astype(np.int8),
            "queue_depth": pa.array(self.queue_depth.astype(np.int32), mask=self.queue_depth < 0),
            "wait_us": microseconds(self.wait),
            "service_us": microseconds(service),
            "response_us": microseconds(self.response),
        }
        return pa.table(columns, schema=tables.REQUESTS)

    def tries(self) -> NDArray[np.int64]:
        """How often each request was sent, or was to be sent."""
        if self.attempts is None:
            return np.ones(len(self), np.int64)
        return np.bincount(self.attempts.request, minlength=len(self)).astype(np.int64)

    def retried(self) -> NDArray[np.bool_]:
        """Which requests took more than one attempt."""
        return self.tries() > 1

    def visits(self) -> Visits:
        """Give what came to the servers: every attempt that was sent, or every request that was."""
        if self.attempts is None:
            sent = self.server >= 0
            reached = self.arrival + self.delay[np.maximum(self.server, 0)]
            return Visits(
                self.server[sent],
                reached[sent],
                self.begin[sent],
                self.finish[sent],
                self.answered[sent],
                self.outcome[sent],
                self.queue_depth[sent],
            )
        one = self.attempts
        sent = one.server >= 0
        stays = np.isfinite(one.begin) & np.isnan(one.finish)
        finish = np.where(stays, self.drained, one.finish)
        reached = one.sent + self.delay[np.maximum(one.server, 0)]
        return Visits(
            one.server[sent],
            reached[sent],
            one.begin[sent],
            finish[sent],
            one.ended[sent],
            one.outcome[sent],
            one.queue_depth[sent],
        )

    def ok(self) -> NDArray[np.bool_]:
        """Which requests ended well."""
        return np.equal(self.outcome, Outcome.OK)


def _where_known(seconds: NDArray[np.float64]) -> pa.Array[Any]:
    unknown = np.isnan(seconds)
    return pa.array(microseconds(np.where(unknown, 0.0, seconds)), mask=unknown)


def microseconds(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round seconds to whole microseconds.

    Raises:
        SimulationError: a time lies beyond 2**63 microseconds, some 290,000 years.
    """
    if len(seconds) and not float(np.abs(seconds).max()) * _US < _MOST_US:
        raise SimulationError("the run lasts more than 290,000 years; shorten the horizon or raise the rate")
    return np.rint(seconds * _US).astype(np.int64)
