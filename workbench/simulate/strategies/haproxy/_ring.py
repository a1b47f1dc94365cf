"""HAProxy's consistent hash tree, as a sorted ring."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import View
from workbench.simulate.strategies.haproxy._weights import MOST_EFFECTIVE, SCALE, effective_weight

MASK = 0xFFFFFFFF

# From `start` on, `ints` holds the number of nodes, then one entry a node of each of: its key, in
# ascending order, its server, and its number among the server's nodes.


def full_hash(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Mix 32-bit integers so that a small difference reaches every bit (HAProxy's avalanche)."""
    mixed = values + np.uint32(0x7ED55D16) + (values << np.uint32(12))
    mixed = mixed ^ np.uint32(0xC761C23C) ^ (mixed >> np.uint32(19))
    mixed = mixed + np.uint32(0x165667B1) + (mixed << np.uint32(5))
    mixed = (mixed + np.uint32(0xD3A2646C)) ^ (mixed << np.uint32(9))
    mixed = mixed + np.uint32(0xFD7046C5) + (mixed << np.uint32(3))
    mixed = mixed ^ np.uint32(0xB55A4F09) ^ (mixed >> np.uint32(16))
    return mixed * np.uint32(3221225473)


def ring_memory(servers: Servers) -> list[int]:
    """Lay out 16 nodes for each unit of weight; a server's id is its index and 1."""
    counts = SCALE * np.array(servers.weight)
    owners = np.repeat(np.arange(servers.count), counts)
    numbers = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    hashes = full_hash(((owners + 1) * MOST_EFFECTIVE + numbers).astype(np.uint32))
    order = np.argsort(hashes, kind="stable")
    return [len(order), *hashes[order].tolist(), *owners[order].tolist(), *numbers[order].tolist()]


def starts(ring: list[int], hashes: NDArray[np.uint32]) -> list[int]:
    """For each hash, find the first node at or above it; the number of nodes where there is none."""
    places: list[int] = np.searchsorted(np.array(ring[1 : 1 + ring[0]], np.int64), hashes).tolist()
    return places


def find(view: View, start: int, value: int) -> int:
    """Do the same for one hash at the time of a pick."""
    low = 0
    high = view.ints[start]
    while low < high:
        middle = (low + high) // 2
        if view.ints[start + 1 + middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def owner(view: View, start: int, node: int) -> int:
    """Give a node's server, or -1 if it is out of service or by now too light to have the node."""
    nodes = view.ints[start]
    server = view.ints[start + 1 + nodes + node]
    weight = effective_weight(view.weight[server], view.in_service[server], view.ramp[server])
    return server if view.ints[start + 1 + 2 * nodes + node] < weight else -1


def nearest(view: View, start: int, value: int, place: int) -> int:
    """Find the node nearest to a hash, of the two around it; the lower one of equals, -1 of none.

    `place` is the first node at or above the hash.
    """
    nodes = view.ints[start]
    above = -1
    for step in range(nodes):
        node = place + step
        if node >= nodes:
            node -= nodes
        if owner(view, start, node) >= 0:
            above = node
            break
    if above < 0:
        return -1
    below = place - 1 if place > 0 else nodes - 1
    while owner(view, start, below) < 0:
        below = below - 1 if below > 0 else nodes - 1
    down = (value - view.ints[start + 1 + below]) & MASK
    up = (view.ints[start + 1 + above] - value) & MASK
    return below if down <= up else above


def following(view: View, start: int, node: int) -> int:
    """Find the next node after one, in a circle; the same one if there is no other."""
    nodes = view.ints[start]
    other = node + 1 if node + 1 < nodes else 0
    while other != node and owner(view, start, other) < 0:
        other = other + 1 if other + 1 < nodes else 0
    return other


def past_avoided(view: View, start: int, node: int) -> int:
    """Go on from a node to the next one whose server is not to be avoided, or stay if there is none."""
    other = node
    while owner(view, start, other) == view.avoid[0]:
        other = following(view, start, other)
        if other == node:
            break
    return other
