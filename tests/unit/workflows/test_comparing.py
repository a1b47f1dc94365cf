"""Comparing strategies on the same requests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import InputError
from workbench.settings import Settings
from workbench.store import Store

STRATEGIES = ["random", "join_shortest_queue", "least_work_left"]


def test_the_known_order_of_strategies_comes_out(scenario: dict[str, Any], settings: Settings):
    view = wb.compare(scenario, strategies=STRATEGIES, replications=5, settings=settings)
    assert [standing.strategy for standing in view.standings] == STRATEGIES[::-1]
    assert [standing.verdict for standing in view.standings] == ["bound", "best", "worse"]
    assert view.answer() == "answer: join_shortest_queue"


def test_every_strategy_meets_the_same_requests(scenario: dict[str, Any], settings: Settings):
    view = wb.compare(scenario, strategies=STRATEGIES, replications=2, settings=settings)
    with Store(settings) as store:
        sums = {
            run_id: store.query(
                "select sum(arrival_us) a, sum(service_us) s from requests where run_id = $run",
                {"run": run_id},
            ).to_pylist()[0]
            for standing in view.standings
            for run_id in standing.run_ids
        }
    for number in range(2):
        assert len({tuple(sums[standing.run_ids[number]].values()) for standing in view.standings}) == 1


def test_values_are_those_of_the_single_runs(scenario: dict[str, Any], settings: Settings):
    view = wb.compare(
        scenario, strategies=STRATEGIES, replications=2, measure="response_p99", settings=settings
    )
    for standing in view.standings:
        shown = [wb.show(run_id, settings=settings).response.p99 for run_id in standing.run_ids]
        assert standing.values == shown
        assert standing.value == pytest.approx(np.mean(shown))


def test_a_second_comparison_reuses_runs_and_keeps_its_number(scenario: dict[str, Any], settings: Settings):
    first = wb.compare(scenario, strategies=STRATEGIES, replications=2, settings=settings)
    again = wb.compare(scenario, strategies=STRATEGIES, replications=2, settings=settings)
    more = wb.compare(scenario, strategies=STRATEGIES, replications=3, settings=settings)
    assert (first.simulated, again.simulated, more.simulated) == (6, 0, 3)
    assert again.comparison_id == first.comparison_id != more.comparison_id
    assert again.standings == first.standings


def test_two_processes_find_what_one_finds(scenario: dict[str, Any], tmp_path):
    views = [
        wb.compare(
            scenario,
            strategies=STRATEGIES,
            replications=2,
            settings=Settings(lake=tmp_path / str(jobs), jobs=jobs),
        )
        for jobs in (1, 2)
    ]
    values = [[(s.strategy, s.values) for s in view.standings] for view in views]
    assert values[0] == values[1]


def test_a_resampled_trace_is_judged_as_recorded(traced: dict[str, Any], settings: Settings):
    view = wb.compare(traced, strategies=["random", "round_robin"], replications=6, settings=settings)
    assert view.method == "bootstrap"
    assert all(standing.value == standing.values[0] for standing in view.standings)
    assert len(set(view.standings[0].values)) == 6


def test_a_trace_that_is_not_resampled_says_what_its_intervals_lack(
    traced: dict[str, Any], settings: Settings
):
    del traced["arrivals"]["resample"]
    view = wb.compare(traced, strategies=["random", "round_robin"], replications=2, settings=settings)
    assert view.method == "paired_t"
    assert any("resample" in note for note in view.notes)


def test_the_scenarios_own_plan_stands_in(scenario: dict[str, Any], settings: Settings):
    plan = {
        "strategies": ["random", {"kind": "power_of_two", "choices": 3}],
        "replications": 2,
        "measure": "wait_p95",
    }
    view = wb.compare(scenario | {"comparison": plan}, settings=settings)
    assert {standing.strategy for standing in view.standings} == {"random", "power_of_two(choices=3)"}
    assert (view.measure, view.replications) == ("wait_p95", 2)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "strategies: given none"),
        ({"strategies": ["random", "random"]}, "each once"),
        ({"strategies": ["rondom"]}, "did you mean random"),
        ({"strategies": ["power_of_two(choices=0)"]}, "choices: given 0"),
        ({"strategies": ["power_of_two(choice=2)"]}, "one of kind, choices"),
        ({"strategies": STRATEGIES, "replications": 1}, "replications: given 1"),
        ({"strategies": STRATEGIES, "measure": "p99"}, "response_p99"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_runs(
    scenario: dict[str, Any], settings: Settings, options: dict[str, Any], complaint: str
):
    with pytest.raises(InputError) as refused:
        wb.compare(scenario, settings=settings, **options)
    assert complaint in str(refused.value)
    assert not settings.lake.exists()
