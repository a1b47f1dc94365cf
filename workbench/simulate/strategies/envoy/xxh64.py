"""xxHash of 64 bits, the hash of Envoy's ring and Maglev tables, over many texts at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_U64 = NDArray[np.uint64]
_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
_STRIPE = 32


def xxh64(texts: Sequence[str], *, seed: int = 0) -> _U64:
    """Hash the UTF-8 bytes of each text.

    Args:
        texts: what to hash.
        seed: of the hash, 0 to 2**64 - 1.

    >>> [hex(value) for value in xxh64(["", "a"])]
    ['0xef46db3751d8e999', '0xd24ec4f1a98c6e5b']
    """
    places: dict[int, list[int]] = defaultdict(list)
    encoded = [text.encode() for text in texts]
    for place, content in enumerate(encoded):
        places[len(content)].append(place)
    hashes = np.empty(len(encoded), dtype=np.uint64)
    for length, group in places.items():
        joined = np.frombuffer(b"".join(encoded[place] for place in group), dtype=np.uint8)
        hashes[group] = _of_equal_length(joined.reshape(len(group), length), seed)
    return hashes


def _of_equal_length(rows: NDArray[np.uint8], seed: int) -> _U64:
    count, length = rows.shape
    at = length - length % _STRIPE
    value = _stripes(rows[:, :at], seed) if at else _constant(count, seed + _P5)
    value = value + _constant(count, length)
    while at + 8 <= length:
        word = np.ascontiguousarray(rows[:, at : at + 8]).view("<u8")[:, 0]
        value = _rotate(value ^ _round(_constant(count, 0), word), 27) * np.uint64(_P1) + np.uint64(_P4)
        at += 8
    if at + 4 <= length:
        half = np.ascontiguousarray(rows[:, at : at + 4]).view("<u4")[:, 0].astype(np.uint64)
        value = _rotate(value ^ (half * np.uint64(_P1)), 23) * np.uint64(_P2) + np.uint64(_P3)
        at += 4
    for column in range(at, length):
        byte = rows[:, column].astype(np.uint64)
        value = _rotate(value ^ (byte * np.uint64(_P5)), 11) * np.uint64(_P1)
    value = (value ^ (value >> np.uint64(33))) * np.uint64(_P2)
    value = (value ^ (value >> np.uint64(29))) * np.uint64(_P3)
    return value ^ (value >> np.uint64(32))


def _stripes(rows: NDArray[np.uint8], seed: int) -> _U64:
    count = len(rows)
    words = np.ascontiguousarray(rows).view("<u8")
    lanes = [_constant(count, seed + start) for start in (_P1 + _P2, _P2, 0, -_P1)]
    for column in range(words.shape[1]):
        lanes[column % 4] = _round(lanes[column % 4], words[:, column])
    value = _rotate(lanes[0], 1) + _rotate(lanes[1], 7) + _rotate(lanes[2], 12) + _rotate(lanes[3], 18)
    for lane in lanes:
        value = (value ^ _round(_constant(count, 0), lane)) * np.uint64(_P1) + np.uint64(_P4)
    return value


def _round(lane: _U64, word: _U64) -> _U64:
    return _rotate(lane + word * np.uint64(_P2), 31) * np.uint64(_P1)


def _rotate(value: _U64, bits: int) -> _U64:
    return (value << np.uint64(bits)) | (value >> np.uint64(64 - bits))


def _constant(count: int, value: int) -> _U64:
    """Give arrays only: NumPy lets them wrap around at 64 bits in silence, and warns of single numbers."""
    return np.full(count, value % 2**64, dtype=np.uint64)
