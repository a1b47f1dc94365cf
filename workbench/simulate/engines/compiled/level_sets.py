"""The servers in sets by how many requests are in flight there, so that nobody need look at all of them.

A pick of the fewest in flight takes from the lowest set that is not empty. A set is one bit a server, so
that the first of equals, the next one in turn and the n-th of them are found some words away; and what is
found is what the strategy's own function finds, with the same draw.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from workbench.simulate.engines.compiled.bits import REST, WORD, bit_at, count_bits, lowest_bit
from workbench.simulate.strategies import View

BY_CHANCE = True
"""Whether equals are told apart by a draw, else in turn; set for each kernel."""
TOP = 63
"""The set of all servers with so many in flight or more, which need not be equal."""
NOT_USABLE = -1


class LevelSets(NamedTuple):
    """One row a view in each array."""

    words: Any
    """The sets one after the other, lowest level first: each takes as many words as the servers do."""
    sizes: Any
    level: Any
    """The set that each server is in."""
    least: Any
    """One entry: no set below this one holds any server."""


def make_level_sets(views: Any, *, wanted: bool) -> LevelSets:
    """Put the servers of all views into sets; without a server where nobody wants them."""
    rows, count = np.asarray(views.usable).shape
    if not wanted:
        rows, count = 1, 0
    words = (count + REST) >> WORD
    sets = LevelSets(
        words=np.zeros((rows, (TOP + 1) * words), np.int64),
        sizes=np.zeros((rows, TOP + 1), np.int64),
        level=np.full((rows, count), NOT_USABLE, np.int64),
        least=np.zeros((rows, 1), np.int64),
    )
    one = np.int64(1)
    for row in range(rows):
        for server in range(count):
            if views.usable[row, server]:
                sets.words[row, server >> WORD] |= one << np.int64(server & REST)
                sets.level[row, server] = 0
                sets.sizes[row, 0] += 1
    return sets


def settle(sets: LevelSets, row: int, server: int, usable: int, in_flight: int) -> None:
    """Put a server into the set that it belongs to now."""
    before = sets.level[row, server]
    level = min(in_flight, TOP) if usable else NOT_USABLE
    if level == before:
        return
    words = sets.words.shape[1] // (TOP + 1)
    place, bit = server >> WORD, 1 << (server & REST)
    if before >= 0:
        sets.words[row, before * words + place] ^= bit
        sets.sizes[row, before] -= 1
    if level >= 0:
        sets.words[row, level * words + place] ^= bit
        sets.sizes[row, level] += 1
        sets.least[row, 0] = min(sets.least[row, 0], level)
    sets.level[row, server] = level


def settle_all(sets: LevelSets, row: int, usable: Any, in_flight: Any) -> None:
    """Put every server into the set that it belongs to now."""
    for server in range(len(usable)):
        settle(sets, row, server, usable[server], in_flight[server])


def pick(view: View, rng: Generator) -> int:
    """Stand where the strategy's own function is put."""
    return -1


def pick_fewest(sets: LevelSets, row: int, view: View, rng: Generator) -> int:
    """Pick as the strategy's own function does, which is asked where no set tells who is equal."""
    level = sets.least[row, 0]
    while level < TOP and sets.sizes[row, level] == 0:
        level += 1
    sets.least[row, 0] = level
    if level == TOP:
        return pick(view, rng)
    words = sets.words.shape[1] // (TOP + 1)
    first = level * words
    if BY_CHANCE:
        ties = sets.sizes[row, level]
        rank = int(rng.random() * ties) if ties > 1 else 0
        place = first
        inside = count_bits(sets.words[row, place])
        while rank >= inside:
            rank -= inside
            place += 1
            inside = count_bits(sets.words[row, place])
        found: int = ((place - first) << WORD) + bit_at(sets.words[row, place], rank)
        return found
    start = view.ints[0]
    place = first + (start >> WORD)
    word = sets.words[row, place] & (-1 << (start & REST))
    while word == 0:
        place += 1
        if place == first + words:
            place = first
        word = sets.words[row, place]
    server: int = ((place - first) << WORD) + lowest_bit(word)
    view.ints[0] = (server + 1) % len(view.usable)
    return server
