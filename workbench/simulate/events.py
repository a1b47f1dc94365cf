"""What happened in a run besides requests: faults, health, panic and weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from workbench import tables
from workbench.simulate.records import microseconds
from workbench.tables import EventKind


class Event(NamedTuple):
    """Something happened."""

    time: float
    """Seconds."""
    kind: EventKind
    server: int
    """-1 where it is about no server."""
    balancer: int
    """The balancer that noticed it; -1 where it is about all."""
    detail: str


def events_table(events: Sequence[Event], run_id: int) -> pa.Table:
    """Write events as rows of the events table."""
    servers, balancers = (np.array([event[place] for event in events], np.int16) for place in (2, 3))
    columns: dict[str, Any] = {
        "run_id": np.full(len(events), run_id, np.int32),
        "ts_us": microseconds(np.array([event.time for event in events], np.float64)),
        "kind": np.array([event.kind for event in events], np.int8),
        "server_id": pa.array(servers, mask=servers < 0),
        "balancer_id": pa.array(balancers, mask=balancers < 0),
        "detail": [event.detail for event in events],
    }
    return pa.table(columns, schema=tables.EVENTS)
