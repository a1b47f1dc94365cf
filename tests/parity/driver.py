"""A fresh balancer by itself: picks, held and ended requests, and the same functions compiled by Numba."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit
from numpy.random import Generator

from workbench.simulate.engines.reference.balancer import fresh_view
from workbench.simulate.pool import ServerGroup, Servers, expand
from workbench.simulate.strategies import Strategy, View

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def sequences(product: str) -> dict[str, list[dict[str, Any]]]:
    """Read the sequences observed on the real program."""
    found: dict[str, list[dict[str, Any]]] = json.loads(
        (Path(__file__).parent / "sequences" / f"{product}.json").read_text(encoding="utf-8")
    )
    return found


def pool(weights: Sequence[int], *, names: Sequence[str] = (), limits: Sequence[int | None] = ()) -> Servers:
    """Make servers; a limit of None or 0 is none."""
    return expand(
        [
            ServerGroup(
                name=names[place] if names else f"127.0.0.1:{18101 + place}",
                weight=weight,
                limit=(limits[place] or None) if limits else None,
            )
            for place, weight in enumerate(weights)
        ]
    )


class Driver:
    """A strategy with a view that only this object changes."""

    def __init__(
        self,
        strategy: Strategy,
        servers: Servers,
        *,
        keys: Sequence[str] = (),
        fails_allowed: Sequence[int] = (),
        seed: int = 1,
        fast: bool = False,
    ) -> None:
        self.kind = type(strategy)
        self.limit = servers.limit
        self.rng = np.random.Generator(np.random.PCG64(seed))
        self.view: View = fresh_view(strategy, servers, keys)._replace(
            fails_allowed=list(fails_allowed) or [0] * servers.count
        )
        self.down = [False] * servers.count
        if fast:
            self.view = as_arrays(self.view)
        self.pick_ = compiled(self.kind.pick) if fast else self.kind.pick
        self.taken_ = self.kind.taken and (compiled(self.kind.taken) if fast else self.kind.taken)
        self.ended_ = self.kind.ended and (compiled(self.kind.ended) if fast else self.kind.ended)
        self.answered_ = self.kind.answered and (compiled(self.kind.answered) if fast else self.kind.answered)
        self.failed_ = self.kind.failed and (compiled(self.kind.failed) if fast else self.kind.failed)

    def pick(
        self, *, now: float = 0.0, key: int = 0, tries: int = 0, avoid: int = -1, tried: Sequence[int] = ()
    ) -> int:
        """Pick a server for a request and count it as in flight there.

        `tried` are the servers that are ruled out for this request alone.
        """
        view = self.view
        view.now[0], view.key[0], view.tries[0], view.avoid[0] = now, key, tries, avoid
        for server in tried:
            view.usable[server] = 0
        server = int(self.pick_(view, self.rng))
        for other in tried:
            self._see(other)
        if server >= 0:
            view.in_flight[server] += 1
            self._see(server)
            if self.taken_:
                self.taken_(view, server)
        return server

    def end(self, server: int, *, now: float = 0.0, seconds: float = 0.0, good: bool = True) -> None:
        """Let a request of a server end, with a good answer or a failure."""
        view = self.view
        view.now[0] = now
        view.in_flight[server] -= 1
        self._see(server)
        if self.ended_:
            self.ended_(view, server, seconds)
        if good and self.answered_:
            self.answered_(view, server, seconds)
        if not good and self.failed_:
            self.failed_(view, server)

    def set_weight(self, server: int, weight: int) -> None:
        """Change a server's weight."""
        self.view.weight[server] = weight
        self._see(server)

    def set_ramp(self, server: int, share: float) -> None:
        """Give a server a share of its weight."""
        self.view.ramp[server] = share

    def set_down(self, server: int, down: bool) -> None:
        """Take a server out of service, or back in."""
        self.down[server] = down
        self._see(server)

    def _see(self, server: int) -> None:
        limit = self.limit[server]
        full = limit is not None and self.view.in_flight[server] >= limit
        taking = self.view.weight[server] > 0 or self.kind.serves_weight_zero
        self.view.in_service[server] = int(taking and not self.down[server])
        self.view.usable[server] = int(self.view.in_service[server] and not full)

    def run(self, count: int, *, hold: bool = False, keys: Sequence[int] = (0,)) -> list[int]:
        """Pick again and again; requests end at once, or with `hold` never."""
        picks = []
        for number in range(count):
            picks.append(self.pick(key=keys[number % len(keys)]))
            if not hold and picks[-1] >= 0:
                self.end(picks[-1])
        return picks

    def state(self) -> tuple[list[int], list[float]]:
        """Give all that the strategy remembers."""
        return [int(value) for value in self.view.ints], [float(value) for value in self.view.floats]


def letters(picks: Sequence[int]) -> str:
    """Spell picks as the sequences do."""
    return "".join(LETTERS[pick] for pick in picks)


def as_arrays(view: View) -> View:
    """Give the view with arrays in place of lists."""
    floats = {"ramp", "free_at", "now", "demand", "floats"}
    kinds = {name: np.float64 if name in floats else np.int64 for name in view._fields}
    return View(**{name: np.array(getattr(view, name), kinds[name]) for name in view._fields})


_COMPILED: dict[Callable[..., Any], Callable[..., Any]] = {}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a plain function, and the plain functions of ours that it calls, with Numba."""
    if function not in _COMPILED:
        assert isinstance(function, FunctionType)
        calls = {
            name: compiled(value)
            for name, value in function.__globals__.items()
            if name in function.__code__.co_names
            and isinstance(value, FunctionType)
            and value.__module__.startswith("workbench.")
        }
        copy = FunctionType(function.__code__, {**function.__globals__, **calls}, function.__name__)
        _COMPILED[function] = njit(copy)
    return _COMPILED[function]


def same_compiled(
    strategy: Strategy, servers: Servers, script: Callable[[Driver], object], **given: Any
) -> None:
    """Check that a script sees and leaves the same, interpreted and compiled."""
    slow, fast = (Driver(strategy, servers, fast=fast, **given) for fast in (False, True))
    assert script(slow) == script(fast)
    assert slow.state() == fast.state()


def trial(count: int, *, keys: int, seed: int) -> Callable[[Driver], list[int]]:
    """Make a script of picks with random endings, failures and changed weights."""

    def script(driver: Driver) -> list[int]:
        chance: Generator = np.random.Generator(np.random.PCG64(seed))
        servers = len(driver.down)
        held: list[int] = []
        picks = []
        for number in range(count):
            now = 0.03 * number
            what = chance.random()
            if what < 0.06:
                driver.set_down(int(chance.random() * servers), down=chance.random() < 0.5)
            elif what < 0.1:
                driver.set_weight(int(chance.random() * servers), int(chance.random() * 8))
            elif what < 0.12:
                driver.set_ramp(int(chance.random() * servers), (1 + int(chance.random() * 16)) / 16)
            again = {"tries": 1, "avoid": picks[-1]} if picks and chance.random() < 0.1 else {}
            picks.append(driver.pick(now=now, key=int(chance.random() * keys), **again))
            if picks[-1] >= 0:
                assert picks[-1] < servers
                held.append(picks[-1])
            while held and (chance.random() < 0.5 or len(held) > 12):
                server = held.pop(int(chance.random() * len(held)))
                driver.end(server, now=now, seconds=chance.random(), good=chance.random() < 0.8)
        return picks

    return script
