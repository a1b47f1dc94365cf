"""Whether what is seen now looks like what the model was made from.

Two figures a column: the population stability index over bins of the reference, and the largest
distance of the two distribution functions (Kolmogorov and Smirnov). Missing values are a bin of
their own. The index has a floor by chance, so it comes with the value that chance exceeds in 1 of
1000 samples (it is near a chi-square: Yurdakul and Naranjo, Statistical properties of the population
stability index, 2020).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import chdtri, kolmogi

from workbench.errors import InputError

BINS = 10
MOST_CATEGORIES = 50
"""Texts beyond these, the commonest of the reference, share a bin."""
CHANCE = 0.001
NOTABLE_PSI = 0.1
"""Index below which a change is of no interest, whatever chance says."""
NOTABLE_KS = 0.05
"""Distance of distribution functions below which a change is of no interest."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """How far one column has moved."""

    column: str
    psi: float
    """Population stability index, 0 or more; 0.1 is usually called notable and 0.25 large."""
    psi_limit: float
    """What it exceeds by chance in 1 of 1000 samples of this size."""
    ks: float | None
    """Largest distance of the distribution functions, 0 to 1; None for texts."""
    ks_limit: float | None
    """What it exceeds by chance in 1 of 1000 samples of this size."""
    missing: float
    """Share of missing values now, 0 to 1."""
    missing_before: float
    """The same in the reference."""

    @property
    def alarm(self) -> bool:
        """Whether the change is beyond chance and of interest."""
        by_psi = self.psi > max(self.psi_limit, NOTABLE_PSI)
        by_ks = self.ks is not None and self.ks > max(self.ks_limit or 0.0, NOTABLE_KS)
        return by_psi or by_ks


def drift(reference: pa.Table, current: pa.Table, *, columns: Sequence[str]) -> list[Drift]:
    """Compare columns of two tables.

    Args:
        reference: rows that the model was made from, or that a certificate was earned on.
        current: rows of now.
        columns: numbers, booleans or texts that both have.

    Raises:
        InputError: a table has no row, or lacks a column.
    """
    for name, table in (("reference", reference), ("current", current)):
        if table.num_rows == 0:
            raise InputError(f"{name} proposals: given none; allowed: 1 or more")
        if lacking := [column for column in columns if column not in table.column_names]:
            allowed = ", ".join(table.column_names)
            raise InputError(f"columns: given {', '.join(lacking)}; allowed in the {name}: {allowed}")
    return [_one(column, reference.column(column), current.column(column)) for column in columns]


def _one(name: str, before: pa.ChunkedArray[Any], now: pa.ChunkedArray[Any]) -> Drift:
    ks = ks_limit = None
    if pa.types.is_string(before.type) or pa.types.is_large_string(before.type):
        counts = _by_text(_texts(before), _texts(now))
    else:
        old, new = _numbers(before), _numbers(now)
        counts = _by_number(old, new)
        if len(old) and len(new):
            ks = _distance(old, new)
            ks_limit = float(kolmogi(CHANCE)) * math.sqrt(1.0 / len(old) + 1.0 / len(new))
    held = [count for count in counts if count[0] or count[1]]
    sizes = 1.0 / before.length() + 1.0 / now.length()
    return Drift(
        column=name,
        psi=_index(np.array([*held, (before.null_count, now.null_count)], dtype=np.float64)),
        psi_limit=float(chdtri(max(1, len(held)), CHANCE)) * sizes,
        ks=ks,
        ks_limit=ks_limit,
        missing=now.null_count / now.length(),
        missing_before=before.null_count / before.length(),
    )


def _numbers(values: pa.ChunkedArray[Any]) -> Floats:
    return np.sort(np.asarray(pc.cast(values.drop_null(), pa.float64())))


def _texts(values: pa.ChunkedArray[Any]) -> NDArray[np.str_]:
    return np.asarray(values.drop_null().to_pylist(), dtype=np.str_)


def _by_number(old: Floats, new: Floats) -> list[tuple[int, int]]:
    """Count in bins of about equal mass of the reference; equal values share one."""
    if not len(old):
        return [(0, len(new))]
    edges = np.unique(old[(np.arange(1, BINS) * len(old)) // BINS])
    places = [np.searchsorted(edges, values, side="right") for values in (old, new)]
    before, now = (np.bincount(place, minlength=len(edges) + 1) for place in places)
    return list(zip(before.tolist(), now.tolist(), strict=True))


def _by_text(old: NDArray[np.str_], new: NDArray[np.str_]) -> list[tuple[int, int]]:
    names, counts = np.unique(old, return_counts=True)
    common = names[np.lexsort((names, -counts))][:MOST_CATEGORIES]
    pairs = [(int((old == name).sum()), int((new == name).sum())) for name in common]
    rest = len(old) - sum(pair[0] for pair in pairs), len(new) - sum(pair[1] for pair in pairs)
    return [*pairs, rest]


def _index(counts: Floats) -> float:
    """Sum over the bins; half an observation stands in for none, so that an empty bin counts finitely."""
    counts = counts[counts.sum(axis=1) > 0]
    shares = np.maximum(counts, 0.5) / counts.sum(axis=0)
    before, now = shares.T
    return float(np.sum((now - before) * np.log(now / before)))


def _distance(old: Floats, new: Floats) -> float:
    both = np.concatenate((old, new))
    before, now = (np.searchsorted(values, both, side="right") / len(values) for values in (old, new))
    return float(np.abs(before - now).max())
