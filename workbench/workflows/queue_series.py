"""The series that alert rules see, of a run: as a scrape of the servers every so often would have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.alerts.labels import Labels
from workbench.alerts.metrics import BUCKETS
from workbench.alerts.series import SeriesSet
from workbench.simulate import Records
from workbench.tables import Outcome

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOWHERE = "none"
"""The label `server` of requests for which there was no server."""


@dataclass(frozen=True, eq=False)
class Requests:
    """What became of requests, one entry each; seconds.

    Args:
        reached: when it came to its server.
        begin: when its service began, NaN where it never did.
        finish: when its service ended, NaN where it never began.
        answered: when the client had its answer.
        response: from sending to the answer.
        server: from 0; -1 where there was none.
        outcome: the codes of `Outcome`.
    """

    reached: Floats
    begin: Floats
    finish: Floats
    answered: Floats
    response: Floats
    server: Ints
    outcome: Ints

    @classmethod
    def of(cls, records: Records) -> Requests:
        """Take them out of a simulation's records."""
        reached = records.arrival + records.delay[np.maximum(records.server, 0)]
        return cls(
            reached=reached,
            begin=records.begin,
            finish=records.finish,
            answered=records.answered,
            response=records.response,
            server=records.server,
            outcome=records.outcome,
        )

    def where(self, chosen: NDArray[np.bool_]) -> Requests:
        """Give some of the requests."""
        return Requests(**{name: array[chosen] for name, array in vars(self).items()})


def queue_series(
    requests: Requests, *, names: Sequence[str], slots: Sequence[int], step: float, until: float
) -> dict[str, SeriesSet]:
    """Sample all metrics of a pool at 0, step, 2 step ...

    Args:
        requests: of the whole run.
        names: of the servers.
        slots: of each server.
        step: between two samples, seconds.
        until: the last sample is not later, seconds.

    Returns:
        The series of each metric, by the names of `QUEUE_METRICS`.
    """
    at = step * np.arange(round(until * 1e6) // round(step * 1e6) + 1, dtype=np.float64)
    found: dict[str, list[tuple[Labels, Floats, Floats]]] = {}

    def add(values: Mapping[tuple[str, str], Floats], server: str) -> None:
        for (metric, more), column in values.items():
            name, _, text = more.partition("=")
            labels = Labels({"server": server} | ({name: text} if name else {}))
            found.setdefault(metric, []).append((labels, at, column))

    for number, name in enumerate(names):
        own = requests.where(requests.server == number)
        add(_queue(own, at, slots[number]), name)
        add(_counters(own, at), name)
    nowhere = requests.where(requests.server < 0)
    if len(nowhere.server):
        add(_counters(nowhere, at), NOWHERE)
    return {metric: SeriesSet.gather(series) for metric, series in found.items()}


def _queue(own: Requests, at: Floats, slots: int) -> dict[tuple[str, str], Floats]:
    served = own.where(np.isfinite(own.finish))
    come, begun, done = np.sort(served.reached), np.sort(served.begin), np.sort(served.finish)
    waiting = np.searchsorted(come, at, side="right") - np.searchsorted(begun, at, side="right")
    busy = np.searchsorted(begun, at, side="right") - np.searchsorted(done, at, side="right")
    work = np.diff(_until(done, at) - _until(begun, at), prepend=0.0)
    length = np.diff(at, prepend=0.0)
    share = np.divide(-work, slots * length, out=np.zeros(len(at)), where=length > 0)
    return {
        ("workbench_queue_depth", ""): waiting.astype(np.float64),
        ("workbench_oldest_wait_seconds", ""): _oldest(served, at),
        ("workbench_in_service", ""): busy.astype(np.float64),
        ("workbench_utilisation_ratio", ""): np.clip(share, 0.0, 1.0),
        ("workbench_server_up", ""): np.ones(len(at)),
    }


def _until(times: Floats, at: Floats) -> Floats:
    """For each time t the sum of max(t - time, 0), from which the time between two kinds of event follows."""
    before = np.searchsorted(times, at)
    sums = np.concatenate(([0.0], np.cumsum(times)))
    total: Floats = at * before - sums[before]
    return total


def _oldest(served: Requests, at: Floats) -> Floats:
    """At each time the age of the request that has waited longest; servers serve first come, first served."""
    order = np.lexsort((served.reached, served.begin))
    begun, come = served.begin[order], served.reached[order]
    # Whoever begins next has waited longest.
    following = np.searchsorted(begun, at, side="right")
    reached = np.append(come, np.inf)[following]
    return np.where(reached <= at, at - np.where(np.isfinite(reached), reached, 0.0), 0.0)


def _counters(own: Requests, at: Floats) -> dict[tuple[str, str], Floats]:
    def total(chosen: NDArray[np.bool_]) -> Floats:
        ended = np.sort(own.answered[chosen])
        return np.searchsorted(ended, at, side="right").astype(np.float64)

    good = np.equal(own.outcome, Outcome.OK)
    counts = {
        ("workbench_requests_total", f"outcome={outcome.label}"): total(own.outcome == outcome)
        for outcome in Outcome
    }
    counts |= {
        ("workbench_errors_total", ""): total(~good),
        ("workbench_answers_total", ""): total(np.ones(len(good), dtype=np.bool_)),
    }
    wait = np.where(good, own.begin - own.reached, 0.0)
    for metric, values in (("workbench_response_seconds", own.response), ("workbench_wait_seconds", wait)):
        for bound in BUCKETS:
            counts[f"{metric}_bucket", f"le={bound:g}"] = total(good & (values <= bound))
        counts[f"{metric}_bucket", "le=+Inf"] = counts[f"{metric}_count", ""] = total(good)
        counts[f"{metric}_sum", ""] = _summed(own.answered[good], values[good], at)
    return counts


def _summed(ended: Floats, values: Floats, at: Floats) -> Floats:
    order = np.argsort(ended, kind="stable")
    sums = np.concatenate(([0.0], np.cumsum(values[order])))
    total: Floats = sums[np.searchsorted(ended[order], at, side="right")]
    return total
