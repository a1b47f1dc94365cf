"""What a run in which things may fail keeps, as arrays that compiled and interpreted code share.

The kernel (`loop`) does what becomes of requests; checks, ejections, faults and the like are left to the
reference engine's own code, over the same arrays. A row of a record array is one request, call, attempt,
server or balancer, with the fields of the reference engine's objects of that name.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Rows = Any
"""An array of records."""

NOWHERE = -1
UNBOUNDED = 2**62
"""A limit that is never reached: there is none."""


def _records(floats: str = "", longs: str = "", ints: str = "", flags: str = "") -> np.dtype[Any]:
    """Lay out a record: times, numbers of 64 and of 32 bits, and small ones, each kind together."""
    kinds = ((floats, np.float64), (longs, np.int64), (ints, np.int32), (flags, np.int8))
    return np.dtype([(name, kind) for names, kind in kinds for name in names.split()], align=True)


REQUEST = _records(
    floats="arrival think demand patience answered",
    longs="key",
    ints="balancer user calls tries first_call last final",
    flags="outcome asking retrying",
)
"""`first_call` is the first open call; `last` is the attempt that ended last, `final` that of the end."""
CALL = _records(
    floats="first",
    ints="request balancer number tries attempt failed next again",
    flags="retrying open rank",
)
"""`failed` is the last attempt that failed; `again` the server of the next one, if it stays."""
ATTEMPT = _records(
    floats="came sent begin finish ended left updated due",
    longs="queued",
    ints="call server depth epoch ahead behind listed failed_before",
    flags="outcome told goes_back",
)
"""`listed` is the list that it is in, `ahead` and `behind` its neighbours; `goes_back` says which way a
message goes that a partition holds; `failed_before` is the attempt of the call that failed before it."""
MACHINE = _records(
    floats="speed full_speed delay near busy_seconds counted works_since stops_at next_work",
    longs="slots queue_limit",
    ints="gives_up crashes stopped failing interrupted",
)
"""`interrupted` tells whether an interruption is to come, after `next_work` seconds of work."""
DESK = _records(longs="calls full_load epoch warming waiting order")
"""`waiting` counts the requests in the desk's queues, `order` all that have joined them."""
RULES = _records(
    floats="wait factor most_wait within try_timeout stay_wait share earned reserve keep tokens refund",
    longs="most on against share_least jitter leave_every rules_most",
    flags="not_again again_at_last stay leave_freely",
)
"""`on` and `against` are sets of outcomes as bits: retried ones, and those that speak against a server."""
BUDGET = _records(floats="saved tokens", longs="retrying head count")
BOOKED = _records(floats="time amount")
SETTINGS = _records(
    floats="timeout deadline hedge_after refused_after queue_timeout slow_step slow_lasts until",
    longs="hedges queue_limit max_requests users balancers",
    flags=(
        "patient has_queue breaks knows_demand waits_at_server moving_limits never_full has_slow closed"
        " has_taken has_ended has_answered has_failed picks_matter answers_matter reweighs"
    ),
)
"""Times that are infinite are never; `refused_after` is below 0 where a refusal takes the usual way."""
LIST = _records(ints="first last length")
EVENT = _records(floats="time", longs="code order load")
"""`code` is kind and number as in the other kernels' agenda, `order` counts all, `load` says what to do."""


class Count(IntEnum):
    """The places of the whole numbers that a run keeps."""

    ARRIVED = 0
    KNOWN = 1
    """Requests (in a closed loop: think times) taken from the workload so far."""
    LAST = 2
    """Whether the workload has no further requests."""
    THOUGHT = 3
    BEGUN = 4
    """Users that have begun."""
    THINKING = 5
    IN_SYSTEM = 6
    ASKING = 7
    """Requests whose clients still wait."""
    CALLS = 8
    ATTEMPTS = 9
    EVENTS = 10
    ORDER = 11
    DEPTH = 12
    """Steps on the stack."""
    CUTS = 13
    """Ways between a balancer and a server that are cut."""
    DRAWING = 14
    """The balancer whose streams are in the generators."""
    DETECTING = 15
    """The desk whose detector's stream is in the generator."""
    REASON = 16
    """Why the kernel stops; 0: it does not."""
    DESK = 17
    SERVER = 18
    RESULT = 19
    """What Python is to deal with."""


class Sum(IntEnum):
    """The places of the times that a run keeps, seconds."""

    NOW = 0
    AREA = 1
    CHANGED = 2
    MOVED = 3
    """When a request last came to a server, or an attempt was over."""


class DeskInt(IntEnum):
    """The whole numbers that a desk keeps of each server."""

    WEIGHT = 0
    IN_FLIGHT = 1
    UP = 2
    TRAFFIC = 3
    STANDING = 4
    EJECTED = 5
    ACTIVE = 6
    SERVED = 7
    PULLING = 8
    ANSWERS = 9
    ERRORS = 10
    RULED_OUT = 11


class DeskFloat(IntEnum):
    """The times that a desk keeps of each server."""

    RAMP = 0
    UNTIL = 1
    WARMING = 2
    """Since when it is in slow start; below 0 where it is not."""
    SECONDS = 3


class PoolInt(IntEnum):
    """The whole numbers of each server that all desks share."""

    IN_FLIGHT = 0
    SENT = 1
    GROUP = 2
    FAILS_ALLOWED = 3
    LIMIT = 4
    LEAST_LIMIT = 5
    """0 where there is none."""


class Of(IntEnum):
    """Whose memory: that of a strategy in a group, a detector, a check, a rule of failover."""

    VIEW = 0
    DETECTOR = 1
    CHECK = 2
    GROUPS = 3


class World(NamedTuple):
    """All of it."""

    counts: Ints
    sums: Floats
    settings: Rows
    """One row."""
    slow: Floats
    """The numbers of the slow start."""
    rules: Rows
    """Of the balancers, and of the clients."""
    requests: Rows
    calls: Rows
    attempts: Rows
    machines: Rows
    failing: Floats
    """For each server the faults that make it fail: share of the requests, seconds."""
    lists: Rows
    """For each server what it serves, what waits, what it will answer with an error; for each desk the queue
    of all servers and of each; and the messages that partitions hold."""
    agenda: Rows
    stack: Ints
    """Steps to be done now, the next one last: what, and three numbers."""
    desks: Rows
    desk_ints: Ints
    """Desk, what, server."""
    desk_floats: Floats
    keys: Ints
    """Desk, and in rows of one: key, tries, server to avoid."""
    times: Floats
    """Desk, and in rows of one: now, demand."""
    pool: Ints
    """What, server."""
    view_ints: Ints
    """Desk and group, usable or in service, server."""
    free_at: Floats
    """Desk and group, server."""
    groups: Ints
    """Desk; healthy, total, panic; group."""
    ints: Ints
    """All memories of the plug-ins, one after the other."""
    floats: Floats
    places: Ints
    """Whose memory, row, and where it begins and ends in `ints` and `floats`."""
    slots: Floats
    """Desk, and for each server a heap of when its slots will be free; for strategies that know demand."""
    slots_from: Ints
    cut: NDArray[np.int32]
    """Balancer, server: partitions that last; empty where there are none in the scenario."""
    budgets: Rows
    """Of each desk, and of the clients."""
    booked: Rows
    """Budget, and a ring of what was earned and spent."""
    strategy_numbers: NDArray[np.uint64]
    """The memory of the generator from which strategies draw; the same for failover and detectors below."""
    strategy_left_over: NDArray[np.uint64]
    strategy_bank: NDArray[np.uint64]
    """A row for each stream that takes turns in the generator."""
    failover_numbers: NDArray[np.uint64]
    failover_left_over: NDArray[np.uint64]
    failover_bank: NDArray[np.uint64]
    detector_numbers: NDArray[np.uint64]
    detector_left_over: NDArray[np.uint64]
    detector_bank: NDArray[np.uint64]
