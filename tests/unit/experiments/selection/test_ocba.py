"""OCBA: its allocation by hand, that it beats equal shares, and that its probability is a bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.experiments import allocate, chance_of_best


def exact(mean: float, spread: float, count: int = 10) -> list[float]:
    """Values with just this mean and standard deviation."""
    row = np.linspace(-1.0, 1.0, count)
    return (mean + spread * row / row.std(ddof=1)).tolist()


def test_the_allocation_is_the_papers():
    # delta 1 and 2, all spreads 1: N2 / N3 = (2 / 1)^2, N1 = sqrt(N2^2 + N3^2).
    counts = allocate({"1": exact(1, 1), "2": exact(2, 1), "3": exact(3, 1)}, more=9970)
    assert sum(counts.values()) == 10_000
    assert counts["2"] / counts["3"] == pytest.approx(4, rel=0.01)
    assert counts["1"] == pytest.approx(np.hypot(counts["2"], counts["3"]), rel=0.01)


def test_noise_is_paid_for_by_its_variance():
    counts = allocate({"1": exact(1, 1), "2": exact(2, 1), "3": exact(2, 3)}, more=9970)
    assert counts["3"] / counts["2"] == pytest.approx(9, rel=0.01)


@given(
    means=st.lists(st.floats(0.0, 10.0), min_size=2, max_size=6),
    spreads=st.lists(st.floats(0.0, 3.0), min_size=6, max_size=6),
    more=st.integers(1, 500),
)
def test_all_is_handed_out_and_nothing_taken_back(means: list[float], spreads: list[float], more: int):
    values = {str(n): exact(mean, spreads[n]) for n, mean in enumerate(means)}
    counts = allocate(values, more=more)
    assert sum(counts.values()) == 10 * len(means) + more
    assert min(counts.values()) >= 10


def spend(
    rng: np.random.Generator, means: list[float], budget: int, *, equally: bool
) -> dict[str, list[float]]:
    values = {str(n): rng.normal(mean, 1.0, 10).tolist() for n, mean in enumerate(means)}
    while (left := budget - sum(map(len, values.values()))) > 0:
        more = min(left, 10)
        counts = (
            {name: len(row) + more // len(values) for name, row in values.items()}
            if equally
            else allocate(values, more=more)
        )
        for name, count in counts.items():
            values[name] += rng.normal(means[int(name)], 1.0, count - len(values[name])).tolist()
    return values


def best(values: dict[str, list[float]]) -> str:
    return min(values, key=lambda name: np.mean(values[name]))


def test_a_budget_is_worth_more_where_it_is_needed_and_the_stated_probability_is_a_bound():
    means, budget = [0.0, 0.3, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5], 250
    rng, right, stated = np.random.default_rng(1), {True: 0, False: 0}, []
    for _ in range(300):
        for equally in (True, False):
            values = spend(rng, means, budget, equally=equally)
            right[equally] += best(values) == "0"
            if not equally:
                stated.append(chance_of_best(values))
    assert right[False] > right[True] + 15  # a standard error of the difference is about 7
    assert np.mean(stated) <= right[False] / 300 + 3 * np.sqrt(0.05 / 300)


def test_the_probability_of_two_is_that_of_their_difference():
    # Means 1 apart, standard errors of .5 each: 1 / sqrt(.5) standard deviations.
    found = chance_of_best({"a": exact(0.0, 0.5 * np.sqrt(10)), "b": exact(1.0, 0.5 * np.sqrt(10))})
    assert found == pytest.approx(0.92135, abs=1e-4)


def test_too_little_to_go_by_is_refused():
    with pytest.raises(InputError, match="candidates: given 1"):
        allocate({"a": [1.0, 2.0]}, more=1)
    with pytest.raises(InputError, match="with 1 replications"):
        chance_of_best({"a": [1.0, 2.0], "b": [1.0]})
