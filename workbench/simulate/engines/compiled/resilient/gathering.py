"""The records of a run in which things may fail, out of its arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.simulate.engines.compiled.resilient.world import NOWHERE, Count, Sum, World
from workbench.simulate.events import Event
from workbench.simulate.records import Attempts, Records
from workbench.tables import Outcome

_TIMES = ("came", "sent", "begin", "finish", "ended")


def gather_records(w: World, events: Sequence[Event], until: float) -> Records:
    """Gather what became of the requests and of each attempt."""
    requests = w.requests[: w.counts[Count.ARRIVED]]
    attempts = w.attempts[: w.counts[Count.ATTEMPTS]]
    calls = w.calls[attempts["call"]]
    server = np.where(np.isnan(attempts["sent"]), NOWHERE, attempts["server"]).astype(np.int64)
    final = requests["final"].astype(np.int64)
    last = attempts[np.maximum(final, 0)] if len(attempts) else np.zeros(len(final), attempts.dtype)
    served = (final >= 0) & (last["outcome"] == Outcome.OK)
    kept: dict[str, Any] = {name: attempts[name].copy() for name in _TIMES}
    return Records(
        arrival=requests["arrival"].copy(),
        begin=np.where(served, last["begin"], np.nan),
        finish=np.where(served, last["finish"], np.nan),
        answered=requests["answered"].copy(),
        balancer=np.where(final >= 0, w.calls[last["call"]]["balancer"], 0).astype(np.int64),
        server=np.where((final >= 0) & ~np.isnan(last["sent"]), last["server"], NOWHERE).astype(np.int64),
        outcome=requests["outcome"].astype(np.int64),
        queue_depth=np.where(final >= 0, last["depth"], NOWHERE).astype(np.int64),
        delay=w.machines["near"].copy(),
        until=until,
        area=float(w.sums[Sum.AREA]),
        attempts=Attempts(
            **kept,
            request=calls["request"].astype(np.int64),
            call=calls["number"].astype(np.int64),
            balancer=calls["balancer"].astype(np.int64),
            server=server,
            outcome=attempts["outcome"].astype(np.int64),
            queue_depth=attempts["depth"].astype(np.int64),
        ),
        events=list(events),
    )
