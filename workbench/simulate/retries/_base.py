"""What all rules of retrying have in common: they come down to the same few numbers."""

from __future__ import annotations

import math
from abc import abstractmethod
from enum import IntEnum
from typing import NamedTuple

from workbench.documents import Family, Member
from workbench.tables import Outcome


class Jitter(IntEnum):
    """How a wait is spread by chance."""

    NONE = 0
    FULL = 1
    """Uniform from 0 to the wait."""
    EQUAL = 2
    """Uniform from half the wait to the wait."""
    EXPONENTIAL = 3
    """Exponential with the wait as its mean, as in the theory of retrial queues."""


class Budget(NamedTuple):
    """How many retries there may be beside the first attempts. With neither part there is no bound."""

    concurrent_share: float = math.inf
    """At most this times the requests under way may be retries at once, but ..."""
    concurrent_least: int = 0
    """... at least so many (Envoy)."""
    earned: float = math.inf
    """Each request earns so many retries, which are lost when not used within `keep` seconds; beside ..."""
    reserve: float = 0.0
    """... so many that are there in any window of `keep` seconds (Finagle)."""
    keep: float = 10.0
    tokens: float = math.inf
    """A bucket starts full with so many; a failure takes one out, and retries are made while ..."""
    refund: float = 0.0
    """... it is more than half full; a good answer puts so many back (gRPC)."""


class RetryRules(NamedTuple):
    """Whether, when and where a failed attempt is made again."""

    most: int = 1
    """Attempts in all; 0 is one for each server that could be picked at first."""
    on: frozenset[Outcome] = frozenset()
    """The outcomes of an attempt after which another one is made."""
    wait: float = 0.0
    """Seconds before the second attempt."""
    factor: float = 1.0
    """Each further wait is so many times the one before."""
    most_wait: float = math.inf
    jitter: Jitter = Jitter.NONE
    within: float = math.inf
    """No attempt begins later than so many seconds after the first one."""
    try_timeout: float = math.inf
    """Seconds after which an attempt without an answer has failed."""
    not_again: bool = False
    """Whether a server that failed the request is ruled out for it ..."""
    again_at_last: bool = False
    """... as long as there is another one."""
    stay: bool = False
    """Whether the same server is tried again without a new pick ..."""
    stay_wait: float = 0.0
    """... so many seconds later, and ..."""
    leave_every: int = 0
    """... a new pick is made before every so manieth retry; below 0: counted from the last one; 0 never."""
    leave_freely: bool = False
    """Whether a new pick is made at once, as long as more than one server is in service."""
    budget: Budget = Budget()


class Retries(Member):
    """What follows an attempt that has failed."""

    @abstractmethod
    def rules(self, strategy: str) -> RetryRules:
        """Give the rules under a strategy, named by its kind."""


RETRIES: Family[Retries] = Family("retry policy", Retries)  # type: ignore[type-abstract]
