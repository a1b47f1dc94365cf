"""Exact proposals, a configuration and a book for the tests of decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.reconcile_decisions.proposals import confidences, table
from workbench.reconcile.book import Book
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.costs import Costs


@pytest.fixture
def make() -> Callable[..., pa.Table]:
    """Give a function that draws proposals, labelled or not."""

    def proposals(count: int, *, seed: int = 1, labelled: bool = True, **given: object) -> pa.Table:
        rng = np.random.default_rng(seed)
        confidence = confidences(count, rng)
        right = rng.random(count) < confidence
        return table(confidence, right if labelled else None, **given)

    return proposals


@pytest.fixture
def configuration() -> DecisionConfiguration:
    return DecisionConfiguration(costs=Costs(review=2, wrong=500, missed=50))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book(tmp_path / "book.sqlite") as opened:
        yield opened
