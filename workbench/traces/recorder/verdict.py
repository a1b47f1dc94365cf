"""Whether a run is good: how far its own client and servers lagged, and what else went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.quantities import format_duration
from workbench.traces.overhead import Overhead
from workbench.traces.products import Proxy
from workbench.traces.recorder.plan import Bounds, Plan
from workbench.traces.recorder.taken import Taken

_LOGGED = {"haproxy": re.compile(r' \{(\d+)\} "'), "nginx": re.compile(r' (\d+) "[^"]*"$')}
"""The id in a line of a log."""


class Lag(NamedTuple):
    """How much later than it should something happened, seconds."""

    what: str
    median: float
    p95: float
    p99: float
    most: float


class Verdict(NamedTuple):
    """What a run is worth."""

    lags: list[Lag]
    stalls: dict[str, float]
    """The longest time, seconds, for which each process did not run though it should have."""
    reasons: list[str]
    """Why it does not count as good; empty where it does."""


def judge(taken: Taken, plan: Plan, overhead: Overhead, log: Iterable[str]) -> Verdict:
    """Judge a run.

    Args:
        taken: what it gave.
        plan: what ran, with its bounds.
        overhead: medians of the idle system, beyond which a request's way is a lag.
        log: the lines of the proxy's log.
    """
    lags = measure_lags(taken, plan, overhead)
    reasons = [reason for lag in lags for reason in _beyond(lag, plan.bounds)]
    for process, stall in taken.stalls.items():
        if stall > plan.bounds.most:
            reasons.append(f"the {process} did not run for {_ms(stall)}; allowed: {_ms(plan.bounds.most)}")
    return Verdict(lags, dict(taken.stalls), [*reasons, *_lost(taken, plan, log)])


def measure_lags(taken: Taken, plan: Plan, overhead: Overhead) -> list[Lag]:
    """Measure how late requests were sent, read, finished and received.

    How long a request takes to its server says nothing of lags where it may wait in the proxy
    (`maxconn`) or be sent on to another server (`kill_at`).
    """
    noted = taken.noted
    lags = [_lag("client sends", taken.send - taken.load.arrival)]
    if not noted.any():
        return lags
    if plan.kill_at is None and not plan.maxconn:
        way = (taken.received - taken.send)[noted] - 1e6 * (overhead.f1 + overhead.f2)
        lags.append(_lag("server reads", way))
    lags.append(_lag("server finishes", (taken.sent - taken.finish)[noted]))
    answered = taken.load.arrival + taken.latency
    back = (answered - taken.sent)[noted] - 1e6 * (overhead.r1 + overhead.r2)
    return [*lags, _lag("client receives", back)]


def _lag(what: str, microseconds: NDArray[np.int64] | NDArray[np.floating[Any]]) -> Lag:
    late = np.maximum(microseconds, 0) / 1e6
    median, p95, p99 = np.quantile(late, (0.5, 0.95, 0.99)).tolist()
    return Lag(what, median, p95, p99, float(late.max()))


def _beyond(lag: Lag, bounds: Bounds) -> list[str]:
    return [
        f"the {lag.what} late: {name} {_ms(value)}; allowed: {_ms(bound)}"
        for name in Bounds.model_fields
        if (value := getattr(lag, name)) > (bound := getattr(bounds, name))
    ]


def _ms(seconds: float) -> str:
    return format_duration(seconds)


def _lost(taken: Taken, plan: Plan, log: Iterable[str]) -> list[str]:
    """Tell of requests without an answer or a line in the log."""
    reasons = []
    count = len(taken.load)
    if plan.kill_at is None and (bad := int(np.count_nonzero(~taken.noted | (taken.status != 200)))):
        reasons.append(f"{bad} of {count} requests have no answer of a server, though none was killed")
    if unanswered := int(np.count_nonzero(taken.status == 0)):
        reasons.append(f"{unanswered} of {count} requests were never answered")
    if missing := count - len(logged(log, plan.proxy) & set(range(count))):
        reasons.append(f"{missing} of {count} requests have no line in the proxy's log")
    return reasons


def logged(lines: Iterable[str], proxy: Proxy) -> set[int]:
    """Give the ids that stand in a log."""
    found = (_LOGGED[proxy].search(line) for line in lines)
    return {int(match[1]) for match in found if match}
