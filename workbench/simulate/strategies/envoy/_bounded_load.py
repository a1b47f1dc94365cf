"""Envoy's bounded load, which ring hash and Maglev share: another server where the hashed one is busy.

`ints` begins with the size of the ring or table, the balance factor (0: none) and the number of keys.
What is needed here comes last: the seed of each key, room for an order of the servers, then the state
of a Mersenne Twister and how much of it is used up.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from workbench.simulate.strategies._base import View

HEAD = 3
"""Entries of `ints` before those of the strategy."""
_FACTOR, _KEYS = 1, 2
_STATE, _MIDDLE = 624, 397
_WORD = 0xFFFFFFFF


def _check_factor(value: int) -> int:
    if 0 < value < 100:
        raise PydanticCustomError("factor", "0, or a whole number from 100 to 1,000,000")
    return value


BalanceFactor = Annotated[int, Field(ge=0, le=1_000_000), AfterValidator(_check_factor)]
"""Percent of the mean in flight, 100 to 1,000,000; 0 for none."""


def least_loaded_enough(view: View, server: int, seeds: int) -> int:
    """Keep the server, or find another one in an order shuffled by the key, if it has more than its slots.

    Where all have more, the one with the least for its slots. `seeds` is where in `ints` the seeds begin.
    """
    ints = view.ints
    factor = ints[_FACTOR]
    if factor == 0:
        return server
    count = len(view.usable)
    order = seeds + ints[_KEYS]
    state = order + count
    candidates = 0
    weights = 0
    active = 0
    for each in range(count):
        active += view.in_flight[each]
        if view.in_service[each]:
            ints[order + candidates] = each
            candidates += 1
            weights += view.weight[each]
    slots = ((active + 1) * factor + 99) // 100
    best = server
    least = overload(view, server, slots, weights)
    if least <= 1.0:
        return server
    seed_twister(view, state, ints[seeds + view.key[0]])
    for place in range(candidates):
        other = place + draw(view, state, candidates - place)
        each = ints[order + other]
        ints[order + other] = ints[order + place]
        ints[order + place] = each
        if each != server and view.usable[each]:
            level = overload(view, each, slots, weights)
            if level <= 1.0:
                return each
            if level < least:
                best = each
                least = level
    return best


def overload(view: View, server: int, slots: int, weights: int) -> float:
    """Give a server's requests in flight for its part of the slots, at least one."""
    return view.in_flight[server] / max(math.ceil(slots * (view.weight[server] / weights)), 1)


def seed_twister(view: View, state: int, seed: int) -> None:
    """Fill the state from a seed of 32 bits."""
    word = seed
    view.ints[state] = word
    for place in range(1, _STATE):
        word = (1812433253 * (word ^ (word >> 30)) + place) & _WORD
        view.ints[state + place] = word
    view.ints[state + _STATE] = _STATE


def draw(view: View, state: int, below: int) -> int:
    """Draw a whole number from 0 up to below a limit."""
    number = below
    while number >= below:
        number = next_word(view, state) // (2**32 // below)
    return number


def next_word(view: View, state: int) -> int:
    """Draw 32 bits."""
    ints = view.ints
    if ints[state + _STATE] == _STATE:
        for place in range(_STATE):
            following = ints[state + (place + 1) % _STATE]
            word = (ints[state + place] & 0x80000000) | (following & 0x7FFFFFFF)
            twist = 0x9908B0DF if word & 1 else 0
            ints[state + place] = ints[state + (place + _MIDDLE) % _STATE] ^ (word >> 1) ^ twist
        ints[state + _STATE] = 0
    word = ints[state + ints[state + _STATE]]
    ints[state + _STATE] += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C5680
    word ^= (word << 15) & 0xEFC60000
    return word ^ (word >> 18)


def room(hashes: NDArray[np.uint64], *, factor: int, count: int) -> list[int]:
    """Give the last part of the memory, for keys with these hashes and so many servers."""
    if factor == 0:
        return []
    seeds: list[int] = (hashes & np.uint64(_WORD)).tolist()
    return [*seeds, *[0] * (count + _STATE + 1)]
