"""The balancers' random numbers: one generator, into which the stream of each balancer is put by turns.

A pick draws from a `numpy.random.Generator`, and Numba takes one but no list of them. So the compiled
engine keeps the state of every balancer's stream in a row of an array and writes it into the memory of
the one generator before the balancer picks.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

WORDS = 5
"""Words of 64 bits that a stream takes: its state, its increment, and half a word that is left over."""


def memory_of(generator: Generator) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Give the memory that a generator's state lies in; writing there changes the generator.

    It is two numbers of 128 bits, and what is left of the last word where half of it was asked for
    (`s_pcg64_state` in numpy/random/src/pcg64/pcg64.h).
    """
    address = generator.bit_generator.ctypes.state_address
    numbers = ctypes.c_void_p.from_address(address).value or 0
    left_over = address + ctypes.sizeof(ctypes.c_void_p)
    return (
        np.ctypeslib.as_array((ctypes.c_uint64 * (WORDS - 1)).from_address(numbers)),
        np.ctypeslib.as_array((ctypes.c_uint64 * 1).from_address(left_over)),
    )


def is_as_expected() -> bool:
    """Tell whether this NumPy keeps a stream as this module takes for granted."""
    one = Generator(PCG64(1))
    one.integers(0, 2**31, dtype=np.uint32)
    known = one.bit_generator.state
    inner = (known["state"]["state"], known["state"]["inc"])
    orders = [[number >> shift & (2**64 - 1) for number in inner for shift in order] for order in _ORDERS]
    numbers, left_over = memory_of(one)
    half = known["has_uint32"] | known["uinteger"] << 32
    return numbers.tolist() in orders and left_over.tolist() == [half]


_ORDERS = ((0, 64), (64, 0))


def bank_of(generators: Sequence[Generator]) -> NDArray[np.uint64]:
    """Copy the states of generators, one row each."""
    return np.array([np.concatenate(memory_of(one)) for one in generators], np.uint64)


def turn_to(
    bank: NDArray[np.uint64],
    numbers: NDArray[np.uint64],
    left_over: NDArray[np.uint64],
    now: int,
    wanted: int,
) -> None:
    """Keep the stream that is in the generator and put another one there; compiled by Numba."""
    for place in range(len(numbers)):
        bank[now, place] = numbers[place]
        numbers[place] = bank[wanted, place]
    bank[now, len(numbers)] = left_over[0]
    left_over[0] = bank[wanted, len(numbers)]
