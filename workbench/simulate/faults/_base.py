"""What all faults have in common: they are changes to servers and to the network at known times.

When things break does not depend on what the balancers do, so a fault is told as a series of changes,
drawn from a stream of its own: two strategies under the same seed see the same faults.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

from numpy.random import Generator
from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from workbench.documents import Family, Member
from workbench.simulate.pool import Servers

EVERY_BALANCER = -1


class Effect(IntEnum):
    """What a change does to a server. Effects of one kind add up: a server is well when all have ended."""

    CRASH = 0
    """It refuses connections; what it had is lost at once."""
    SLOW = 1
    """Its speed is multiplied by `value`; 0 is a hang, in which it takes requests and does nothing."""
    FAILING = 2
    """It answers with an error, `seconds` after a request came, with probability `value`, using no slot."""
    DELAY = 3
    """`seconds` are added to the one-way delay to it and back."""
    PARTITION = 4
    """Nothing gets through between it and `balancer`; what is under way arrives when the partition ends."""
    DRAIN = 5
    """Balancers send it nothing new."""
    RELOAD = 6
    """`balancer` begins anew and has forgotten all that it knew; `server` is -1. It has no end."""
    INTERRUPT = 7
    """It stops while it works: work in service goes on when this ends, others wait. As SLOW by 0, but it
    begins only after the server has been busy for `seconds` since the last one ended, and lasts `value`.
    It has no end of its own. One that is told while another is still to come waits its turn behind it; the
    next is always told before the last one can have ended."""


class Change(NamedTuple):
    """An effect begins or ends."""

    time: float
    """Seconds from the start of the run."""
    begins: bool
    effect: Effect
    server: int
    balancer: int = EVERY_BALANCER
    value: float = 0.0
    seconds: float = 0.0


Changes = Iterator[Change]


class Fault(Member):
    """Something that breaks, by schedule, by chance, or both."""

    @abstractmethod
    def changes(self, servers: Servers, balancers: int, stream: Callable[[int], Generator]) -> Changes:
        """Tell the changes in the order of time; there may be no end of them.

        Args:
            servers: the pool.
            balancers: number of balancers.
            stream: `stream(i)` gives the i-th of as many independent generators as are needed. 0 is for what
                is drawn for all, i + 1 for server or balancer i: one more changes nothing for the others.
        """

    def problems(self, servers: Servers, balancers: int) -> list[InitErrorDetails]:
        """List what does not fit a pool and a number of balancers, each thing at its key of the fault."""
        return []

    def check(self, servers: Servers, balancers: int) -> None:
        """Refuse a fault that names what is not there.

        Raises:
            ValidationError: with all that is wrong, each with its key, what was given and what there is.
        """
        if problems := self.problems(servers, balancers):
            raise ValidationError.from_exception_data(self.kind, problems)


def problem(key: str, given: object, allowed: str) -> InitErrorDetails:
    """Tell what is wrong with a key of a fault."""
    return InitErrorDetails(type=PydanticCustomError(key, allowed), loc=(key,), input=given)


def check_faults(faults: Sequence[Fault], servers: Servers, balancers: int) -> None:
    """Refuse faults that name what is not there, each at its place in the list.

    Raises:
        ValidationError: with all that is wrong in all of them.
    """
    found = [
        item | {"loc": (place, *item.get("loc", ()))}
        for place, fault in enumerate(faults)
        for item in fault.problems(servers, balancers)
    ]
    if found:
        raise ValidationError.from_exception_data("faults", found)


FAULTS: Family[Fault] = Family("fault", Fault)  # type: ignore[type-abstract]
