"""Partitions over the arrays: which ways are cut, and the messages that they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import SimulationError
from workbench.simulate.engines.compiled.engine import MOST_LINKS
from workbench.simulate.engines.compiled.resilient.lists import held_list, remove
from workbench.simulate.engines.compiled.resilient.world import Count

if TYPE_CHECKING:
    from workbench.simulate.engines.compiled.resilient.run import CompiledRun

Link = tuple[int, int]
"""A balancer and a server."""


class Cuts(dict[Link, int]):
    """Partitions that last, by balancer and server, which the kernel reads in an array."""

    def __init__(self, run: CompiledRun) -> None:
        super().__init__()
        self.run = run

    def __setitem__(self, link: Link, count: int) -> None:
        super().__setitem__(link, count)
        self.tell(link, count)

    def __delitem__(self, link: Link) -> None:
        super().__delitem__(link)
        self.tell(link, 0)

    def tell(self, link: Link, count: int) -> None:
        """Let the kernel know how many partitions cut a way."""
        run = self.run
        if run.world.cut.size == 0:
            run.replace(cut=_links(run.scenario.balancers.count, len(run.machines)))
        run.world.cut[link] = count
        run.world.counts[Count.CUTS] = len(self)


class Held:
    """Messages that are under way in a partition."""

    def __init__(self, run: CompiledRun) -> None:
        self.run = run

    def pop(self, link: Link, nothing: list[Any]) -> list[Any]:
        """Take those of a way out, each with the way that it goes: 1 is back."""
        plain = self.run.plain
        found = []
        for attempt in self.run.members(held_list(plain)):
            one = plain.attempts[attempt]
            if (plain.calls[one.call].balancer, one.server) == link:
                found.append((attempt, int(one.goes_back)))
                remove(plain, attempt)
        return found or nothing


def _links(balancers: int, servers: int) -> Any:
    if balancers * servers > MOST_LINKS:
        raise SimulationError(
            f"faults: given a partition among {balancers * servers:,} ways between balancers and servers; "
            f"allowed: at most {MOST_LINKS:,} in the compiled engine, any number with `engine: reference`"
        )
    return np.zeros((balancers, servers), np.int32)
