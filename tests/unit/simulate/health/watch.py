"""A balancer that only watches its servers: checks and detectors on a clock, interpreted and compiled."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.random import Generator

from tests.parity.driver import compiled
from workbench.simulate.checks import PASSED, CheckState, HealthCheck
from workbench.simulate.checks.haproxy import HaproxyCheck
from workbench.simulate.detectors import CHECK_SOON, Detector, DetectorState
from workbench.simulate.failover import Failover, GroupState
from workbench.simulate.pool import ServerGroup, Servers, expand
from workbench.simulate.strategies import Memory
from workbench.simulate.weights import WeightRule, WeightState
from workbench.tables import Outcome

OK, REFUSED = Outcome.OK, Outcome.REFUSED
TIMEOUT, ERROR, UNREACHABLE = Outcome.TIMEOUT, Outcome.SERVER_ERROR, Outcome.UNREACHABLE
CANCELLED, ABANDONED = Outcome.CANCELLED, Outcome.ABANDONED

NamedState = TypeVar("NamedState", bound=NamedTuple)


def seeded(seed: int = 1) -> Generator:
    return np.random.Generator(np.random.PCG64(seed))


def pool(
    count: int = 1,
    *,
    priorities: Sequence[int] = (),
    zones: Sequence[str] = (),
    weights: Sequence[int] = (),
) -> Servers:
    """Make servers s0, s1 and so on."""
    count = max(count, len(priorities), len(zones), len(weights))
    return expand(
        [
            ServerGroup(
                name=f"s{place}",
                priority=priorities[place] if priorities else 0,
                zone=zones[place] if zones else "",
                weight=weights[place] if weights else 1,
            )
            for place in range(count)
        ]
    )


def as_arrays(state: NamedState, floats: set[str]) -> NamedState:
    """Give a state with arrays in place of lists."""
    kinds = {name: np.float64 if name in floats else np.int64 for name in state._fields}
    return type(state)(**{name: np.array(getattr(state, name), kinds[name]) for name in state._fields})


def as_lists(state: NamedTuple) -> list[list[float]]:
    return [[float(value) for value in each] for each in state]


class Watch:
    """Checks and a detector of one balancer; either may be missing."""

    def __init__(
        self,
        servers: Servers,
        *,
        check: HealthCheck | None = None,
        detector: Detector | None = None,
        seed: int = 1,
        fast: bool = False,
    ) -> None:
        self.count = servers.count
        self.check, self.detector = check, detector
        self.rng = seeded(seed)
        self.fast = fast
        memory = check.memory(servers) if check else HaproxyCheck().memory(servers)
        up = int(check.starts_up) if check else 1
        self.checks = CheckState([up] * self.count, [0] * self.count, [0.0], memory.ints, memory.floats)
        memory = detector.memory(servers) if detector else Memory([], [])
        self.state = DetectorState(
            [0] * self.count,
            [math.inf] * self.count,
            [1] * self.count,
            [0.0],
            memory.ints,
            memory.floats,
        )
        if fast:
            self.checks = as_arrays(self.checks, {"now", "floats"})
            self.state = as_arrays(self.state, {"until", "now", "floats"})
        starts = check.starts(servers, self.rng) if check else []
        self.next_check = list(starts)
        self.next_tick = detector.tick_every if detector else None
        self.tick_every = self.next_tick

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return (compiled(function) if self.fast else function)(*arguments)

    def at(self, time: float) -> None:
        """Let the clock show a time."""
        self.checks.now[0] = self.state.now[0] = time

    def answer(self, time: float, server: int, outcome: Outcome = OK) -> int:
        """End an attempt, and bring the next check forward where that follows."""
        self.advance(time)
        assert self.detector
        code = self._call(
            type(self.detector).answered, self.state, self.checks, server, int(outcome), 0.01, self.rng
        )
        if code == CHECK_SOON:
            self.next_check[server] = min(self.next_check[server], time + self._pause(server))
        return int(code)

    def pick(self, time: float, server: int) -> int:
        """Send a request to a server."""
        self.advance(time)
        kind = type(self.detector)
        self.checks.traffic[server] += 1
        return int(self._call(kind.picked, self.state, server)) if self.detector and kind.picked else 0

    def advance(self, time: float) -> None:
        """Let ejections end and ticks come up to a time."""
        while self.next_tick is not None and self.tick_every and self.next_tick <= time:
            self._release(self.next_tick)
            self.at(self.next_tick)
            assert self.detector
            self._call(type(self.detector).tick, self.state, self.rng)
            self.next_tick += self.tick_every
        self._release(time)
        self.at(time)

    def _release(self, time: float) -> None:
        for server in range(self.count):
            if self.state.ejected[server] and self.state.until[server] <= time:
                self.at(float(self.state.until[server]))
                released = type(self.detector).released
                if released is None:
                    self.state.ejected[server] = 0
                else:
                    self._call(released, self.state, server)

    def _pause(self, server: int) -> float:
        assert self.check
        seconds = float(self._call(type(self.check).pause, self.checks, server, self.rng))
        self.checks.traffic[server] = 0
        return seconds

    def end_check(self, time: float, server: int, result: int) -> None:
        """End a check, and plan the next one."""
        self.advance(time)
        assert self.check
        self._call(type(self.check).checked, self.checks, server, result)
        ended = type(self.detector).check_ended if self.detector else None
        if ended:
            self._call(ended, self.state, self.checks, server, result)
        self.next_check[server] = time + self._pause(server)

    def run_checks(
        self, until: float, result: Callable[[int, float], int] = lambda server, time: PASSED
    ) -> list[tuple[float, int, int]]:
        """Check until a time, every check answered at once; give (time, server, up) after each."""
        seen = []
        while (time := min(self.next_check)) <= until:
            server = self.next_check.index(time)
            self.end_check(time, server, result(server, time))
            seen.append((round(time, 6), server, int(self.checks.up[server])))
        return seen

    def ejected(self) -> list[int]:
        return [server for server in range(self.count) if self.state.ejected[server]]

    def everything(self) -> list[list[list[float]]]:
        return [as_lists(self.checks), as_lists(self.state), [[float(each)] for each in self.next_check]]


class Groups:
    """A rule of failover with the groups that it chooses among."""

    def __init__(
        self, rule: Failover, servers: Servers, *, zone: str = "", seed: int = 1, fast: bool = False
    ) -> None:
        self.kind = type(rule)
        self.members = rule.groups(servers)
        self.rng = seeded(seed)
        self.fast = fast
        memory = rule.memory(servers, zone)
        count = [sum(servers.weight[server] > 0 for server in group) for group in self.members]
        self.state = GroupState(list(count), count, [0] * len(count), memory.ints, memory.floats)
        if fast:
            self.state = as_arrays(self.state, {"floats"})
        self.set_healthy(list(count))

    def set_healthy(self, healthy: Sequence[int]) -> None:
        self.state.healthy[:] = healthy
        if self.kind.update:
            (compiled(self.kind.update) if self.fast else self.kind.update)(self.state)

    def choose(self, last: int = -1) -> int:
        return int(
            (compiled(self.kind.choose) if self.fast else self.kind.choose)(self.state, last, self.rng)
        )


class Weighing:
    """A rule of weights with what it is told."""

    def __init__(
        self, rule: WeightRule, servers: Servers, *, period: float = 1.0, fast: bool = False
    ) -> None:
        self.kind = type(rule)
        self.rng = seeded()
        self.fast = fast
        count = servers.count
        memory = rule.memory(servers)
        nothing, never = [0] * count, [0.0] * count
        self.state = WeightState(
            list(servers.weight),
            list(servers.weight),
            list(nothing),
            list(nothing),
            list(nothing),
            list(never),
            list(never),
            list(nothing),
            [0.0],
            [period],
            memory.ints,
            memory.floats,
        )
        if fast:
            self.state = as_arrays(self.state, {"seconds", "busy", "now", "period", "floats"})

    def reweigh(self, now: float, **seen: Sequence[float]) -> list[int]:
        """Tell what was seen since the last time, and give the new weights."""
        state = self.state
        state.now[0] = now
        for name in ("answers", "errors", "seconds", "busy", "queue", "in_flight"):
            getattr(state, name)[:] = seen.get(name, [0] * len(state.weight))
        (compiled(self.kind.reweigh) if self.fast else self.kind.reweigh)(state, self.rng)
        return [int(weight) for weight in state.weight]
