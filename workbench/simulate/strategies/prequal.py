"""Prequal: probes of requests in flight and latency, a few servers at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.quantities import PositiveDuration
from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.random import pick as any_usable

_POOL, _WINDOW, _SIZE, _WORST_NEXT, _FIRST = range(5)
_SERVER, _LEVEL, _USES = range(3)
_PROBES, _REMOVALS, _AGE, _QUANTILE, _REUSE, _REPORTS = range(6)
_UNLIMITED = 1e9


def pick(view: View, rng: Generator) -> int:
    """Use the best probe of the pool, remove some, then send new ones for the picks to come.

    `ints` holds the greatest size of the pool, the window of latencies, the pool's size, whether the
    worst is removed next; then server, requests in flight and uses left of each probe, the oldest
    first; then the order in which servers are probed, and how many latencies of each were seen.
    `floats` holds the settings, latency and time of each probe, the latest latencies of each server,
    and room for sorting.
    """
    ints = view.ints
    drop_stale(view)
    if ints[_SIZE] < 2:
        best = any_usable(view, rng)
        if best < 0:
            return NO_HEALTHY_SERVER
    else:
        best = use(view, best_probe(view))
    for _ in range(rounded(view.floats[_REMOVALS], rng)):
        if ints[_SIZE] > 0:
            remove(view, worst_probe(view) if ints[_WORST_NEXT] else 0)
            ints[_WORST_NEXT] = 1 - ints[_WORST_NEXT]
    count = len(view.usable)
    order = _FIRST + 3 * ints[_POOL]
    for sent in range(min(rounded(view.floats[_PROBES], rng), count)):
        place = sent + int(rng.random() * (count - sent))
        server = ints[order + place]
        ints[order + place] = ints[order + sent]
        ints[order + sent] = server
        if view.usable[server]:
            add(view, server, view.in_flight[server] + int(server == best), rng)
    return best


def rounded(rate: float, rng: Generator) -> int:
    """Round down or up by chance, so that the mean is the rate."""
    return int(rate + rng.random())


def drop_stale(view: View) -> None:
    """Keep the probes that are young enough and of usable servers."""
    ints = view.ints
    floats = view.floats
    entry = 0
    while entry < ints[_SIZE]:
        age = view.now[0] - floats[_REPORTS + 2 * entry + 1]
        if age > floats[_AGE] or not view.usable[ints[_FIRST + 3 * entry]]:
            remove(view, entry)
        else:
            entry += 1


def remove(view: View, entry: int) -> None:
    """Take a probe out of the pool."""
    view.ints[_SIZE] -= 1
    for place in range(3 * entry, 3 * view.ints[_SIZE]):
        view.ints[_FIRST + place] = view.ints[_FIRST + place + 3]
    for place in range(2 * entry, 2 * view.ints[_SIZE]):
        view.floats[_REPORTS + place] = view.floats[_REPORTS + place + 2]


def hot_limit(view: View) -> int:
    """Give the requests in flight above which a probe is hot: the quantile, by nearest rank."""
    ints = view.ints
    size = ints[_SIZE]
    rank = max(math.ceil(view.floats[_QUANTILE] * size), 1)
    for entry in range(size):
        level = ints[_FIRST + 3 * entry + _LEVEL]
        below = 0
        equal = 0
        for other in range(size):
            below += int(ints[_FIRST + 3 * other + _LEVEL] < level)
            equal += int(ints[_FIRST + 3 * other + _LEVEL] == level)
        if below < rank <= below + equal:
            return level
    return 0


def best_probe(view: View) -> int:
    """Find the cold probe of the lowest latency, or the hot one of the fewest requests if all are hot."""
    ints = view.ints
    limit = hot_limit(view)
    best = -1
    for entry in range(ints[_SIZE]):
        level = ints[_FIRST + 3 * entry + _LEVEL]
        latency = view.floats[_REPORTS + 2 * entry]
        if level <= limit and (
            best < 0
            or latency < view.floats[_REPORTS + 2 * best]
            or (latency == view.floats[_REPORTS + 2 * best] and level < ints[_FIRST + 3 * best + _LEVEL])
        ):
            best = entry
    return best


def worst_probe(view: View) -> int:
    """Find the hot probe of the most requests, or the cold one of the highest latency if none is hot."""
    ints = view.ints
    limit = hot_limit(view)
    most = 0
    slowest = 0
    for entry in range(1, ints[_SIZE]):
        if ints[_FIRST + 3 * entry + _LEVEL] > ints[_FIRST + 3 * most + _LEVEL]:
            most = entry
        if view.floats[_REPORTS + 2 * entry] > view.floats[_REPORTS + 2 * slowest]:
            slowest = entry
    return most if ints[_FIRST + 3 * most + _LEVEL] > limit else slowest


def use(view: View, entry: int) -> int:
    """Count a request more at the probed server, and drop a probe that has been used often enough."""
    server = view.ints[_FIRST + 3 * entry + _SERVER]
    view.ints[_FIRST + 3 * entry + _LEVEL] += 1
    view.ints[_FIRST + 3 * entry + _USES] -= 1
    if view.ints[_FIRST + 3 * entry + _USES] <= 0:
        remove(view, entry)
    return server


def add(view: View, server: int, level: int, rng: Generator) -> None:
    """Put a probe into the pool, in the place of an earlier one of its server, or of the oldest if full."""
    ints = view.ints
    for entry in range(ints[_SIZE]):
        if ints[_FIRST + 3 * entry + _SERVER] == server:
            remove(view, entry)
            break
    if ints[_SIZE] == ints[_POOL]:
        remove(view, 0)
    last = ints[_SIZE]
    ints[_FIRST + 3 * last + _SERVER] = server
    ints[_FIRST + 3 * last + _LEVEL] = level
    ints[_FIRST + 3 * last + _USES] = rounded(view.floats[_REUSE], rng)
    view.floats[_REPORTS + 2 * last] = median_latency(view, server)
    view.floats[_REPORTS + 2 * last + 1] = view.now[0]
    ints[_SIZE] += 1


def median_latency(view: View, server: int) -> float:
    """Give the median of the latest latencies, the lower one of two; 0 where there are none."""
    floats = view.floats
    window = view.ints[_WINDOW]
    count = len(view.usable)
    kept = min(view.ints[_FIRST + 3 * view.ints[_POOL] + count + server], window)
    latencies = _REPORTS + 2 * view.ints[_POOL] + window * server
    room = _REPORTS + 2 * view.ints[_POOL] + window * count
    for number in range(kept):
        place = room + number
        while place > room and floats[place - 1] > floats[latencies + number]:
            floats[place] = floats[place - 1]
            place -= 1
        floats[place] = floats[latencies + number]
    return floats[room + (kept - 1) // 2] if kept > 0 else 0.0


def ended(view: View, server: int, seconds: float) -> None:
    """Remember the latency."""
    ints = view.ints
    window = ints[_WINDOW]
    seen = _FIRST + 3 * ints[_POOL] + len(view.usable) + server
    latencies = _REPORTS + 2 * ints[_POOL] + window * server
    view.floats[latencies + ints[seen] % window] = seconds
    ints[seen] += 1


@STRATEGIES.register
class Prequal(Strategy):
    """The best of a pool of recent probes: of those with few requests in flight, the lowest latency.

    A probe is hot if its requests in flight are above a quantile of the pool. The cold probe of the
    lowest latency is used, or the hot one of the fewest requests where all are hot; with fewer than
    two probes, any usable server. Probes go out with a request, to servers drawn at random, and are
    there for the next one.

    What differs from the paper: a probe is answered at once and costs nothing; it reports the requests
    in flight that the balancer's own view counts, and the median of the latest latencies that this
    balancer saw there, at any level of requests in flight, where the paper's servers report what all
    clients sent and latencies at about the present level; and there are no probes while no requests
    come. A server without an answer yet reports a latency of 0.
    """

    summary: ClassVar[str] = "the lowest latency among probed servers with few requests in flight"
    source: ClassVar[str] = "Wydrowski et al., NSDI 2024"
    kind: Literal["prequal"] = "prequal"
    pool_size: int = Field(16, ge=2, le=1000)
    """Probes in the pool, at most; 2 to 1000."""
    probe_rate: float = Field(3.0, ge=0, le=100)
    """Probes sent with each request, on average; 0 to 100."""
    remove_rate: float = Field(1.0, ge=0, le=100)
    """Probes removed with each request, on average, in turn the oldest and the worst; 0 to 100."""
    probe_age: PositiveDuration = 1.0
    """Age at which a probe is dropped, seconds; above 0."""
    rif_quantile: float = Field(2**-0.25, ge=0, le=1)
    """Quantile of requests in flight above which a probe is hot; 0 (by requests) to 1 (by latency)."""
    delta: float = Field(1.0, gt=0, le=1000)
    """What sets how often a probe is used; above 0, at most 1000."""
    latency_window: int = Field(9, ge=1, le=1000)
    """Latencies of which a server reports the median, 1 to 1000."""
    pick = staticmethod(pick)
    ended = staticmethod(ended)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin with an empty pool."""
        count, most, window = servers.count, self.pool_size, self.latency_window
        settings = [self.probe_rate, self.remove_rate, self.probe_age, self.rif_quantile]
        return Memory(
            [most, window, 0, 0, *[0] * (3 * most), *range(count), *[0] * count],
            [*settings, self.uses(count), *[0.0] * (2 * most + window * (count + 1))],
        )

    def uses(self, servers: int) -> float:
        """Tell how often a probe may be used, on average, with so many servers."""
        gained = (1.0 - self.pool_size / servers) * self.probe_rate - self.remove_rate
        return min(max(1.0, (1.0 + self.delta) / gained), _UNLIMITED) if gained > 0 else _UNLIMITED
