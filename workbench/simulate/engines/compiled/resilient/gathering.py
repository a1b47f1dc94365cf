"""The records of a run in which things may fail, out of its arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.simulate.engines.compiled.resilient.world import NOWHERE, Count, Sum, World
from workbench.simulate.events import Event
from workbench.simulate.records import Attempts, Records
from workbench.tables import Outcome

_TIMES = ("came", "sent", "begin", "finish", "ended")


def gather_records(w: World, events: Sequence[Event], until: float) -> Records:
    """Gather what became of the requests and of each attempt."""
    requests = w.requests[: w.counts[Count.ARRIVED]]
    attempts = w.attempts[: w.counts[Count.ATTEMPTS]]
    kept: dict[str, Any] = {name: attempts[name].copy() for name in _TIMES}
    call = attempts["call"].astype(np.int64)
    server = np.where(np.isnan(kept["sent"]), NOWHERE, attempts["server"]).astype(np.int64)
    outcome = attempts["outcome"].astype(np.int64)
    depth = attempts["depth"].astype(np.int64)
    balancer = w.calls["balancer"][call].astype(np.int64)
    final = requests["final"].astype(np.int64)
    ended = final >= 0
    served = ended.copy()
    served[ended] = outcome[final[ended]] == Outcome.OK
    return Records(
        arrival=requests["arrival"].copy(),
        begin=_of(kept["begin"], final, served, np.nan),
        finish=_of(kept["finish"], final, served, np.nan),
        answered=requests["answered"].copy(),
        balancer=_of(balancer, final, ended, 0),
        server=_of(server, final, ended, NOWHERE),
        outcome=requests["outcome"].astype(np.int64),
        queue_depth=_of(depth, final, ended, NOWHERE),
        delay=w.machines["near"].copy(),
        until=until,
        area=float(w.sums[Sum.AREA]),
        attempts=Attempts(
            **kept,
            request=w.calls["request"][call].astype(np.int64),
            call=w.calls["number"][call].astype(np.int64),
            balancer=balancer,
            server=server,
            outcome=outcome,
            queue_depth=depth,
        ),
        events=list(events),
    )


def _of(values: NDArray[Any], places: NDArray[np.int64], known: NDArray[np.bool_], other: float) -> Any:
    """Give values at places where they are known, another elsewhere."""
    found = np.full(len(places), other, values.dtype)
    found[known] = values[places[known]]
    return found
