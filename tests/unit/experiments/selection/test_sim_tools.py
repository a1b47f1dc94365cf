"""KN and OCBA beside those of sim-tools (the extra `peers`), on the same observations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.experiments import allocate, kim_nelson

zone = pytest.importorskip(
    "sim_tools.ovs.indifference_zone", reason="sim-tools is not installed (extra peers)"
)
budgets = pytest.importorskip("sim_tools.ovs.fixed_budget")

MOST = 4000
FIRST = 10


class Rows:
    """A model in sim-tools' sense that gives the observations of a table one after the other."""

    def __init__(self, table: np.ndarray) -> None:
        self.table, self.taken = table, [0] * len(table)

    def register_observer(self, observer: Any) -> None:
        self.observer = observer

    def simulate(self, design: int) -> None:
        value = float(self.table[design, self.taken[design]])
        self.taken[design] += 1
        self.observer.feedback(self, design, value)


def table(rng: np.random.Generator, means: list[float]) -> np.ndarray:
    return 10.0 + np.array(means)[:, None] + rng.normal(0.0, 1.0, (len(means), MOST))


def theirs(rows: np.ndarray, indifference: float) -> tuple[int, int]:
    model = Rows(rows)
    found = zone.KN(model, len(rows), indifference, alpha=0.05, n_0=FIRST, obj="min").solve()
    return int(found[0]), max(model.taken) - 1  # it takes one more after it has decided


def ours(rows: np.ndarray, indifference: float) -> tuple[int, int]:
    values = {str(place): row.tolist() for place, row in enumerate(rows)}
    found = kim_nelson(values, probability=0.95, indifference=indifference, first=FIRST)
    return int(found.left[0]), found.used


def test_of_two_both_choose_the_same_after_as_many_replications():
    rng = np.random.default_rng(1)
    for _ in range(100):
        rows = table(rng, [0.0, 0.4])
        assert ours(rows, 0.3) == theirs(rows, 0.3)


def test_of_five_both_choose_the_same():
    # sim-tools looks up another pair's variance where the rival comes first in order, so that the numbers of
    # replications differ, a little.
    rng, same, used = np.random.default_rng(2), 0, []
    for _ in range(100):
        rows = table(rng, [0.3, 0.0, 0.5, 1.0, 2.0])
        mine, other = ours(rows, 0.3), theirs(rows, 0.3)
        same += mine[0] == other[0]
        used.append((mine[1], other[1]))
    assert same >= 97
    mean = np.mean(used, axis=0)
    assert mean[0] == pytest.approx(mean[1], rel=0.1)


def test_a_budget_is_handed_out_alike():
    rng = np.random.default_rng(3)
    rows = table(rng, [0.0, 0.5, 0.8, 1.5])
    model = Rows(rows)
    peer = budgets.OCBA(model, len(rows), budget=1040, delta=1000, n_0=FIRST, obj="min")
    peer.solve()
    first = {str(place): row[:FIRST].tolist() for place, row in enumerate(rows)}
    counts = allocate(first, more=1000)
    assert list(counts.values()) == pytest.approx(model.taken, abs=2)
