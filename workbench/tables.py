"""Arrow schemas of all that is stored: the one language that the parts of the workbench share.

Times in `requests` and `samples` are whole microseconds on the simulated clock, counted from the
start of the run; `summaries` hold seconds as floats. A column's unit, meaning, codes and range stand
in its field's metadata: the data dictionary in the documents is made from it, and what is written is
checked against it. Columns are only ever added, and each addition raises `SCHEMA_VERSION`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SCHEMA_VERSION = 3
"""Version of the schemas. 1: requests, samples, summaries. 2: histograms.

3: `oldest_us` of samples, whose measures may be null.
"""


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
    COMMAND = 9
    """Somebody has changed the run while it ran; the detail is the command, its author and the reason."""
    GAP_BEGINS = 10
    """From here on nothing is known of a system that is watched; the detail says which, and why."""
    GAP_ENDS = 11
    """It answers again; the detail says what its counters counted meanwhile."""
    RESET = 12
    """A system's counters have begun anew."""
    FOUND = 13
    """A server is seen for the first time in a system that is watched; the detail is its name."""

    @property
    def label(self) -> str:
        """The name as it is shown and queried, such as `fault_begins`."""
        return self.name.lower()


EVENT_KINDS = ", ".join(f"{int(kind)} {kind.label}" for kind in EventKind)
OUTCOMES = ", ".join(f"{int(outcome)} {outcome.label}" for outcome in Outcome)


class Timing(IntEnum):
    """Which time of a request a histogram counts. The codes are stored; they never change their meaning."""

    RESPONSE = 0
    """From sending to the answer."""
    WAIT = 1
    """Waiting at the server."""
    SERVICE = 2
    """Processing at the server."""

    @property
    def label(self) -> str:
        """The name as it is shown and queried, such as `response`."""
        return self.name.lower()


CODES: Mapping[str, type[IntEnum]] = {"outcome": Outcome, "timing": Timing, "kind": EventKind}
"""The columns that hold codes, each with what its codes mean."""

_SHARES = frozenset({"utilisation", "share", "jain"})


def _column(
    name: str,
    kind: pa.DataType,
    meaning: str,
    *,
    unit: str = "",
    nullable: bool = False,
    least: float = 0,
    before: str = "",
) -> pa.Field[Any]:
    """Describe a column.

    Args:
        least: smallest value that may be written. Shares end at 1, codes are those of `CODES`.
        before: value, as SQL, of rows that were written before there was such a column; null by default.
    """
    metadata = {"meaning": meaning, "unit": unit, "least": f"{least:g}"}
    if name in _SHARES:
        metadata["most"] = "1"
    if name in CODES:
        metadata["codes"] = json.dumps({code.value: code.name.lower() for code in CODES[name]})
    if before:
        metadata["before"] = before
    return pa.field(name, kind, nullable=nullable, metadata=metadata)


def described(
    name: str, kind: pa.DataType, meaning: str, *, unit: str = "", nullable: bool = False
) -> pa.Field[Any]:
    """Describe a column of a table that the store does not check."""
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
        *(
            _column(name, kind, meaning, unit=unit, nullable=True)
            for name, kind, meaning, unit in (
                ("queue_depth", pa.float32(), "requests waiting, mean over the interval", ""),
                ("queue_max", pa.int32(), "requests waiting, the most in the interval", ""),
                ("in_service", pa.float32(), "requests being served, mean over the interval", ""),
                ("utilisation", pa.float32(), "share of the slots busy, mean over the interval, 0 to 1", ""),
                ("arrivals", pa.int32(), "requests that came to the server in the interval", ""),
                ("completions", pa.int32(), "requests that the server finished in the interval", ""),
                ("refused", pa.int32(), "requests that the server refused in the interval", ""),
                ("oldest_us", pa.int64(), "for how long the oldest has been waiting at the end", "us"),
            )
        ),
    ]
)
"""One row a server and interval, sorted by server, then time.

Of a system that is watched what it does not tell is null, and an interval of which nothing is known has
no row.
"""

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

OUTAGES = pa.schema(
    [
        _RUN,
        _column("server_id", pa.int16(), "the server, from 0", nullable=True),
        _column("fault", pa.string(), "what was wrong with it, such as crash"),
        _column("begin_us", pa.int64(), "when it began", unit="us"),
        _column("end_us", pa.int64(), "when it ended; null if it did not", unit="us", nullable=True),
        _column("detected_s", pa.float64(), "until a balancer sent no more", unit="s", nullable=True),
        _column("ejected_s", pa.float64(), "until all balancers sent no more", unit="s", nullable=True),
        _column("back_s", pa.float64(), "from the end until all send again", unit="s", nullable=True),
        _column(
            "settled_s",
            pa.float64(),
            "from the end until no more were in the system than before; null if not while requests came",
            unit="s",
            nullable=True,
        ),
        _column("sent", pa.int64(), "attempts sent to the server while it lasted"),
        _column("failed", pa.int64(), "requests that arrived while it lasted and did not end ok"),
        _column("retried", pa.int64(), "requests that arrived while it lasted and took several attempts"),
        _column("goodput_before_per_s", pa.float64(), "ok requests a second, as long before", unit="1/s"),
        _column("goodput_during_per_s", pa.float64(), "the same while it lasted", unit="1/s"),
        _column("goodput_after_per_s", pa.float64(), "the same as long after", unit="1/s", nullable=True),
    ]
)
"""One row a fault and server, sorted by time."""

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
        *(
            _column(
                outcome.label,
                pa.int64(),
                f"of these, ended as {outcome.label}",
                before="0" if outcome > Outcome.NO_HEALTHY_SERVER else "",
            )
            for outcome in Outcome
        ),
        _column("attempts", pa.int64(), "attempts for the requests of the window", before="requests"),
        _column("retried", pa.int64(), "of these, took more than one attempt", before="0"),
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


BIN_RATIO = 1.02
"""Upper edge of a histogram's bin by its lower edge."""

BIN_ERROR = (BIN_RATIO - 1) / (BIN_RATIO + 1)
"""How far `bin_middle_sql` is from any time in its bin, at most, as a share of that time: 0.99 %."""

_NO_TIME = -1


def histogram_bins(microseconds: NDArray[np.int64]) -> NDArray[np.int16]:
    """Give the bin of each time: b holds what is at least 1.02**b and less than 1.02**(b + 1) us.

    Times of 0 have a bin of their own, -1.

    Args:
        microseconds: times, 0 or more.

    >>> histogram_bins(np.array([0, 1, 2, 1_000_000])).tolist()
    [-1, 0, 35, 697]
    """
    bins = np.log(np.maximum(microseconds, 1).astype(np.float64))
    bins *= 1 / math.log(BIN_RATIO)
    return np.where(microseconds > 0, bins, _NO_TIME).astype(np.int16)


def bin_middles(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the times, in microseconds, that stand for bins, as `bin_middle_sql` does."""
    middle = 2 * BIN_RATIO / (1 + BIN_RATIO)
    return np.where(bins == _NO_TIME, 0.0, middle * np.power(BIN_RATIO, bins))


def bin_middle_sql(column: str) -> str:
    """Build the SQL of the time, in microseconds, that stands for a bin: at most 0.99 % off.

    It is the harmonic mean of the edges, which is as far from one, by ratio, as from the other.
    """
    middle = 2 * BIN_RATIO / (1 + BIN_RATIO)
    return f"case when {column} < 0 then 0.0 else {middle!r} * pow({BIN_RATIO!r}, {column}) end"


HISTOGRAMS = pa.schema(
    [
        _RUN,
        _column("server_id", pa.int16(), "the server, from 0; null is the whole pool", nullable=True),
        _column("timing", pa.int8(), "which time is counted: 0 response, 1 wait, 2 service"),
        _column("outcome", pa.int8(), "how the requests ended, with the codes of requests.outcome"),
        _column("ts_us", pa.int64(), "start of the slice in which the requests arrived", unit="us"),
        _column("interval_us", pa.int64(), "length of the slice", unit="us"),
        _column("bin", pa.int16(), "from 1.02**bin up to 1.02**(bin + 1) us; -1 is a time of 0", least=-1),
        _column("n", pa.int64(), "number of requests", least=1),
    ]
)
"""One row a slice and bin that is not empty, sorted by server (the pool first), timing, slice, outcome, bin.

The pool's slices are short; a server's are two, the warm-up and what is measured. Slices never lie
across the end of the warm-up. Waiting and service times are those of ok requests. A request without a
server is counted in the pool alone.
"""

SCHEMAS = {
    "requests": REQUESTS,
    "attempts": ATTEMPTS,
    "events": EVENTS,
    "outages": OUTAGES,
    "samples": SAMPLES,
    "histograms": HISTOGRAMS,
    "summaries": SUMMARIES,
}
"""Every stored table by name."""

PER_REQUEST = frozenset({"requests", "attempts"})
"""Tables of single requests: by far the largest, kept as far as the user says, and the first to go."""

IDS = pa.list_(pa.field("item", pa.string(), nullable=False))
"""The type of a column of records' ids."""

PROPOSALS = pa.schema(
    [
        described("proposal_id", pa.string(), "hash of the records that it joins"),
        described("kind", pa.string(), "one_to_one, or split: one with several"),
        described("left_ids", IDS, "records of the left ledger, sorted; one, or several of a split"),
        described("right_ids", IDS, "records of the right ledger, sorted; one, or several of a split"),
        described("left_cents", pa.int64(), "amount of the left records, their sum", unit="cents"),
        described("right_cents", pa.int64(), "amount of the right records, their sum", unit="cents"),
        described("currency", pa.string(), "currency of the amounts", nullable=True),
        described("date", pa.date32(), "date of the left record, the latest of several", nullable=True),
        described("confidence", pa.float64(), "probability that the proposal is right"),
        described(
            "confidence_low", pa.float64(), "Venn-Abers p0, the band's lower end; null without", nullable=True
        ),
        described(
            "confidence_high",
            pa.float64(),
            "Venn-Abers p1, the band's upper end; null without",
            nullable=True,
        ),
        described("calibrated", pa.bool_(), "whether labels stand behind the confidence"),
        described("pair_probability", pa.float64(), "of the pair by itself, no rival seen", nullable=True),
        described("marginal", pa.float64(), "of the pair among rivals, before calibration", nullable=True),
        described("rival_left_id", pa.string(), "the best other claim: its left record", nullable=True),
        described("rival_right_id", pa.string(), "the best other claim: its right record", nullable=True),
        described("margin", pa.float64(), "marginal less that of the rival, -1 to 1", nullable=True),
        described("ambiguous", pa.bool_(), "whether another proposal is exactly as good"),
        described("rule", pa.string(), "the blocking rule that found it first"),
        described("rules", pa.int32(), "how many rules found it"),
        described(
            "decision", pa.string(), "accept, review or reject; null before it is decided", nullable=True
        ),
        described("reason", pa.string(), "why it was decided so", nullable=True),
        described("truth", pa.bool_(), "whether it is right, where labels tell", nullable=True),
    ]
)
"""One row a proposal, sorted by its records' content, not by id or the order of the files."""

BREAKS = pa.schema(
    [
        described("side", pa.string(), "left or right"),
        described("record_id", pa.string(), "the record"),
        described(
            "cents", pa.int64(), "its amount; null where it could not be read", unit="cents", nullable=True
        ),
        described("currency", pa.string(), "its currency", nullable=True),
        described("date", pa.date32(), "its date", nullable=True),
        described("reason", pa.string(), "no_candidate, rivals_won, other_currency, or why it was set aside"),
    ]
)
"""One row a record that no proposal has; with the proposals, every record of both ledgers."""

RESULTS = {"proposals": PROPOSALS, "breaks": BREAKS}
"""Tables of reconciliations: one file each for every plan, written anew by each matching."""
