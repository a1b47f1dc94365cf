"""How many retries there may be beside the first attempts."""

from __future__ import annotations

import math
from collections import deque

from workbench.simulate.retries import Budget

_ROUNDING = 1e-9
"""Five times a fifth of a retry is a retry, whatever is lost in adding."""


class RetryBudget:
    """A budget at work; see `Budget` for its three kinds, any of which may be set."""

    def __init__(self, rules: Budget) -> None:
        self.rules = rules
        self.retrying = 0
        """Retries under way."""
        self.window: deque[tuple[float, float]] = deque()
        """When what was earned or spent, within the time that it counts."""
        self.saved = 0.0
        self.tokens = rules.tokens

    def earn(self, now: float) -> None:
        """A first attempt is made."""
        if self.rules.earned < math.inf:
            self.book(self.rules.earned, now)

    def lose(self) -> None:
        """An attempt has failed."""
        self.tokens = max(0.0, self.tokens - 1.0)

    def regain(self) -> None:
        """An attempt has gone well."""
        self.tokens = min(self.rules.tokens, self.tokens + self.rules.refund)

    def allows(self, under_way: int, now: float) -> bool:
        """Tell whether a retry may be made beside so many requests under way; what it costs is spent."""
        rules = self.rules
        if rules.concurrent_share < math.inf:
            share = int(rules.concurrent_share * under_way + _ROUNDING)
            if self.retrying >= max(share, rules.concurrent_least):
                return False
        if rules.tokens < math.inf and self.tokens <= rules.tokens / 2:
            return False
        if rules.earned < math.inf:
            self.book(0.0, now)
            if self.saved + rules.reserve < 1.0 - _ROUNDING:
                return False
            self.book(-1.0, now)
        return True

    def book(self, amount: float, now: float) -> None:
        """Add to what is saved, and forget what is too old to count."""
        while self.window and self.window[0][0] <= now - self.rules.keep:
            self.saved -= self.window.popleft()[1]
        if amount:
            self.window.append((now, amount))
            self.saved += amount
