"""Least estimated time, as nginx has it since 1.31."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.quantities import Duration
from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.nginx._weights import failed, smooth_memory

LONGEST = 5000
"""Response times above so many milliseconds are all alike."""
STEP = 20
"""Response times are rounded up to the next multiple of so many milliseconds."""
LONG_AGO = -(10**9)

# `ints`: round robin's memory (2 entries a server), the settings (2), then one block a server: average
# response time and average time under way, requests under way, their time so far and when it was last
# reckoned, all in ms; when a new average began to fade, in s; the estimate.
SETTINGS = 2
TIME, UNDER_WAY, REQUESTS, SPENT, SINCE, TRIED, ESTIMATE = 0, 1, 2, 3, 4, 5, 6
BLOCK = 7


def average(old: int, value: int) -> int:
    """Follow a time in whole milliseconds with a weight of 5 % for the new one; 0 knows nothing yet."""
    if old == 0:
        return value
    return int(0.5 + (value * 0.05 + old * 0.95))


def faded(time: int, idle: int, forgetting: int) -> int:
    """Halve a response time for each `forgetting` seconds and one that a server has been idle."""
    if idle <= forgetting:
        return time
    halvings = idle // (forgetting + 1)
    return time >> halvings if halvings < 63 else 0


def estimate(time: int, in_flight: int) -> int:
    """Tell how many milliseconds a server would need for what it has and one request more.

    `time` is its response time in milliseconds.
    """
    if time > LONGEST:
        time = LONGEST
    else:
        time += STEP - time % STEP
    return time * (1 + in_flight)


def pick(view: View, rng: Generator) -> int:
    """Take the least estimated time / weight; equals take turns by smooth weighted round robin."""
    count = len(view.usable)
    ints = view.ints
    forgetting = ints[2 * count + 1]
    blocks = 2 * count + SETTINGS
    now = int(view.now[0] * 1000)
    best = NO_HEALTHY_SERVER
    tied = False
    least = 0
    for server in range(count):
        if not view.usable[server]:
            continue
        own = blocks + BLOCK * server
        if ints[own + REQUESTS] > 0:
            waiting = ints[own + SPENT] // ints[own + REQUESTS] + now - ints[own + SINCE]
            ints[own + UNDER_WAY] = average(ints[own + UNDER_WAY], waiting)
        time = faded(ints[own + TIME], int(view.now[0]) - ints[own + TRIED], forgetting)
        if ints[own + REQUESTS] > 0:
            time = max(time, ints[own + UNDER_WAY])
        estimated = estimate(time, view.in_flight[server])
        ints[own + ESTIMATE] = estimated
        if best < 0 or estimated * view.weight[best] < least * view.weight[server]:
            best = server
            least = estimated
            tied = False
        elif estimated * view.weight[best] == least * view.weight[server]:
            tied = True
    if best < 0:
        return best
    if tied:
        best = take_turns(view, best, least)
    own = blocks + BLOCK * best
    if int(view.now[0]) - ints[own + TRIED] > forgetting:
        ints[own + TRIED] = int(view.now[0])
    return best


def take_turns(view: View, first: int, least: int) -> int:
    """Let smooth weighted round robin choose among the servers that equal the first of the best."""
    count = len(view.usable)
    ints = view.ints
    best = first
    total = 0
    for server in range(first, count):
        estimated = ints[2 * count + SETTINGS + BLOCK * server + ESTIMATE]
        if view.usable[server] and estimated * view.weight[first] == least * view.weight[server]:
            effective = ints[count + server]
            if effective != view.weight[server]:
                effective = min(effective, view.weight[server])
                ints[count + server] = min(effective + 1, view.weight[server])
            ints[server] += effective
            total += effective
            if ints[server] > ints[best]:
                best = server
    ints[best] -= total
    return best


def taken(view: View, server: int) -> None:
    """Count a request in flight, if the times of those in flight are followed."""
    count = len(view.usable)
    ints = view.ints
    if ints[2 * count]:
        own = 2 * count + SETTINGS + BLOCK * server
        now = int(view.now[0] * 1000)
        if ints[own + REQUESTS] > 0:
            ints[own + SPENT] += (now - ints[own + SINCE]) * ints[own + REQUESTS]
        ints[own + SINCE] = now
        ints[own + REQUESTS] += 1


def ended(view: View, server: int, seconds: float) -> None:
    """Count a request in flight no longer, if the times of those in flight are followed."""
    count = len(view.usable)
    ints = view.ints
    own = 2 * count + SETTINGS + BLOCK * server
    time = int(seconds * 1000)
    if ints[2 * count]:
        if ints[own + REQUESTS] == 1:
            ints[own + SPENT] = 0
        else:
            now = int(view.now[0] * 1000)
            ints[own + SPENT] += (now - ints[own + SINCE]) * ints[own + REQUESTS] - time
            ints[own + SINCE] = now
        ints[own + REQUESTS] -= 1


def answered(view: View, server: int, seconds: float) -> None:
    """Learn the response time of a request that went well."""
    own = 2 * len(view.usable) + SETTINGS + BLOCK * server
    view.ints[own + TIME] = average(view.ints[own + TIME], int(seconds * 1000))


@STRATEGIES.register
class NginxLeastTime(Strategy):
    """The server with the least response time x (connections + 1) / weight.

    Response times are a moving average in whole milliseconds, rounded up to the next 20 ms and at
    most 5 s, so that servers of about the same speed share by round robin. Only good answers count.
    """

    summary: ClassVar[str] = "least average response time times connections, for the weight"
    source: ClassVar[str] = "nginx 1.31 (ngx_http_upstream_least_time_module.c)"
    kind: Literal["nginx.least_time"] = "nginx.least_time"
    inflight: bool = False
    """Whether requests still under way that already take longer than the average count as well."""
    fail_timeout: Duration = Field(10.0, ge=0, le=1e6)
    """A server's average halves for each time it has not been tried for so long, seconds. 0 to 1e6."""
    pick = staticmethod(pick)
    taken = staticmethod(taken)
    ended = staticmethod(ended)
    answered = staticmethod(answered)
    failed = staticmethod(failed)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin with no response times known and all servers tried long ago."""
        blocks = [0, 0, 0, 0, 0, LONG_AGO, 0] * servers.count
        settings = [int(self.inflight), int(self.fail_timeout)]
        return Memory([*smooth_memory(servers), *settings, *blocks], [])
