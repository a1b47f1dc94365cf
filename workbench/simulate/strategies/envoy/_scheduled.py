"""The pick that Envoy's round robin and least request share, by a schedule or by a simpler method.

`ints` holds the settings and counters that are named first below, then for each server the number with
which it joined the schedule (of equal deadlines the first to come goes first), then who was in service.
`floats` holds the bias, the schedule's time, and the deadline of each server.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from numpy.random import Generator
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, Ints, Memory, View

ROUND_ROBIN, N_CHOICES, FULL_SCAN = 0, 1, 2
_BY_WEIGHT, _BY_SLOW_START = 1, 2

_METHOD, _CHOICES, _START, _POSITION, _FORCED, _SCHEDULED, _ADDED, _ORDER = range(8)
_BIAS, _TIME, _DEADLINE = range(3)
_STARTS = 429_496_729
_EPSILON = 1e-13


def _check_start(value: Any) -> Any:
    if value == "random" or (type(value) is int and 0 <= value < _STARTS):
        return value
    raise PydanticCustomError("start", "a whole number from 0 to 429,496,728, or random")


Start = Annotated[Annotated[int, Field(ge=0, lt=_STARTS)] | Literal["random"], BeforeValidator(_check_start)]
"""Picks that a schedule begins after, or `random`."""


def pick(view: View, rng: Generator) -> int:
    """Pick by earliest deadline if weights in service differ, else by the method.

    A change of hosts makes Envoy build the schedule anew, at its starting position; one that is full
    stays in it. A slow start brings the schedule, which then stays until the next change of hosts.
    """
    ints = view.ints
    notice_changes(view)
    candidates = 0
    free = 0
    for server in range(len(view.usable)):
        candidates += view.in_service[server]
        free += view.usable[server]
    if free == 0:
        return NO_HEALTHY_SERVER
    if ints[_START] < 0:
        ints[_START] = int(rng.random() * _STARTS)
        ints[_POSITION] = ints[_START]
    fresh = not ints[_SCHEDULED]
    ints[_SCHEDULED] = reason_for_schedule(view) if candidates > 1 else 0
    if ints[_SCHEDULED]:
        if fresh:
            build_schedule(view)
        return next_deadline(view, False)
    if ints[_METHOD] == ROUND_ROBIN:
        return next_in_turn(view, candidates)
    if ints[_METHOD] == FULL_SCAN:
        return scan(view, rng)
    return choose(view, rng, free)


def notice_changes(view: View) -> None:
    """Give up the schedule if other servers are in service than at the last pick."""
    ints = view.ints
    count = len(view.usable)
    for server in range(count):
        if view.in_service[server] != ints[_ORDER + count + server]:
            ints[_ORDER + count + server] = view.in_service[server]
            ints[_SCHEDULED] = 0


def reason_for_schedule(view: View) -> int:
    """Tell why deadlines are needed, 0 if they are not."""
    ints = view.ints
    reason = ints[_FORCED]
    first = -1
    for server in range(len(view.usable)):
        if view.in_service[server]:
            if view.ramp[server] < 1.0:
                return _BY_SLOW_START
            if first < 0:
                first = server
            elif view.weight[server] != view.weight[first]:
                reason = _BY_WEIGHT
    return _BY_SLOW_START if ints[_SCHEDULED] == _BY_SLOW_START else reason


def next_in_turn(view: View, candidates: int) -> int:
    """Take the server whose turn it is of those in service; a full one loses its turn."""
    while True:
        server = nth_of(view.in_service, view.ints[_POSITION] % candidates)
        view.ints[_POSITION] += 1
        if view.usable[server]:
            return server


def scaled_weight(view: View, server: int) -> float:
    """Give the weight of a server for its requests in flight and its slow start."""
    return (
        view.weight[server] * view.ramp[server] / math.pow(view.in_flight[server] + 1.0, view.floats[_BIAS])
    )


def build_schedule(view: View) -> None:
    """Give each server its deadline after as many picks as the start says; the last few are picked."""
    in_service = view.in_service
    ints = view.ints
    floats = view.floats
    left = ints[_START]
    total = 0.0
    for server in range(len(in_service)):
        if in_service[server]:
            total += scaled_weight(view, server) + _EPSILON
    floats[_TIME] = 0.0
    ints[_ADDED] = len(in_service)
    for server in range(len(in_service)):
        if in_service[server]:
            weight = scaled_weight(view, server) + _EPSILON
            had = int(weight * ints[_START] / total)
            if had > 0 and had / weight >= ints[_START] / total:
                had -= 1
            floats[_TIME] = max(floats[_TIME], had / weight)
            floats[_DEADLINE + server] = (had + 1) / weight
            ints[_ORDER + server] = server
            left -= had
    for _ in range(left):
        next_deadline(view, True)


def next_deadline(view: View, full_too: bool) -> int:
    """Take the server with the earliest deadline and give it its next one.

    Full servers keep theirs and are passed over, unless they are asked for, too.
    """
    ints = view.ints
    floats = view.floats
    best = NO_HEALTHY_SERVER
    for server in range(len(view.usable)):
        if (view.usable[server] or (full_too and view.in_service[server])) and (
            best < 0
            or floats[_DEADLINE + server] < floats[_DEADLINE + best]
            or (
                floats[_DEADLINE + server] == floats[_DEADLINE + best]
                and ints[_ORDER + server] < ints[_ORDER + best]
            )
        ):
            best = server
    floats[_TIME] = floats[_DEADLINE + best]
    floats[_DEADLINE + best] = floats[_TIME] + 1.0 / scaled_weight(view, best)
    ints[_ORDER + best] = ints[_ADDED]
    ints[_ADDED] += 1
    return best


def nth_of(which: Ints, place: int) -> int:
    """Find the server marked by a 1 that has so many marked ones before it."""
    server = 0
    while place > 0 or not which[server]:
        place -= which[server]
        server += 1
    return server


def scan(view: View, rng: Generator) -> int:
    """Take the fewest in flight; among equals each is equally likely."""
    in_flight = view.in_flight
    best = NO_HEALTHY_SERVER
    ties = 0
    for server in range(len(view.usable)):
        if view.usable[server]:
            if best < 0 or in_flight[server] < in_flight[best]:
                best = server
                ties = 1
            elif in_flight[server] == in_flight[best]:
                ties += 1
                if int(rng.random() * ties) == 0:
                    best = server
    return best


def choose(view: View, rng: Generator, candidates: int) -> int:
    """Draw usable servers with replacement and take the fewest in flight, the first of equals."""
    best = NO_HEALTHY_SERVER
    for _ in range(view.ints[_CHOICES]):
        server = int(rng.random() * candidates)
        if candidates < len(view.usable):
            server = nth_of(view.usable, server)
        if best < 0 or view.in_flight[server] < view.in_flight[best]:
            best = server
    return best


def memory(count: int, *, method: int, choices: int, start: int, forced: bool, bias: float) -> Memory:
    """Give the memory of a fresh balancer over so many servers.

    A start below 0 is drawn at the first pick.
    """
    settings = [method, choices, start, max(start, 0), int(forced), 0, 0]
    return Memory([*settings, *[0] * count, *[-1] * count], [bias, 0.0, *[0.0] * count])
