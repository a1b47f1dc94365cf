"""Budgets of retries and the rules before one, as `RetryBudget` and `ResilientRun` of the reference engine.

Plain functions that Numba compiles. Row 0 of the rules is the balancers', row 1 the clients'; the last row
of the budgets is the clients'.
"""

from __future__ import annotations

import math
from typing import Any

from numpy.random import Generator

from workbench.simulate.engines.compiled.resilient.world import World
from workbench.simulate.retries import Jitter

INFINITE = math.inf
ROUNDING = 1e-9
NO_JITTER, FULL, EXPONENTIAL = int(Jitter.NONE), int(Jitter.FULL), int(Jitter.EXPONENTIAL)


def rules_of(w: World, budget: int) -> Any:
    """Give the rules that a budget goes by."""
    return w.rules[int(budget == len(w.budgets) - 1)]


def earn(w: World, budget: int, now: float) -> None:
    """A first attempt is made."""
    rules = rules_of(w, budget)
    if rules.earned < INFINITE:
        book(w, budget, rules.earned, now)


def lose(w: World, budget: int) -> None:
    """An attempt has failed."""
    one = w.budgets[budget]
    one.tokens = max(0.0, one.tokens - 1.0)


def regain(w: World, budget: int) -> None:
    """An attempt has gone well."""
    one, rules = w.budgets[budget], rules_of(w, budget)
    one.tokens = min(rules.tokens, one.tokens + rules.refund)


def allows(w: World, budget: int, under_way: int, now: float) -> bool:
    """Tell whether a retry may be made beside so many requests under way; what it costs is spent."""
    one, rules = w.budgets[budget], rules_of(w, budget)
    if rules.share < INFINITE:
        share = int(rules.share * under_way + ROUNDING)
        if one.retrying >= max(share, rules.share_least):
            return False
    if rules.tokens < INFINITE and one.tokens <= rules.tokens / 2:
        return False
    if rules.earned < INFINITE:
        book(w, budget, 0.0, now)
        if one.saved + rules.reserve < 1.0 - ROUNDING:
            return False
        book(w, budget, -1.0, now)
    return True


def book(w: World, budget: int, amount: float, now: float) -> None:
    """Add to what is saved, and forget what is too old to count."""
    one, rules = w.budgets[budget], rules_of(w, budget)
    ring = w.booked[budget]
    room = len(ring)
    while one.count > 0 and ring[one.head].time <= now - rules.keep:
        one.saved -= ring[one.head].amount
        one.head = (one.head + 1) % room
        one.count -= 1
    if amount != 0.0:
        entry = ring[(one.head + one.count) % room]
        entry.time = now
        entry.amount = amount
        one.count += 1
        one.saved += amount


def wait_before(w: World, row: int, tries: int, rng: Generator) -> float:
    """Draw the seconds before the attempt that follows so many."""
    rules = w.rules[row]
    wait: float = 0.0
    if rules.wait != 0.0:
        wait = min(rules.wait * math.pow(rules.factor, float(tries - 1)), rules.most_wait)
    if wait == 0.0 or rules.jitter == NO_JITTER:
        return wait
    if rules.jitter == EXPONENTIAL:
        return rng.standard_exponential() * wait
    drawn = rng.random() * wait
    return drawn if rules.jitter == FULL else (wait + drawn) / 2


def retries(w: World, row: int, outcome: int) -> bool:
    """Tell whether rules make another attempt after an outcome."""
    return bool(w.rules[row].on >> outcome & 1)


def speaks_against(w: World, outcome: int) -> bool:
    """Tell whether an outcome speaks against the server."""
    return bool(w.rules[0].against >> outcome & 1)
