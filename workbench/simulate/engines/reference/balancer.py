"""A balancer: a strategy at work with its view of the pool."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapreplace

from numpy.random import Generator

from workbench.errors import SimulationError
from workbench.simulate.pool import Servers
from workbench.simulate.scenario import Balancers, Sharing
from workbench.simulate.strategies import Strategy, View


class Balancer:
    """One balancer. Balancers with a shared view hold the same `View`, memory included."""

    __slots__ = ("_kind", "_pick", "_rng", "_slots", "knows_demand", "view")

    def __init__(self, strategy: Strategy, view: View, slots: list[list[float]], rng: Generator) -> None:
        self._pick = type(strategy).pick
        self._kind = strategy.kind
        self._rng = rng
        self._slots = slots
        self.view = view
        self.knows_demand = strategy.knows_demand

    def choose(self, now: float) -> int:
        """Pick a server for a request that arrives now; negative where there is none.

        Raises:
            SimulationError: the strategy failed, or returned what is no server that may be picked.
        """
        self.view.now[0] = now
        try:
            server = self._pick(self.view, self._rng)
        except Exception as error:
            raise SimulationError(f"strategy {self._kind} failed: {error!r}") from error
        try:
            if server < 0 or self.view.usable[server]:
                return server
        except (IndexError, TypeError):
            pass
        allowed = f"a server of weight above 0, from 0 to {len(self.view.usable) - 1}"
        raise SimulationError(f"strategy {self._kind} picked {server!r}; allowed: {allowed}")

    def took_on(self, server: int, now: float, service: float) -> None:
        """Learn that a server took on so many seconds of service; for strategies that know demand."""
        slots = self._slots[server]
        heapreplace(slots, max(now, slots[0]) + service)
        self.view.free_at[server] = slots[0]


def make_balancers(
    settings: Balancers, servers: Servers, stream: Callable[[int], Generator]
) -> list[Balancer]:
    """Make a scenario's balancers; `stream(i)` gives the generator of the i-th."""
    strategy = settings.strategy
    views = 1 if settings.view is Sharing.SHARED else settings.count
    seen = [(_fresh_view(strategy, servers), _slots(strategy, servers)) for _ in range(views)]
    return [Balancer(strategy, *seen[number % views], stream(number)) for number in range(settings.count)]


def _fresh_view(strategy: Strategy, servers: Servers) -> View:
    memory = strategy.memory(servers)
    return View(
        usable=[int(weight > 0) for weight in servers.weight],
        weight=list(servers.weight),
        in_flight=[0] * servers.count,
        free_at=[0.0] * servers.count,
        now=[0.0],
        ints=memory.ints,
        floats=memory.floats,
    )


def _slots(strategy: Strategy, servers: Servers) -> list[list[float]]:
    """For each server a heap of the times at which its slots will be free."""
    return [[0.0] * count for count in servers.slots] if strategy.knows_demand else []
