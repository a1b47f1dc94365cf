"""Consistent hash of a key, as nginx does it: the ketama ring."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.nginx._weights import TRIES, failed, smooth_memory
from workbench.simulate.strategies.nginx.round_robin import pick as round_robin

POINTS = 160
"""Points on the ring for each unit of weight."""


def pick(view: View, rng: Generator) -> int:
    """Take the first usable server from the key's point on; after 21 points, fall back on round robin.

    Servers with one name share their points and take turns by smooth weighted round robin. `ints`
    holds the memory of round robin, the next server of the same name for each server (-1: none), the
    number of points, the first server of each point's name, and for each key its first point; where
    there is no point there is no key either, and an empty key has the point -1.
    """
    count = len(view.weight)
    ints = view.ints
    points = ints[3 * count]
    ring = 3 * count + 1
    point = ints[ring + points + view.key[0]]
    if points > 0 and point >= 0:
        for _ in range(TRIES):
            server = ints[ring + point % points]
            best = NO_HEALTHY_SERVER
            total = 0
            while server >= 0:
                if view.usable[server]:
                    effective = ints[count + server]
                    if effective != view.weight[server]:
                        effective = min(effective, view.weight[server])
                        ints[count + server] = min(effective + 1, view.weight[server])
                    ints[server] += effective
                    total += effective
                    if best < 0 or ints[server] > ints[best]:
                        best = server
                server = ints[2 * count + server]
            if best >= 0:
                ints[best] -= total
                return best
            point += 1
    return round_robin(view, rng)


@STRATEGIES.register
class NginxHashConsistent(Strategy):
    """The key's place on a ring of 160 points a weight; a server that leaves only moves its own keys."""

    summary: ClassVar[str] = "consistent hash of the key: the ketama ring of 160 points a weight"
    source: ClassVar[str] = "nginx 1.22 (ngx_http_upstream_hash_module.c)"
    kind: Literal["nginx.hash_consistent"] = "nginx.hash_consistent"
    needs_keys: ClassVar[bool] = True
    pick = staticmethod(pick)
    failed = staticmethod(failed)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Lay out the ring by the servers' names, such as `10.0.0.1:80`, and place every key on it."""
        heads: dict[str, int] = {}
        following = [-1] * servers.count
        last: dict[str, int] = {}
        for server, name in enumerate(servers.names):
            heads.setdefault(name, server)
            if name in last:
                following[last[name]] = server
            last[name] = server
        hashes = np.concatenate([_points(*pair) for pair in zip(servers.names, servers.weight, strict=True)])
        owners = np.repeat([heads[name] for name in servers.names], [POINTS * w for w in servers.weight])
        order = np.argsort(hashes, kind="stable")
        hashes, owners = hashes[order], owners[order]
        distinct = np.concatenate([[True], hashes[1:] != hashes[:-1]])[: len(hashes)]
        hashes, owners = hashes[distinct], owners[distinct]
        starts = np.searchsorted(hashes, [zlib.crc32(key.encode()) for key in keys])
        starts[[not key for key in keys]] = -1
        ring = [len(hashes), *owners.tolist(), *starts.tolist()]
        return Memory(smooth_memory(servers) + following + ring, [])


def _points(name: str, weight: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Hash a server's points: each is the CRC-32 of host, zero byte, port and the point before."""
    host, colon, port = name.rpartition(":")
    if name[:5].lower() == "unix:":
        host, port = name[5:], ""
    elif not colon or not (port == "" or (port.isascii() and port.isdigit())):
        host, port = name, ""
    base = zlib.crc32(f"{host}\0{port}".encode())
    points = np.empty(POINTS * weight, np.int64)
    before = 0
    for number in range(len(points)):
        before = zlib.crc32(before.to_bytes(4, "little"), base)
        points[number] = before
    return points
