"""Sets of servers as bits of words, for the compiled engine."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

WORD = 6
"""A word holds 2**6 servers."""
REST = (1 << WORD) - 1


def _count_bits(context: Any, word: Any) -> Any:
    """Count the bits that are set."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.ctpop(values[0])

    return types.int64(types.int64), generate


def _lowest_bit(context: Any, word: Any) -> Any:
    """Give the place of the lowest bit that is set; there must be one."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        zero_is_undefined = target.get_constant(types.boolean, True)
        return builder.cttz(values[0], zero_is_undefined)

    return types.int64(types.int64), generate


count_bits: Any = intrinsic(_count_bits)
lowest_bit: Any = intrinsic(_lowest_bit)


def bit_at(word: int, rank: int) -> int:
    """Give the place of the bit that so many others that are set are below; there must be one.

    There is no branch, since nobody could guess in which half it is.
    """
    place = 0
    width = 32
    while width > 0:
        below = count_bits(word & ((1 << width) - 1))
        above = int(rank >= below)
        rank -= above * below
        word >>= above * width
        place += above * width
        width >>= 1
    return place
