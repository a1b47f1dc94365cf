"""Simulating to a precision, and planning for it."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from workbench.errors import InputError
from workbench.settings import Settings


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A lake for all tests of this file: what one has simulated, the others find."""
    return Settings(lake=tmp_path_factory.mktemp("shared") / "lake", jobs=1)


def test_replications_are_added_until_it_is_precise(scenario: dict[str, Any], shared: Settings):
    rough = wb.estimate(scenario, precision=0.2, settings=shared)
    fine = wb.estimate(scenario, precision=0.04, settings=shared)
    assert rough.reached
    assert fine.reached
    assert rough.replications == 10 < fine.replications
    assert fine.relative is not None
    assert fine.relative <= 0.04 / 1.04
    assert fine.reused >= 10
    assert fine.run_ids[:10] == rough.run_ids


def test_a_limit_is_named_with_what_it_would_take(scenario: dict[str, Any], shared: Settings):
    view = wb.estimate(scenario, precision=0.005, most=12, settings=shared)
    assert not view.reached
    assert view.replications == 12
    assert view.needed is not None
    assert view.needed > 100
    assert f"--most {view.needed}" in view.answer()


def test_other_measures_are_estimated_too(scenario: dict[str, Any], shared: Settings):
    view = wb.estimate(scenario, precision=0.3, measure="response_p99", settings=shared)
    runs = [wb.show(run_id, settings=shared).response.p99 for run_id in view.run_ids]
    assert view.values == runs


def test_a_comparison_goes_on_until_its_differences_are_known(scenario: dict[str, Any], shared: Settings):
    pair = ["random", "round_robin"]
    view = wb.compare(scenario, strategies=pair, replications=2, precision=0.1, settings=shared)
    best, other = view.standings
    assert view.replications >= 10
    assert best.value is not None
    assert other.difference_high is not None
    assert other.difference_low is not None
    assert (other.difference_high - other.difference_low) / 2 <= 0.1 * best.value
    assert "10 % was asked for" in view.notes[0]


def test_a_comparison_that_stops_at_its_limit_says_so(scenario: dict[str, Any], shared: Settings):
    view = wb.compare(
        scenario, strategies=["random", "round_robin"], precision=0.001, most=11, settings=shared
    )
    assert view.replications == 11
    assert "11 replications were the limit" in view.notes[0]


def test_a_plan_guesses_what_a_precision_takes_and_stores_nothing(
    scenario: dict[str, Any], settings: Settings
):
    # One M/M/1 queue at load .8 needs 4.7 M requests for 1 % of its mean wait (Whitt, Operations Research 37,
    # 1989: the asymptotic variance of the waits), here at 5 %.
    alone = scenario | {
        "arrivals": {"kind": "poisson", "rate": "40/s"},
        "pool": {},
        "horizon": "20k requests",
    }
    view = wb.plan(alone, precision=0.05, settings=settings)
    need = next(one for one in view.needs if one.measure == "wait_mean")
    assert need.requests == pytest.approx(4.74e6 / 25 / 0.9, rel=0.5)
    assert need.replications == pytest.approx(need.requests / 20_000, abs=1)
    assert need.value == pytest.approx(0.08, rel=0.1)
    assert view.settled is not None
    assert view.settled <= 2000 == view.warm_up
    assert not settings.lake.exists()


def test_a_scenario_with_faults_is_planned_replication_by_replication(
    scenario: dict[str, Any], settings: Settings
):
    crash = {"kind": "crash", "servers": "server-0", "at": "5s", "lasts": "5s"}
    view = wb.plan(scenario | {"faults": crash}, precision=0.05, settings=settings)
    assert view.settled is None
    assert view.pilot_requests == pytest.approx(4000)
    assert view.engine == "reference"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"precision": 0.0}, "precision: given 0; allowed: above 0 %"),
        ({"precision": 0.1, "most": 5}, "most: given 5; allowed: 10 to 100,000"),
        ({"precision": 0.1, "measure": "p99"}, "response_p99"),
    ],
)
def test_what_cannot_be_estimated_is_refused_before_anything_runs(
    scenario: dict[str, Any], settings: Settings, options: dict[str, Any], complaint: str
):
    with pytest.raises(InputError, match=complaint):
        wb.estimate(scenario, settings=settings, **options)
    assert not settings.lake.exists()


def test_a_trace_is_refused_for_more_of_the_same_tells_no_more(traced: dict[str, Any], settings: Settings):
    for work in (wb.estimate, wb.plan):
        with pytest.raises(InputError, match="precision: given with a trace"):
            work(traced, precision=0.1, settings=settings)


def test_an_unstable_scenario_has_no_plan(scenario: dict[str, Any], settings: Settings):
    with pytest.raises(InputError, match="at least 4 servers of the group 'server' would hold"):
        wb.plan(scenario | {"pool": {"count": 3}}, settings=settings)


def test_an_estimate_stands_beside_theory(scenario: dict[str, Any], shared: Settings):
    view = wb.estimate(scenario, precision=0.3, strategy="random", settings=shared)
    assert (view.theory.model, view.theory.verdict) == ("4 x M/M/1", "pass")
