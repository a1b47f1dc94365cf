"""What the kernel is called with again and again: functions and generators, told once and kept.

The kernel stops at each event of the control code and goes on after it. To tell Numba of nine functions and
five generators takes a quarter of a millisecond, so they are told once a run; the kernel finds them in a
memory of the run's. They have no owner there (see `borrowing`), for the run holds them.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

WORDS = 256
"""Words of 64 bits that hold it all."""
HALF = 4 * WORDS
"""Bytes to the second half, in which functions are; generators are in the first."""


def _keep(context: Any, address: Any, value: Any) -> Any:
    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = builder.inttoptr(values[0], values[1].type.as_pointer())
        builder.store(values[1], place)
        return target.get_dummy_value()

    return types.none(types.int64, value), generate


keep: Any = intrinsic(_keep)


def finder(kind: Any) -> Any:
    """Give a function that finds a value of a type at an address."""

    def _find(context: Any, address: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.load(builder.inttoptr(values[0], target.get_value_type(kind).as_pointer()))

        return kind(types.int64), generate

    found: Any = intrinsic(_find)
    return found
