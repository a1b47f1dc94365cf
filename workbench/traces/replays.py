"""Simulating a recorded run: free, forced to the recorded choices, and choice by choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from workbench.simulate.engines import ReferenceEngine
from workbench.simulate.engines.reference.balancer import Balancer, make_balancers
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory, Strategy, View
from workbench.simulate.streams import Stream, generator
from workbench.simulate.workload import Workload
from workbench.tables import EventKind, Outcome
from workbench.traces.overhead import Overhead
from workbench.traces.products import Proxy
from workbench.traces.recordings import Recording
from workbench.traces.setups import recorded_scenario


def pick_recorded(view: View, rng: Generator) -> int:
    """Take the server of the next request; `ints`: requests so far, then the server of each."""
    view.ints[0] += 1
    return view.ints[view.ints[0]]


class _Recorded(Strategy):
    """Sends each request where it went. It is in no table: no scenario can name it."""

    kind: Literal["recorded"] = "recorded"
    servers: tuple[int, ...]
    serves_weight_zero: ClassVar[bool] = True
    pick = staticmethod(pick_recorded)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin at the first request."""
        return Memory([0, *self.servers], [])


@dataclass(frozen=True, eq=False)
class Replay:
    """What a simulation made of a recording's requests, one entry each, in the same order."""

    server: NDArray[np.int64]
    latency: NDArray[np.float64]
    """From the scheduled arrival to the answer at the client, seconds."""
    status: NDArray[np.int64]
    """What the proxy answers, such as 200."""
    retried: int
    """Requests that took more than one attempt."""
    downs: list[tuple[float, int]]
    """When which server went out of service, seconds of the recording."""
    ups: list[tuple[float, int]]
    """When it came back."""


def replay_free(recording: Recording, strategy: Strategy, overhead: Overhead, *, seed: int = 1) -> Replay:
    """Let the strategy choose from the simulated state.

    Raises:
        TraceError: the recording lacks a column.
        InputError: the strategy cannot have these servers.
    """
    records = ReferenceEngine().run(Workload(recorded_scenario(recording, strategy, overhead, seed)))
    gone, back = (EventKind.DOWN, EventKind.EJECTED), (EventKind.UP, EventKind.RETURNED)
    return Replay(
        server=records.server,
        latency=records.response + overhead.client_delay,
        status=statuses(recording.setup.proxy, records.outcome),
        retried=int(np.count_nonzero(records.retried())),
        downs=[(one.time + recording.begin, one.server) for one in records.events if one.kind in gone],
        ups=[(one.time + recording.begin, one.server) for one in records.events if one.kind in back],
    )


def statuses(proxy: Proxy, outcome: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the status with which a proxy answers a request that ended in this way."""
    bad_gateway, unavailable, in_time = 502, 503, 504
    known = {
        Outcome.OK: 200,
        Outcome.REFUSED: unavailable,
        Outcome.NO_HEALTHY_SERVER: unavailable if proxy == "haproxy" else bad_gateway,
        Outcome.TIMEOUT: in_time,
        Outcome.SERVER_ERROR: 500,
        Outcome.UNREACHABLE: unavailable if proxy == "haproxy" else bad_gateway,
        Outcome.RESET: bad_gateway,
    }
    table = np.array([known.get(one, -1) for one in Outcome])
    return table[outcome]


def replay_forced(recording: Recording, overhead: Overhead) -> Replay:
    """Send every request to the server that it went to; what remains is the error of queues and times.

    Raises:
        TraceError: the recording lacks a column.
    """
    return replay_free(recording, _Recorded(servers=tuple(recording.server.tolist())), overhead)


def replay_stepwise(recording: Recording, strategy: Strategy, *, seed: int = 1) -> NDArray[np.int64]:
    """Ask the strategy for each choice in the recorded state, whatever it chose before.

    A request counts as in flight at its recorded server from when that server had read it until the
    client had the answer. Both are seen a little later than the proxy acts, by about as much, so that
    they keep its order best; the strategy's memory follows the recorded choices.

    Returns:
        The server that it would choose for each request.

    Raises:
        TraceError: the recording lacks a column.
        InputError: the strategy cannot have these servers.
    """
    scenario = recorded_scenario(recording, strategy, Overhead(), seed)
    names = scenario.keys.names() if scenario.keys else []
    numbers = {name: number for number, name in enumerate(names)}
    keys = [numbers[key] for key in recording.request_keys()] if names else [0] * len(recording)
    balancer = make_balancers(
        scenario.balancers,
        scenario.servers(),
        names,
        lambda number: generator(seed, replication=0, stream=Stream.BALANCER, index=number),
    )[0]
    return _choices(recording, balancer, keys)


def _choices(recording: Recording, balancer: Balancer, keys: list[int]) -> NDArray[np.int64]:
    servers, latency = recording.server.tolist(), recording.latency.tolist()
    choices = np.empty(len(recording), np.int64)
    for time, begins, request in _events(recording):
        if begins:
            choices[request] = balancer.choose(time, keys[request], 0.0)
            balancer.take(servers[request])
        else:
            balancer.let_go(servers[request], time, latency[request])
    return choices


def _events(recording: Recording) -> list[tuple[float, bool, int]]:
    """Give time, whether it begins or ends, and number of all requests, ends first at equal times."""
    begins = [(time, True, number) for number, time in enumerate(recording.received.tolist())]
    ends = [(time, False, number) for number, time in enumerate(recording.answered.tolist())]
    return sorted(begins + ends)
