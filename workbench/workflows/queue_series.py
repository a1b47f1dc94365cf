"""The series that alert rules see, of a run: as a scrape of the servers every so often would have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.alerts.labels import Labels
from workbench.alerts.series import SeriesSet
from workbench.monitor import BUCKETS
from workbench.simulate import Records
from workbench.simulate.events import Event
from workbench.tables import EventKind, Outcome

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOWHERE = "none"
"""The label `server` of requests for which there was no server."""

IN_DRILLS = (
    "workbench_queue_depth",
    "workbench_oldest_wait_seconds",
    "workbench_in_service",
    "workbench_utilisation_ratio",
    "workbench_server_up",
    "workbench_requests_total",
    "workbench_errors_total",
    "workbench_answers_total",
    "workbench_response_seconds",
    "workbench_wait_seconds",
)
"""The metrics of which drills and stored runs give series, so that rules can be tried on them."""

_DOWN = ("crash", "hang")
"""The faults, as events tell them, under which a server answers no probe."""

TURNED_AWAY = (Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.NO_HEALTHY_SERVER)
"""How attempts end that no server has let in."""


@dataclass(frozen=True, eq=False)
class Visits:
    """What came to the servers and was let in, one entry each; seconds.

    Args:
        server: from 0.
        reached: when it came.
        begin: when its service began, or when it went without.
        finish: when its service ended, or broke off; `begin` where there was none.
    """

    server: Ints
    reached: Floats
    begin: Floats
    finish: Floats

    @classmethod
    def gather(cls, server: Ints, reached: Floats, begin: Floats, finish: Floats, gone: Floats) -> Visits:
        """Make them of times that are NaN where something never was; `gone` is when it was over."""
        began = np.isfinite(begin)
        left = np.where(began, begin, np.maximum(gone, reached))
        over = np.where(began, np.where(np.isfinite(finish), finish, np.maximum(gone, begin)), left)
        return cls(server, reached, left, over)


@dataclass(frozen=True, eq=False)
class Answers:
    """What became of requests, one entry each; seconds.

    Args:
        server: from 0; -1 where there was none.
        answered: when the client had its answer.
        response: from sending to the answer.
        wait: at the server, before its service.
        outcome: the codes of `Outcome`.
    """

    server: Ints
    answered: Floats
    response: Floats
    wait: Floats
    outcome: Ints

    def where(self, chosen: NDArray[np.bool_]) -> Answers:
        """Give some of the requests."""
        return Answers(**{name: array[chosen] for name, array in vars(self).items()})


@dataclass(frozen=True, eq=False)
class Observed:
    """All that a run shows to a scrape.

    Args:
        names: of the servers.
        slots: of each server.
        visits: what came to the servers.
        answers: what clients were answered.
        down: for each server the times, from and to, at which it answered no probe.
    """

    names: Sequence[str]
    slots: Sequence[int]
    visits: Visits
    answers: Answers
    down: Mapping[int, Sequence[tuple[float, float]]]


def observe(records: Records, *, names: Sequence[str], slots: Sequence[int]) -> Observed:
    """Take what a scrape would see out of a simulation's records."""
    came = records.visits()
    stayed = ~np.isin(came.outcome, TURNED_AWAY)
    visits = Visits.gather(
        came.server[stayed], came.reached[stayed], came.begin[stayed], came.finish[stayed], came.ended[stayed]
    )
    answers = Answers(
        server=records.server,
        answered=records.answered,
        response=records.response,
        wait=records.wait,
        outcome=records.outcome,
    )
    return Observed(names, slots, visits, answers, down_times(records.events))


def down_times(events: Iterable[Event]) -> dict[int, list[tuple[float, float]]]:
    """Pair the beginnings and ends of faults under which a server answers nothing."""
    found: dict[int, list[tuple[float, float]]] = {}
    begun: dict[tuple[int, str], float] = {}
    for event in events:
        if event.detail not in _DOWN:
            continue
        key = event.server, event.detail
        if event.kind is EventKind.FAULT_BEGINS:
            begun.setdefault(key, event.time)
        elif event.kind is EventKind.FAULT_ENDS and key in begun:
            found.setdefault(event.server, []).append((begun.pop(key), event.time))
    for (server, _), since in begun.items():
        found.setdefault(server, []).append((since, np.inf))
    return found


def queue_series(run: Observed, *, step: float, until: float) -> dict[str, SeriesSet]:
    """Sample all metrics of a pool at 0, step, 2 step ...

    Args:
        run: what there was to see.
        step: between two samples, seconds.
        until: the last sample is not later, seconds.

    Returns:
        The series of each metric, by names of `workbench.monitor.METRICS`.
    """
    at = step * np.arange(round(until * 1e6) // round(step * 1e6) + 1, dtype=np.float64)
    found: dict[str, list[tuple[Labels, Floats, Floats]]] = {}

    def add(values: Mapping[tuple[str, str], Floats], server: str) -> None:
        for (metric, more), column in values.items():
            name, _, text = more.partition("=")
            labels = Labels({"server": server} | ({name: text} if name else {}))
            found.setdefault(metric, []).append((labels, at, column))

    for number, name in enumerate(run.names):
        add(_queue(run, number, at), name)
        add(_counters(run.answers.where(run.answers.server == number), at), name)
    nowhere = run.answers.where(run.answers.server < 0)
    if len(nowhere.server):
        add(_counters(nowhere, at), NOWHERE)
    return {metric: SeriesSet.gather(series) for metric, series in found.items()}


def _queue(run: Observed, server: int, at: Floats) -> dict[tuple[str, str], Floats]:
    own = run.visits.server == server
    reached, begin, finish = run.visits.reached[own], run.visits.begin[own], run.visits.finish[own]
    come, begun, done = np.sort(reached), np.sort(begin), np.sort(finish)
    waiting = np.searchsorted(come, at, side="right") - np.searchsorted(begun, at, side="right")
    busy = np.searchsorted(begun, at, side="right") - np.searchsorted(done, at, side="right")
    work = np.diff(_until(begun, at) - _until(done, at), prepend=0.0)
    length = np.diff(at, prepend=0.0)
    share = np.divide(work, run.slots[server] * length, out=np.zeros(len(at)), where=length > 0)
    up = np.ones(len(at))
    for since, to in run.down.get(server, ()):
        up[(at >= since) & (at < to)] = 0.0
    return {
        ("workbench_queue_depth", ""): waiting.astype(np.float64),
        ("workbench_oldest_wait_seconds", ""): _oldest(reached, begin, at),
        ("workbench_in_service", ""): busy.astype(np.float64),
        ("workbench_utilisation_ratio", ""): np.clip(share, 0.0, 1.0),
        ("workbench_server_up", ""): up,
    }


def _until(times: Floats, at: Floats) -> Floats:
    """For each time t the sum of max(t - time, 0), from which the time between two kinds of event follows."""
    before = np.searchsorted(times, at)
    sums = np.concatenate(([0.0], np.cumsum(times)))
    total: Floats = at * before - sums[before]
    return total


def _oldest(reached: Floats, left: Floats, at: Floats) -> Floats:
    """At each time the age of the oldest that still waits."""
    order = np.argsort(reached, kind="stable")
    come = np.append(reached[order], np.inf)
    # The first that has not left: all that came before it have.
    first = come[np.searchsorted(np.maximum.accumulate(left[order]), at, side="right")]
    return np.where(first <= at, at - np.where(np.isfinite(first), first, 0.0), 0.0)


def _counters(own: Answers, at: Floats) -> dict[tuple[str, str], Floats]:
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
    for metric, values in (
        ("workbench_response_seconds", own.response),
        ("workbench_wait_seconds", own.wait),
    ):
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
