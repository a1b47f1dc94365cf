"""KN selects right at least as often as it promises, stops early, and agrees with sim-tools."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.experiments import Screening, kim_nelson

Draw = Callable[[np.random.Generator, int], dict[str, np.ndarray]]

MOST = 2000


def select(values: dict[str, np.ndarray], **options: float) -> Screening:
    return kim_nelson({name: row.tolist() for name, row in values.items()}, **options)  # type: ignore[arg-type]


def slipped(rng: np.random.Generator, count: int = 5, common: float = 0.0) -> dict[str, np.ndarray]:
    """The hardest case: all others are worse by just the indifference, 1; `common` noise is shared."""
    shared = common * rng.normal(0.0, 1.0, MOST)
    return {str(name): (name > 0) * 1.0 + rng.normal(0.0, 2.0, MOST) + shared for name in range(count)}


@pytest.mark.parametrize(("probability", "common"), [(0.95, 0.0), (0.95, 3.0), (0.8, 0.0)])
def test_the_best_is_selected_at_least_as_often_as_promised(probability: float, common: float):
    rng, right, used = np.random.default_rng(1), 0, []
    for _ in range(400):
        found = select(slipped(rng, common=common), probability=probability, indifference=1.0)
        assert found.decided
        right += found.left[0] == "0"
        used.append(found.used)
    # Three standard errors below the promise; that it costs little shows that there is something to promise.
    assert right >= 400 * probability - 3 * np.sqrt(400 * probability * (1 - probability))
    assert np.mean(used) < MOST / 4


def test_common_noise_costs_nothing():
    rng = np.random.default_rng(2)
    plain, shared = (
        np.mean(
            [select(slipped(rng, common=common), probability=0.95, indifference=1.0).used for _ in range(60)]
        )
        for common in (0.0, 20.0)
    )
    assert shared == pytest.approx(plain, rel=0.25)


def test_what_is_far_worse_goes_at_once_and_what_is_close_takes_longer():
    rng = np.random.default_rng(3)
    values = {
        "best": rng.normal(10.0, 1.0, MOST),
        "close": rng.normal(10.8, 1.0, MOST),
        "far": rng.normal(30.0, 1.0, MOST),
    }
    found = select(values, probability=0.95, indifference=0.5)
    assert found.left == ("best",)
    assert found.dropped["far"] == 10 < found.dropped["close"]


def test_a_choice_goes_on_where_it_was_as_replications_come_in():
    values = slipped(np.random.default_rng(4))
    whole = select(values, probability=0.95, indifference=1.0)
    counts = dict.fromkeys(values, 10)
    while True:
        part = select(
            {name: values[name][: counts[name]] for name in values}, probability=0.95, indifference=1.0
        )
        if part.decided:
            break
        counts |= dict.fromkeys(part.left, part.used + 3)
    assert (part.left, part.dropped) == (whole.left, whole.dropped)


def test_equal_candidates_are_decided_by_the_least_mean():
    row = np.random.default_rng(5).normal(1.0, 0.1, 12)
    found = select({"a": row, "b": row, "c": row + 1e-6}, probability=0.95, indifference=0.01)
    assert found.decided
    assert found.left[0] in ("a", "b")


def test_too_few_replications_leave_it_undecided_and_say_how_many_it_may_take():
    values = {name: row[:15] for name, row in slipped(np.random.default_rng(6)).items()}
    found = select(values, probability=0.999, indifference=0.1)
    assert not found.decided
    assert found.used == 15 < found.most


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"probability": 0.2, "indifference": 1.0}, "probability: given 0.2; allowed: above 0.2"),
        ({"probability": 1.0, "indifference": 1.0}, "below 1"),
        ({"probability": 0.95, "indifference": 0.0}, "indifference: given 0"),
        ({"probability": 0.95, "indifference": 1.0, "first": 2}, "a first stage of 3 or more"),
    ],
)
def test_parameters_out_of_range_are_refused(options: dict[str, float], complaint: str):
    with pytest.raises(InputError, match=complaint):
        select(slipped(np.random.default_rng(7)), **options)


def test_one_candidate_is_no_choice():
    with pytest.raises(InputError, match="candidates: given 1"):
        select({"a": np.arange(20.0)}, probability=0.9, indifference=1.0)
