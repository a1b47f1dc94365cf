"""A balancer: a strategy at work with its view of the pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapreplace

from numpy.random import Generator

from workbench.errors import SimulationError
from workbench.simulate.balancers import Balancers, Sharing
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Strategy, View


class Balancer:
    """One balancer. Balancers with a shared view hold the same `View`, memory included."""

    __slots__ = (
        "_answered",
        "_ended",
        "_limit",
        "_pick",
        "_rng",
        "_slots",
        "_strategy",
        "_taken",
        "pool",
        "view",
    )

    def __init__(
        self,
        strategy: Strategy,
        view: View,
        *,
        limit: list[int | None],
        slots: list[list[float]],
        rng: Generator,
        pool: list[int],
    ) -> None:
        self._strategy = strategy
        self._pick = type(strategy).pick
        self._rng = rng
        self._slots = slots
        self.view = view
        self._taken = type(strategy).taken
        self._ended = type(strategy).ended
        self._answered = type(strategy).answered
        self._limit = limit
        self.pool = pool

    def choose(self, now: float, key: int, demand: float) -> int:
        """Pick a server for a request that arrives now; negative where there is none.

        Raises:
            SimulationError: the strategy failed, or returned what is no server that may be picked.
        """
        view = self.view
        view.now[0] = now
        view.key[0] = key
        view.demand[0] = demand
        try:
            server = self._pick(view, self._rng)
        except Exception as error:
            raise failure(self._strategy, error) from error
        try:
            if server < 0 or view.usable[server]:
                return server
        except (IndexError, TypeError):
            pass
        raise refusal(self._strategy, server, len(view.usable))

    def take(self, server: int) -> None:
        """Count a request as in flight at a server."""
        view = self.view
        view.in_flight[server] += 1
        self.pool[server] += 1
        if view.in_flight[server] == self._limit[server]:
            view.usable[server] = 0
        if self._taken is not None:
            self._taken(view, server)

    def let_go(self, server: int, now: float, seconds: float, good: bool = True) -> None:
        """Count a request as no longer in flight at a server; it took so many seconds."""
        view = self.view
        view.now[0] = now
        if view.in_flight[server] == self._limit[server]:
            view.usable[server] = view.in_service[server]
        view.in_flight[server] -= 1
        self.pool[server] -= 1
        if self._ended is not None:
            self._ended(view, server, seconds)
        if good and self._answered is not None:
            self._answered(view, server, seconds)

    def refresh(self) -> None:
        """Learn what all balancers have in flight."""
        view = self.view
        for server, level in enumerate(self.pool):
            limit = self._limit[server]
            view.in_flight[server] = level
            view.usable[server] = int(view.in_service[server] and (limit is None or level < limit))

    def took_on(self, server: int, now: float, service: float) -> None:
        """Learn that a server took on so many seconds of service; for strategies that know demand."""
        slots = self._slots[server]
        heapreplace(slots, max(now, slots[0]) + service)
        self.view.free_at[server] = slots[0]


def ask(strategy: Strategy, view: View, rng: Generator, allowed: Sequence[int]) -> int:
    """Let a strategy pick; negative where there is no server to pick.

    Raises:
        SimulationError: the strategy failed, or returned what is no server that may be picked.
    """
    try:
        server = type(strategy).pick(view, rng)
    except Exception as error:
        raise failure(strategy, error) from error
    try:
        if server < 0 or allowed[server]:
            return server
    except (IndexError, TypeError):
        pass
    raise refusal(strategy, server, len(view.usable))


def failure(strategy: Strategy, error: Exception) -> SimulationError:
    """Say that a strategy has raised an error."""
    return SimulationError(f"strategy {strategy.kind} failed: {error!r}")


def refusal(strategy: Strategy, server: object, count: int) -> SimulationError:
    """Say that a strategy has picked what is no server that may be picked."""
    named = f"a usable server, from 0 to {count - 1}"
    return SimulationError(f"strategy {strategy.kind} picked {server!r}; allowed: {named}")


def make_balancers(
    settings: Balancers, servers: Servers, keys: Sequence[str], stream: Callable[[int], Generator]
) -> list[Balancer]:
    """Make a scenario's balancers; `stream(i)` gives the generator of the i-th."""
    strategy = settings.strategy
    views = 1 if settings.view is Sharing.SHARED else settings.count
    pool = [0] * servers.count
    seen = [(fresh_view(strategy, servers, keys), _slots(strategy, servers)) for _ in range(views)]
    return [
        Balancer(strategy, view, limit=servers.limit, slots=slots, rng=stream(number), pool=pool)
        for number in range(settings.count)
        for view, slots in [seen[number % views]]
    ]


def fresh_view(strategy: Strategy, servers: Servers, keys: Sequence[str]) -> View:
    """Give the view of a balancer that has seen nothing yet."""
    memory = strategy.memory(servers, keys)
    in_service = [int(weight > 0 or strategy.serves_weight_zero) for weight in servers.weight]
    return View(
        usable=list(in_service),
        in_service=in_service,
        weight=list(servers.weight),
        ramp=[1.0] * servers.count,
        in_flight=[0] * servers.count,
        free_at=[0.0] * servers.count,
        now=[0.0],
        key=[0],
        demand=[0.0],
        tries=[0],
        avoid=[-1],
        fails_allowed=[0] * servers.count,
        ints=memory.ints,
        floats=memory.floats,
    )


def _slots(strategy: Strategy, servers: Servers) -> list[list[float]]:
    """For each server a heap of the times at which its slots will be free."""
    return [[0.0] * count for count in servers.slots] if strategy.knows_demand else []
