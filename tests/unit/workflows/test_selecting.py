"""Selecting the best of several strategies."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from workbench.errors import InputError
from workbench.settings import Settings

FOUR = ["random", "round_robin", "power_of_two", "join_shortest_queue"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A lake for all tests of this file: what one has simulated, the others find."""
    return Settings(lake=tmp_path_factory.mktemp("shared") / "lake", jobs=1)


def test_the_known_best_is_selected_and_the_worst_goes_first(scenario: dict[str, Any], shared: Settings):
    view = wb.select(scenario, strategies=FOUR, indifference="2%", settings=shared)
    assert view.decided
    assert view.candidates[0].strategy == "join_shortest_queue"
    assert view.candidates[-1].strategy == "random"
    assert view.runs == sum(one.replications for one in view.candidates)
    assert all(one.difference > 0 for one in view.candidates[1:] if one.difference is not None)
    assert "with probability 95 % or more" in view.answer()


def test_the_smaller_the_difference_that_matters_the_longer_it_takes(
    scenario: dict[str, Any], shared: Settings
):
    close = ["join_shortest_queue", "least_connections"]
    rough, fine = (
        wb.select(scenario, strategies=close, indifference=zone, settings=shared) for zone in ("5ms", "1%")
    )
    assert rough.indifference_s == 0.005
    assert fine.indifference_s is not None
    assert fine.indifference_s < 0.0005
    assert rough.runs <= fine.runs
    assert fine.decided


def test_a_second_selection_reuses_what_is_stored(scenario: dict[str, Any], shared: Settings):
    first = wb.select(scenario, strategies=FOUR, indifference="2%", settings=shared)
    again = wb.select(scenario, strategies=FOUR, indifference="2%", settings=shared)
    assert (again.simulated, again.reused) == (0, first.runs)
    assert again.candidates == first.candidates


def test_a_budget_is_spent_to_the_last_replication_where_it_matters(
    scenario: dict[str, Any], shared: Settings
):
    view = wb.select(scenario, strategies=FOUR, budget=46, settings=shared)
    counts = {one.strategy: one.replications for one in view.candidates}
    assert sum(counts.values()) == 46 == view.runs
    assert view.candidates[0].strategy == "join_shortest_queue"
    assert counts["random"] <= min(counts["join_shortest_queue"], counts["power_of_two"])
    assert 0.9 < view.probability <= 1
    assert "Bonferroni" in view.answer()


def test_a_limit_leaves_it_open(scenario: dict[str, Any], shared: Settings):
    close = ["join_shortest_queue", "least_connections"]
    view = wb.select(scenario, strategies=close, indifference="1us", most=12, settings=shared)
    assert not view.decided
    assert "no answer yet" in view.answer()
    assert {one.verdict for one in view.candidates} == {"still in"}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"strategies": ["random"]}, "allowed: two or more"),
        ({"strategies": ["random", "least_work_left"]}, "that a balancer could have"),
        ({"probability": 0.25}, "probability: given 25%; allowed: above 25%"),
        ({"indifference": "0%"}, "indifference: given 0%"),
        ({"indifference": "soon"}, "a share such as 2%, or a time such as 5ms"),
        ({"budget": 39}, "budget: given 39; allowed: 40"),
        ({"most": 3}, "most: given 3"),
    ],
)
def test_what_cannot_be_selected_from_is_refused_before_anything_runs(
    scenario: dict[str, Any], settings: Settings, options: dict[str, Any], complaint: str
):
    with pytest.raises(InputError, match=complaint):
        wb.select(scenario, **({"strategies": FOUR} | options), settings=settings)
    assert not settings.lake.exists()


def test_a_trace_is_refused(traced: dict[str, Any], settings: Settings):
    with pytest.raises(InputError, match="select: given a trace"):
        wb.select(traced, strategies=FOUR, settings=settings)
