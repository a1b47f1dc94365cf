"""Laying out the arrays of a run in which things may fail, from its scenario."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from workbench.errors import SimulationError
from workbench.simulate.detectors.none import NoDetector
from workbench.simulate.engines.compiled.drawing import bank_of, memory_of
from workbench.simulate.engines.compiled.resilient.world import (
    ATTEMPT,
    BOOKED,
    BUDGET,
    CALL,
    DESK,
    EVENT,
    LIST,
    MACHINE,
    NOWHERE,
    REQUEST,
    RULES,
    SETTINGS,
    UNBOUNDED,
    Count,
    DeskFloat,
    DeskInt,
    Of,
    PoolInt,
    Sum,
    World,
)
from workbench.simulate.engines.reference.desk import ERRORS
from workbench.simulate.pool import GivesUp, Servers
from workbench.simulate.retries import RetryRules
from workbench.simulate.scenario import Scenario
from workbench.simulate.strategies import Memory
from workbench.tables import Outcome

_ROOM = 1024
"""Records that there is room for at first."""


Draws = dict[str, NDArray[np.uint64]]
"""A generator's own memory, and a row for each stream that takes turns in it."""


def draws_of(streams: Sequence[Generator]) -> tuple[Generator, Draws]:
    """Give a generator in which streams take turns, the first being in it."""
    numbers, left_over = memory_of(streams[0])
    return streams[0], {"numbers": numbers, "left_over": left_over, "bank": bank_of(streams)}


def make_world(
    scenario: Scenario, rules: RetryRules, draws: Mapping[str, Draws], *, desks: int, requests: int
) -> World:
    """Make the arrays of a run in which nothing has happened; there may come more requests than that."""
    servers, balancers = scenario.servers(), scenario.balancers
    failover, count = balancers.holding_failover(), servers.count
    members = failover.groups(servers)
    pool = np.zeros((len(PoolInt), count), np.int64)
    for number, those in enumerate(members):
        pool[PoolInt.GROUP, those] = number
    pool[PoolInt.FAILS_ALLOWED] = balancers.holding_detector().fails_allowed(servers)
    pool[PoolInt.LIMIT] = limits(servers.limit)
    pool[PoolInt.LEAST_LIMIT] = [least or 0 for least in servers.least_limit]
    places, ints, floats = _memories(scenario, servers, members, desks)
    slow, rows = balancers.slow_start, desks * len(members)
    client_rules = RetryRules() if scenario.clients.retries is None else scenario.clients.retries.rules("")
    queues = desks * (count + 1) if balancers.queues is not None else 0
    books = math.inf > min(rules.budget.earned, client_rules.budget.earned)
    return World(
        counts=np.zeros(len(Count), np.int64),
        sums=np.zeros(len(Sum)),
        settings=_settings(scenario, servers),
        slow=np.array([] if slow is None else slow.numbers(), np.float64),
        rules=np.concatenate(
            [_rules(rules, sum(weight > 0 for weight in servers.weight)), _rules(client_rules, 0)]
        ),
        requests=np.zeros(requests, REQUEST),
        calls=np.zeros(_ROOM + requests, CALL),
        attempts=np.zeros(_ROOM + requests, ATTEMPT),
        machines=_machines(servers),
        failing=np.zeros((count, 1, 2)),
        lists=_lists(3 * count + queues + 1),
        agenda=np.zeros(_ROOM, EVENT),
        stack=np.zeros((_ROOM, 4), np.int64),
        desks=np.zeros(desks, DESK),
        desk_ints=np.zeros((desks, len(DeskInt), count), np.int64),
        desk_floats=_desk_floats(desks, count),
        keys=np.zeros((desks, 3, 1), np.int64),
        times=np.zeros((desks, 2, 1)),
        pool=pool,
        view_ints=np.zeros((rows, 2, count), np.int64),
        free_at=np.zeros((rows, count)),
        groups=np.zeros((desks, 3, len(members)), np.int64),
        ints=np.zeros(ints, np.int64),
        floats=np.zeros(floats),
        places=places,
        slots=np.zeros((desks, sum(servers.slots) if balancers.strategy.knows_demand else 0)),
        slots_from=np.concatenate(([0], np.cumsum(servers.slots))).astype(np.int64),
        cut=np.zeros((0, 0), np.int32),
        budgets=_budgets(rules, client_rules, desks),
        booked=np.zeros((desks + 1, _ROOM if books else 0), BOOKED),
        **{f"{use}_{name}": array for use, drawn in draws.items() for name, array in drawn.items()},
    )


def limits(given: Sequence[int | None]) -> NDArray[np.int64]:
    """Write limits as numbers."""
    return np.array([UNBOUNDED if limit is None else limit for limit in given], np.int64)


def whole_numbers(values: Sequence[int], what: str) -> NDArray[np.int64]:
    """Write whole numbers into an array.

    Raises:
        SimulationError: 64 bits do not hold them.
    """
    try:
        found = np.array(list(values), np.int64)
    except OverflowError:
        found = np.zeros(0, np.int64)
    if found.tolist() != list(values):
        raise SimulationError(
            f"{what}: given what 64 bits do not hold; allowed: with `engine: reference` any number"
        )
    return found


def _desk_floats(desks: int, count: int) -> NDArray[np.float64]:
    floats = np.zeros((desks, len(DeskFloat), count))
    floats[:, DeskFloat.WARMING] = -1.0
    return floats


def _memories(
    scenario: Scenario, servers: Servers, members: Sequence[Sequence[int]], desks: int
) -> tuple[NDArray[np.int64], int, int]:
    """Find out where each memory lies, and how many numbers there are in all."""
    balancers = scenario.balancers
    keys = scenario.keys.names() if scenario.keys else []
    strategy, checks = balancers.strategy, balancers.checks
    views = [strategy.memory(within(servers, those), keys) for those in members]
    zones, failover = balancers.zone or [""], balancers.holding_failover()
    of_desk: dict[Of, Memory] = {
        Of.DETECTOR: balancers.holding_detector().memory(servers),
        Of.CHECK: Memory([], []) if checks is None else checks.memory(servers),
    }
    places = np.zeros((len(Of), desks * len(members), 4), np.int64)
    ints = floats = 0
    for desk in range(desks):
        of_desk[Of.GROUPS] = failover.memory(servers, zones[desk % len(zones)])
        owned = [(Of.VIEW, desk * len(members) + group, view) for group, view in enumerate(views)]
        for whose, row, memory in [*owned, *((which, desk, one) for which, one in of_desk.items())]:
            places[whose, row] = ints, ints + len(memory.ints), floats, floats + len(memory.floats)
            ints, floats = ints + len(memory.ints), floats + len(memory.floats)
    return places, ints, floats


def within(servers: Servers, members: Sequence[int]) -> Servers:
    """Give the pool as a strategy sees it that picks in one group: others have no weight."""
    inside = set(members)
    return replace(
        servers, weight=[weight if one in inside else 0 for one, weight in enumerate(servers.weight)]
    )


def _lists(count: int) -> Any:
    lists = np.zeros(count, LIST)
    lists["first"] = lists["last"] = NOWHERE
    return lists


def _machines(servers: Servers) -> Any:
    machines = np.zeros(servers.count, MACHINE)
    machines["speed"] = machines["full_speed"] = servers.speed
    machines["delay"] = machines["near"] = servers.delay
    machines["stops_at"] = math.inf
    machines["slots"] = servers.slots
    machines["queue_limit"] = limits(servers.queue_limit)
    machines["gives_up"] = [list(GivesUp).index(one) for one in servers.gives_up]
    return machines


def _rules(rules: RetryRules, tried: int) -> Any:
    """Write rules as a record; `tried` is how many attempts 0 stands for."""
    row = np.zeros(1, RULES)
    for name in ("wait", "factor", "most_wait", "within", "try_timeout", "stay_wait", "leave_every"):
        row[name] = getattr(rules, name)
    for name in ("not_again", "again_at_last", "stay", "leave_freely", "jitter"):
        row[name] = int(getattr(rules, name))
    for name in ("earned", "reserve", "keep", "tokens", "refund"):
        row[name] = getattr(rules.budget, name)
    row["share"], row["share_least"] = rules.budget.concurrent_share, rules.budget.concurrent_least
    row["most"], row["rules_most"] = rules.most or tried, rules.most
    row["on"], row["against"] = _bits(rules.on), _bits(rules.on | ERRORS)
    return row


def _bits(outcomes: frozenset[Outcome]) -> int:
    return sum(1 << int(outcome) for outcome in outcomes)


def _budgets(rules: RetryRules, client_rules: RetryRules, desks: int) -> Any:
    budgets = np.zeros(desks + 1, BUDGET)
    budgets["tokens"] = rules.budget.tokens
    budgets["tokens"][-1] = client_rules.budget.tokens
    return budgets


def _settings(scenario: Scenario, servers: Servers) -> Any:
    balancers, clients, closed = scenario.balancers, scenario.clients, scenario.closed
    queue, slow, kind = balancers.queues, balancers.slow_start, type(balancers.strategy)
    detector, horizon = balancers.holding_detector(), scenario.horizon
    limited = any(limit is not None for limit in servers.limit)
    growing = any(least is not None for least in servers.least_limit)
    until = horizon.seconds if horizon is not None else None
    refused_after = scenario.network.refused_after
    values: dict[str, Any] = {
        "timeout": _or_never(clients.timeout),
        "deadline": _or_never(clients.deadline),
        "hedge_after": _or_never(clients.hedge_after),
        "hedges": clients.hedges if clients.hedge_after is not None else 0,
        "patient": clients.patience is not None,
        "refused_after": -1.0 if refused_after is None else refused_after,
        "queue_timeout": _or_never(None if queue is None else queue.timeout),
        "queue_limit": UNBOUNDED if queue is None or queue.limit is None else queue.limit,
        "has_queue": queue is not None,
        "breaks": balancers.breaker is not None,
        "max_requests": UNBOUNDED if balancers.breaker is None else balancers.breaker.max_requests,
        "slow_step": 0.0 if slow is None else slow.step,
        "slow_lasts": math.inf if slow is None else slow.lasts,
        "has_slow": slow is not None,
        "until": _or_never(until),
        "closed": closed is not None,
        "users": closed.users if closed is not None else 0,
        "balancers": balancers.count,
        "knows_demand": balancers.strategy.knows_demand,
        "waits_at_server": balancers.strategy.waits_at_server,
        "moving_limits": growing or (limited and slow is not None),
        "never_full": not limited and queue is None,
        "has_taken": kind.taken is not None,
        "has_ended": kind.ended is not None,
        "has_answered": kind.answered is not None,
        "has_failed": kind.failed is not None,
        "picks_matter": type(detector).picked is not None,
        "answers_matter": not isinstance(detector, NoDetector),
        "reweighs": balancers.weights is not None,
    }
    row = np.zeros(1, SETTINGS)
    for name, value in values.items():
        row[name] = value
    return row


def _or_never(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds
