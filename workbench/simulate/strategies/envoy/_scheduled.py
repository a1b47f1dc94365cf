"""The pick that Envoy's round robin and least request share, by a schedule or by a simpler method.

`ints` holds the settings and counters that are named first below, then for each server the number with
which it joined the schedule (of equal deadlines the first to come goes first), then who was usable.
`floats` holds the bias, the schedule's time, and the deadline of each server.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from numpy.random import Generator
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, Memory, View

ROUND_ROBIN, N_CHOICES, FULL_SCAN = 0, 1, 2

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
    """Pick by earliest deadline if the usable servers' weights differ, else by the method.

    A change of hosts makes Envoy build the schedule anew, at its starting position.
    """
    ints = view.ints
    changed = notice_changes(view)
    candidates = 0
    first = 0
    scheduled = ints[_FORCED]
    for server in range(len(view.usable)):
        if view.usable[server]:
            if candidates == 0:
                first = server
            elif view.weight[server] != view.weight[first]:
                scheduled = 1
            candidates += 1
    if candidates == 0:
        return NO_HEALTHY_SERVER
    if ints[_START] < 0:
        ints[_START] = int(rng.random() * _STARTS)
        ints[_POSITION] = ints[_START]
    if candidates == 1:
        scheduled = 0
    fresh = changed or not ints[_SCHEDULED]
    ints[_SCHEDULED] = scheduled
    if scheduled:
        if fresh:
            build_schedule(view)
        return next_deadline(view)
    if ints[_METHOD] == ROUND_ROBIN:
        ints[_POSITION] += 1
        return nth_usable(view, (ints[_POSITION] - 1) % candidates)
    if ints[_METHOD] == FULL_SCAN:
        return scan(view, rng)
    return choose(view, rng, candidates)


def notice_changes(view: View) -> bool:
    """Tell whether other servers are usable than at the last pick."""
    ints = view.ints
    count = len(view.usable)
    changed = False
    for server in range(count):
        if view.usable[server] != ints[_ORDER + count + server]:
            ints[_ORDER + count + server] = view.usable[server]
            changed = True
    return changed


def scaled_weight(view: View, server: int) -> float:
    """Give the weight of a server for its requests in flight."""
    return view.weight[server] / math.pow(view.in_flight[server] + 1.0, view.floats[_BIAS])


def build_schedule(view: View) -> None:
    """Give each server its deadline after as many picks as the start says; the last few are picked."""
    usable = view.usable
    ints = view.ints
    floats = view.floats
    left = ints[_START]
    total = 0.0
    for server in range(len(usable)):
        if usable[server]:
            total += scaled_weight(view, server) + _EPSILON
    floats[_TIME] = 0.0
    ints[_ADDED] = len(usable)
    for server in range(len(usable)):
        if usable[server]:
            weight = scaled_weight(view, server) + _EPSILON
            had = int(weight * ints[_START] / total)
            if had > 0 and had / weight >= ints[_START] / total:
                had -= 1
            floats[_TIME] = max(floats[_TIME], had / weight)
            floats[_DEADLINE + server] = (had + 1) / weight
            ints[_ORDER + server] = server
            left -= had
    for _ in range(left):
        next_deadline(view)


def next_deadline(view: View) -> int:
    """Take the server with the earliest deadline and give it its next one."""
    ints = view.ints
    floats = view.floats
    best = NO_HEALTHY_SERVER
    for server in range(len(view.usable)):
        if view.usable[server] and (
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


def nth_usable(view: View, place: int) -> int:
    """Find the usable server that has so many usable ones before it."""
    server = 0
    while place > 0 or not view.usable[server]:
        place -= view.usable[server]
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
            server = nth_usable(view, server)
        if best < 0 or view.in_flight[server] < view.in_flight[best]:
            best = server
    return best


def memory(count: int, *, method: int, choices: int, start: int, forced: bool, bias: float) -> Memory:
    """Give the memory of a fresh balancer over so many servers.

    A start below 0 is drawn at the first pick.
    """
    settings = [method, choices, start, max(start, 0), int(forced), 0, 0]
    return Memory([*settings, *[0] * count, *[-1] * count], [bias, 0.0, *[0.0] * count])
