"""HAProxy's map of slots, over which static-rr walks and map-based hashes look up."""

from __future__ import annotations

import math

import numpy as np

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import View

# From `start` on, `ints` holds the number of slots in use, then one entry a server of each of: reduced
# weight, whether the map counts it, score; then the slots.


def map_memory(servers: Servers) -> list[int]:
    """Lay the map of all servers out.

    Each slot goes to the first server with the highest score in whole cycles, after every score has
    grown by its weight; the winner pays a cycle. Weights are reduced by their common divisor.
    """
    weights = np.array(servers.weight) // max(math.gcd(*servers.weight), 1)
    total = int(weights.sum())
    counted = np.flatnonzero(weights)
    steps, scores = weights[counted], np.zeros(len(counted), np.int64)
    slots = np.zeros(total, np.int64)
    for slot in range(total):
        scores += steps
        best = np.argmax((scores + total) // total)
        scores[best] -= total
        slots[slot] = counted[best]
    part = (weights > 0).astype(int).tolist()
    return [total, *weights.tolist(), *part, *[0] * servers.count, *slots.tolist()]


def first_slot(view: View, start: int) -> int:
    """Tell where in `ints` the slots begin."""
    return start + 1 + 3 * len(view.usable)


def lay_out(view: View, start: int) -> int:
    """Lay the map out anew if servers have come or gone; return the number of slots.

    With equal weights that is one server after the other. A full server keeps its slots. A changed
    weight other than 0 counts for nothing, nor does slow start: HAProxy's maps know neither.
    """
    count = len(view.usable)
    ints = view.ints
    weights, counted, scores = start + 1, start + 1 + count, start + 1 + 2 * count
    slots = first_slot(view, start)
    changed = False
    equal = True
    total = 0
    parts = 0
    for server in range(count):
        weight = ints[weights + server]
        part = 1 if weight > 0 and view.in_service[server] and view.weight[server] > 0 else 0
        changed = changed or part != ints[counted + server]
        ints[counted + server] = part
        if part:
            parts += 1
            total += weight
            equal = equal and total == parts * weight
    if not changed:
        return total
    ints[start] = total
    if equal:
        slot = 0
        while slot < total:
            for server in range(count):
                if ints[counted + server]:
                    ints[slots + slot] = server
                    slot += 1
        return total
    for server in range(count):
        ints[scores + server] = 0
    for slot in range(total):
        best = -1
        most = 0
        for server in range(count):
            if ints[counted + server]:
                ints[scores + server] += ints[weights + server]
                cycles = (ints[scores + server] + total) // total
                if best < 0 or cycles > most:
                    best = server
                    most = cycles
        ints[slots + slot] = best
        ints[scores + best] -= total
    return total
