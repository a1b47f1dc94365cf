"""Arrow schemas of all that is stored: the one language that the parts of the workbench share.

Times in `requests` and `samples` are whole microseconds on the simulated clock, counted from the
start of the run; `summaries` hold seconds as floats. A column's unit and meaning stand in its
field's metadata, from which the data dictionary in the documents is made. Columns are only ever
added, and each addition raises `SCHEMA_VERSION`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 1


class Outcome(IntEnum):
    """How a request ended. The codes are stored; they never change their meaning."""

    OK = 0
    REFUSED = 1
    """The server's queue was full."""
    NO_HEALTHY_SERVER = 2
    """The balancer had no server to send it to."""
    TIMEOUT = 3
    """No answer came in time."""
    SERVER_ERROR = 4
    """The server answered with an error."""
    UNREACHABLE = 5
    """The connection to the server was refused."""
    ABANDONED = 6
    """The client lost patience while it waited for its service to begin."""
    CANCELLED = 7
    """Of an attempt only: its answer was no longer wanted."""
    RESET = 8
    """The connection broke off before the answer."""

    @property
    def label(self) -> str:
        """The name as it is shown and queried, such as `no_healthy_server`."""
        return self.name.lower()


class EventKind(IntEnum):
    """What happened. The codes are stored; they never change their meaning."""

    FAULT_BEGINS = 0
    FAULT_ENDS = 1
    DOWN = 2
    """A balancer's checks hold the server to be down."""
    UP = 3
    EJECTED = 4
    """A balancer's detector keeps the server out."""
    RETURNED = 5
    PANIC_BEGINS = 6
    """A balancer sends to all servers of a group, healthy or not."""
    PANIC_ENDS = 7
    WEIGHT = 8
    """A balancer's rule has changed the server's weight."""

    @property
    def label(self) -> str:
        """The name as it is shown and queried, such as `fault_begins`."""
        return self.name.lower()


EVENT_KINDS = ", ".join(f"{int(kind)} {kind.label}" for kind in EventKind)
OUTCOMES = ", ".join(f"{int(outcome)} {outcome.label}" for outcome in Outcome)


def _column(
    name: str, kind: pa.DataType, meaning: str, *, unit: str = "", nullable: bool = False
) -> pa.Field[Any]:
    return pa.field(name, kind, nullable=nullable, metadata={"meaning": meaning, "unit": unit})


_RUN = _column("run_id", pa.int32(), "the run, as in the catalogue")

REQUESTS = pa.schema(
    [
        _RUN,
        _column("req_id", pa.int32(), "number of the request in its run, from 0, in the order of arrival"),
        _column("arrival_us", pa.int64(), "when the client sent it", unit="us"),
        _column("balancer_id", pa.int16(), "the balancer that it came to, from 0"),
        _column("server_id", pa.int16(), "the server that it was sent to, from 0", nullable=True),
        _column("outcome", pa.int8(), f"how it ended: {OUTCOMES}"),
        _column(
            "queue_depth", pa.int32(), "requests waiting at the server when it came there", nullable=True
        ),
        _column("wait_us", pa.int64(), "waiting time at the server", unit="us"),
        _column("service_us", pa.int64(), "processing time: service demand by the server's speed", unit="us"),
        _column("response_us", pa.int64(), "response time: from sending to the answer", unit="us"),
    ]
)
"""One row a request, sorted by arrival. Refused requests have a wait and a service of 0."""

SAMPLES = pa.schema(
    [
        _RUN,
        _column("server_id", pa.int16(), "the server, from 0"),
        _column("ts_us", pa.int64(), "start of the interval", unit="us"),
        _column("interval_us", pa.int64(), "length of the interval", unit="us"),
        _column("queue_depth", pa.float32(), "requests waiting, mean over the interval"),
        _column("queue_max", pa.int32(), "requests waiting, the most in the interval"),
        _column("in_service", pa.float32(), "requests being served, mean over the interval"),
        _column("utilisation", pa.float32(), "share of the slots busy, mean over the interval, 0 to 1"),
        _column("arrivals", pa.int32(), "requests that came to the server in the interval"),
        _column("completions", pa.int32(), "requests that the server finished in the interval"),
        _column("refused", pa.int32(), "requests that the server refused in the interval"),
    ]
)
"""One row a server and interval, sorted by server, then time."""

ATTEMPTS = pa.schema(
    [
        _RUN,
        _column("attempt_id", pa.int32(), "number of the attempt in its run, from 0"),
        _column("req_id", pa.int32(), "the request that it was made for"),
        _column("call", pa.int16(), "the client's try that it belongs to, from 0"),
        _column("ts_us", pa.int64(), "when its balancer picked a server", unit="us"),
        _column("balancer_id", pa.int16(), "the balancer, from 0"),
        _column("server_id", pa.int16(), "the server that it was sent to, from 0", nullable=True),
        _column("outcome", pa.int8(), f"how it ended: {OUTCOMES}"),
        _column("queued_us", pa.int64(), "time in the balancer's queue", unit="us"),
        _column(
            "queue_depth", pa.int32(), "requests waiting at the server when it came there", nullable=True
        ),
        _column("begin_us", pa.int64(), "when its service began", unit="us", nullable=True),
        _column("finish_us", pa.int64(), "when its service ended or broke off", unit="us", nullable=True),
        _column("end_us", pa.int64(), "when the balancer was done with it", unit="us"),
    ]
)
"""One row an attempt, sorted by the time of its pick; only of runs in which something can fail."""

EVENTS = pa.schema(
    [
        _RUN,
        _column("ts_us", pa.int64(), "when it happened", unit="us"),
        _column("kind", pa.int8(), f"what happened: {EVENT_KINDS}"),
        _column("server_id", pa.int16(), "the server, from 0", nullable=True),
        _column("balancer_id", pa.int16(), "the balancer that noticed it, from 0", nullable=True),
        _column("detail", pa.string(), "more about it, such as the new weight"),
    ]
)
"""One row an event, sorted by time; only of runs in which something can fail."""

QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
"""The quantiles that every summary holds."""


def quantile_column(measure: str, quantile: float) -> str:
    """Name the summary column of a measure's quantile.

    >>> quantile_column("response", 0.999)
    'response_p99_9_s'
    """
    digits = f"{100 * quantile:g}".replace(".", "_")
    return f"{measure}_p{digits}_s"


_MEASURES = {"response": "response time", "wait": "waiting time"}

SUMMARIES = pa.schema(
    [
        _RUN,
        _column("server_id", pa.int16(), "the server, from 0; null is the whole pool", nullable=True),
        _column("window_s", pa.float64(), "length of the measured window, after the warm-up", unit="s"),
        _column("requests", pa.int64(), "requests that arrived in the window"),
        *(_column(outcome.label, pa.int64(), f"of these, ended as {outcome.label}") for outcome in Outcome),
        _column("goodput_per_s", pa.float64(), "requests of the window that ended ok, a second", unit="1/s"),
        _column("utilisation", pa.float64(), "share of the slots busy in the window, 0 to 1"),
        _column("share", pa.float64(), "share of the requests that were sent to this server, 0 to 1"),
        *(
            _column(column, pa.float64(), f"{text} of ok requests, {name}", unit="s", nullable=True)
            for measure, text in _MEASURES.items()
            for column, name in (
                (f"{measure}_mean_s", "mean"),
                *((quantile_column(measure, q), f"{100 * q:g}th percentile") for q in QUANTILES),
                (f"{measure}_max_s", "largest"),
            )
        ),
        _column(
            "imbalance", pa.float64(), "largest utilisation of a server by the mean; 1 is even", nullable=True
        ),
        _column("jain", pa.float64(), "Jain's fairness index of the utilisations; 1 is even", nullable=True),
        _column(
            "mean_in_system", pa.float64(), "requests in the pool, mean over the whole run", nullable=True
        ),
        _column(
            "little_residual", pa.float64(), "Little's law, |L - lambda W| / L, whole run", nullable=True
        ),
    ]
)
"""One row a run and server, and one for the whole pool, whose `server_id` is null."""

SCHEMAS = {
    "requests": REQUESTS,
    "attempts": ATTEMPTS,
    "events": EVENTS,
    "samples": SAMPLES,
    "summaries": SUMMARIES,
}
"""Every stored table by name."""
