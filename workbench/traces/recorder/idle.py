"""What proxy and network add to a request when nothing else happens."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import numpy as np

from workbench.errors import RecordingError
from workbench.traces.overhead import Overhead
from workbench.traces.recorder.load import Load
from workbench.traces.recorder.stage import Stage
from workbench.traces.recorder.taken import Taken

_REQUESTS = 200
_GAP = 5_000
"""From one request to the next, microseconds."""
_SERVICE = 1_000
_LEAD = 500_000_000
"""Nanoseconds in which the client reads the requests and connects."""


def measure_idle(stage: Stage, wait: Callable[[subprocess.Popen[bytes], str], None]) -> Overhead:
    """Measure the medians of both ways through a proxy that takes the servers in turn.

    Of the way from client to server, `f1` is what it takes without the proxy and `f2` the rest; of the
    way back, likewise `r2` and `r1`.

    Args:
        stage: servers and proxy, which are up.
        wait: waits until a client is done.

    Raises:
        RecordingError: a request was not answered by a server.
    """
    there, back = _ways(_take(stage, wait, stage.ports[0], "idle-"))
    direct_there, direct_back = _ways(_take(stage, wait, stage.ports[1], "direct-"))
    f1, r2 = min(direct_there, there), min(direct_back, back)
    return Overhead(f1=f1 / 1e6, f2=(there - f1) / 1e6, r1=(back - r2) / 1e6, r2=r2 / 1e6)


def _take(
    stage: Stage, wait: Callable[[subprocess.Popen[bytes], str], None], port: int, prefix: str
) -> Taken:
    arrival = _GAP * np.arange(1, _REQUESTS + 1, dtype=np.int64)
    load = Load(arrival, np.full(_REQUESTS, _SERVICE, np.int64), ["idle"] * _REQUESTS)
    zero = time.monotonic_ns() + _LEAD
    wait(stage.start_client(load, port, zero, prefix), prefix)
    return stage.gather(load, zero, prefix)


def _ways(taken: Taken) -> tuple[float, float]:
    noted = taken.noted
    if not noted.all():
        raise RecordingError(
            f"of {len(noted)} requests to the idle system {int(np.count_nonzero(~noted))} were not answered"
        )
    answered = taken.load.arrival + taken.latency
    return float(np.median(taken.received - taken.send)), float(np.median(answered - taken.sent))
