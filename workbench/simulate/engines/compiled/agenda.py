"""The event list of the compiled engine: a binary heap of times and codes in two arrays.

Its functions are compiled by Numba; they are plain Python, too. Where the heap ends is kept by the
caller, who sees to it that there is room.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

KIND_SHIFT = 56
"""A code is the event's kind shifted by so many bits, plus its number: events of one instant in order."""


class Agenda(NamedTuple):
    """Events to come, the next one first."""

    time: NDArray[np.float64]
    code: NDArray[np.int64]


def make_agenda(room: int) -> Agenda:
    """Make a list for so many events."""
    return Agenda(np.empty(room), np.empty(room, np.int64))


def put(agenda: Agenda, size: int, time: float, code: int) -> int:
    """Add an event; gives the new size."""
    place = size
    while place > 0:
        above = (place - 1) >> 1
        other = agenda.time[above]
        if other < time or (other == time and agenda.code[above] < code):
            break
        agenda.time[place] = other
        agenda.code[place] = agenda.code[above]
        place = above
    agenda.time[place] = time
    agenda.code[place] = code
    return size + 1


def put_in_place_of_next(agenda: Agenda, size: int, time: float, code: int) -> None:
    """Take the next event away and add another one.

    The gap goes down to the bottom, to which most new events belong, and the event up from there: which
    of two goes up is reckoned and not branched on, since nobody could guess it.
    """
    place, below = 0, 1
    while below + 1 < size:
        early, late = agenda.time[below], agenda.time[below + 1]
        sooner = agenda.code[below + 1] < agenda.code[below]
        below += int(late < early) | (int(late == early) & int(sooner))
        agenda.time[place] = agenda.time[below]
        agenda.code[place] = agenda.code[below]
        place, below = below, 2 * below + 1
    if below < size:
        agenda.time[place] = agenda.time[below]
        agenda.code[place] = agenda.code[below]
        place = below
    put(agenda, place, time, code)


def take_next(agenda: Agenda, size: int) -> int:
    """Take the next event away; gives the new size."""
    left = size - 1
    if left > 0:
        put_in_place_of_next(agenda, left, agenda.time[left], agenda.code[left])
    return left
