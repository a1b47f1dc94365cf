"""What a run of the compiled engine keeps, as arrays; it may stop after any event and go on later."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import SimulationError
from workbench.simulate.balancers import Balancers, Sharing
from workbench.simulate.engines.compiled.agenda import Agenda, make_agenda
from workbench.simulate.engines.compiled.level_sets import LevelSets, make_level_sets
from workbench.simulate.engines.reference.balancer import fresh_view
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import View

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNBOUNDED = 2**62
"""A limit that is never reached: there is none."""

_FLOAT_FIELDS = frozenset({"ramp", "free_at", "now", "demand", "floats"})
"""The entries of a view that are not whole numbers."""


class Count(IntEnum):
    """The places of the whole numbers that a run keeps."""

    ARRIVED = 0
    """Requests that have arrived."""
    THOUGHT = 1
    """Think times that are used up."""
    EVENTS = 2
    """Events on the agenda."""
    IN_SYSTEM = 3
    BEGUN = 4
    """Users that have begun."""
    WRONG = 5
    """What a pick returned that is no server which may be picked."""
    LAST = 6
    """Whether the workload has no further requests."""
    KNOWN = 7
    """Requests (in a closed loop: think times) taken from the workload so far."""
    BASE = 8
    """Number of the first request in the window."""
    DRAWING = 9
    """The balancer whose stream is in the generator."""
    USERS = 10


class Sum(IntEnum):
    """The places of the times that a run keeps, seconds."""

    AREA = 0
    """Integral of the number of requests in the system."""
    CHANGED = 1
    """When that number last changed."""
    UNTIL = 2
    """When users stop sending."""
    REFRESH = 3
    """Time between two refreshes of a view."""


class Window(NamedTuple):
    """The requests that are not finished, and those around them; request r is at place r - base."""

    arrival: Floats
    think: Floats
    demand: Floats
    balancer: NDArray[np.int32]
    key: Ints
    begin: Floats
    finish: Floats
    answered: Floats
    server: NDArray[np.int32]
    outcome: NDArray[np.int8]
    queue_depth: NDArray[np.int32]
    behind: Ints
    """The request that waits behind this one at its server; in a heap, its next sibling."""
    tag: Floats
    """Where requests share a server: the virtual time at which this one ends."""
    child: Ints
    """In a heap: the first of those below this one."""
    user: NDArray[np.int32]


class Pool(NamedTuple):
    """The servers."""

    free: Ints
    """Slots that serve nobody."""
    speed: Floats
    queue_limit: Ints
    delay: Floats
    limit: Ints
    """Requests that a balancer keeps in flight at most."""
    first: Ints
    """The first request that waits (where there is an agenda) or is there (where there is none)."""
    final: Ints
    waiting: Ints
    """How many wait, or are there."""
    in_flight: Ints
    """From all balancers together."""
    slots_from: Ints
    """Where a server's slots begin among all slots; one entry more than servers."""
    shares: Ints
    """1 where requests share the server; there the first in the pool's heap is `first`."""
    virtual: Floats
    """Service that each request there has had since the server was last empty, seconds of demand."""
    updated: Floats
    """When `virtual` was reckoned."""
    due: Floats
    """When the next one ends; -1 if there is none."""


class Run(NamedTuple):
    """All of it."""

    counts: Ints
    sums: Floats
    window: Window
    pool: Pool
    views: Any
    """One row a view in each array."""
    slots: Floats
    """One row a view: when each slot will be free, a heap for each server; for those who know demand."""
    agenda: Agenda
    sets: LevelSets
    """The servers by their level; empty where the strategy looks for itself."""
    bank: NDArray[np.uint64]
    """One row a balancer: the state of its stream."""
    numbers: NDArray[np.uint64]
    """The generator's own memory, in which the stream of one balancer is."""
    left_over: NDArray[np.uint64]


def example_run() -> Run:
    """Give a run of the right types, in which nothing is."""
    views = View(**dict[str, Any]({name: np.zeros((1, 0), _kind(name)) for name in View._fields}))
    return Run(
        counts=np.zeros(len(Count), np.int64),
        sums=np.zeros(len(Sum)),
        window=make_window(0),
        pool=make_pool(Servers()),
        views=views,
        slots=np.zeros((1, 0)),
        agenda=make_agenda(0),
        sets=make_level_sets(views, wanted=False),
        bank=np.zeros((1, 0), np.uint64),
        numbers=np.zeros(0, np.uint64),
        left_over=np.zeros(0, np.uint64),
    )


def make_window(room: int) -> Window:
    """Make a window for so many requests."""
    kinds: dict[str, Any] = {
        "balancer": np.int32,
        "server": np.int32,
        "queue_depth": np.int32,
        "user": np.int32,
    }
    kinds |= {"outcome": np.int8, "key": np.int64, "behind": np.int64, "child": np.int64}
    arrays: dict[str, Any] = {name: np.zeros(room, kinds.get(name, np.float64)) for name in Window._fields}
    return Window(**arrays)


def make_pool(servers: Servers) -> Pool:
    """Make the servers, all idle."""
    nobody = np.zeros(servers.count, np.int64)
    return Pool(
        free=np.array(servers.slots, np.int64),
        speed=np.array(servers.speed, np.float64),
        queue_limit=_limits(servers.queue_limit),
        delay=np.array(servers.delay, np.float64),
        limit=_limits(servers.limit),
        first=nobody.copy(),
        final=nobody.copy(),
        waiting=nobody.copy(),
        in_flight=nobody.copy(),
        slots_from=np.concatenate(([0], np.cumsum(servers.slots))).astype(np.int64),
        shares=np.array(servers.shares, np.int64),
        virtual=np.zeros(servers.count),
        updated=np.zeros(servers.count),
        due=np.full(servers.count, -1.0),
    )


def make_views(settings: Balancers, servers: Servers, keys: Sequence[str]) -> Any:
    """Make the views of all balancers, one row each; balancers with a shared view have one row."""
    rows = 1 if settings.view is Sharing.SHARED else settings.count
    fresh = fresh_view(settings.strategy, servers, keys)
    arrays: dict[str, Any] = {}
    for name, values in fresh._asdict().items():
        try:
            once = np.array(values, _kind(name))
        except OverflowError:
            once = np.zeros(0, np.int64)
        if once.tolist() != list(values):
            raise SimulationError(
                f"strategy {settings.strategy.kind}: {name}: given what 64 bits do not hold; "
                "allowed: with `engine: reference` any number"
            )
        arrays[name] = np.tile(once, (rows, 1))
    return View(**arrays)


def _kind(name: str) -> type[np.float64 | np.int64]:
    return np.float64 if name in _FLOAT_FIELDS else np.int64


def make_slots(settings: Balancers, servers: Servers, views: int) -> Floats:
    """Make what a strategy that knows demand has of every slot; empty for the others."""
    return np.zeros((views, sum(servers.slots) if settings.strategy.knows_demand else 0))


def _limits(limits: Sequence[int | None]) -> Ints:
    return np.array([UNBOUNDED if limit is None else limit for limit in limits], np.int64)
