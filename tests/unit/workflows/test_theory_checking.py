"""Results beside theory: a right model passes, a wrong one is warned of, and what is unknown says so."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from workbench.settings import Settings
from workbench.simulate import load_scenario
from workbench.store import Store, queries
from workbench.workflows import RunView
from workbench.workflows.theory_checking import check_run


@pytest.fixture
def randomly(scenario: dict[str, Any]) -> dict[str, Any]:
    """Four M/M/1 queues at load .8, 30,000 requests."""
    return scenario | {"balancers": {"strategy": "random"}, "horizon": "30000 requests"}


def verdicts(view: RunView) -> dict[str, str]:
    assert view.theory is not None
    return {one.quantity: one.verdict for one in view.theory.checks}


@pytest.mark.parametrize("records", [1.0, 0.0])
def test_a_run_is_checked_whether_it_kept_its_requests_or_not(
    randomly: dict[str, Any], settings: Settings, records: float
):
    view = wb.run(randomly, settings=settings.model_copy(update={"records": records}))
    assert view.theory is not None
    assert (view.theory.model, view.theory.verdict) == ("4 x M/M/1", "pass")
    assert set(verdicts(view)) == {
        *(
            "response_mean",
            "response_p50",
            "response_p95",
            "response_p99",
            "wait_mean",
            "utilisation",
            "little",
        )
    }
    mean = next(one for one in view.theory.checks if one.quantity == "response_mean")
    assert mean.expected == pytest.approx(0.1)
    assert mean.measured == view.response.mean


def test_another_service_than_was_said_is_warned_of(randomly: dict[str, Any], settings: Settings):
    steady = randomly | {"service": {"kind": "deterministic", "value": "20ms"}}
    view = wb.run(steady, settings=settings)
    with Store(settings) as store:
        pool = dict(queries.summary(store, run_id=view.run_id).pool)
        wrong = check_run(store, view.run_id, load_scenario(randomly), pool)
    assert view.theory is not None
    assert view.theory.verdict == "pass"
    assert wrong.verdict == "warn"
    assert "workbench plan" in wrong.lines()[0]
    assert {one.quantity for one in wrong.checks if one.verdict == "warn"} >= {"response_mean", "wait_mean"}


def test_losses_are_checked(randomly: dict[str, Any], settings: Settings):
    view = wb.run(randomly | {"pool": {"slots": 4, "queue_limit": 2}}, settings=settings)
    assert view.theory is not None
    assert view.theory.model == "M/M/4/6"
    assert verdicts(view)["refused"] == "pass"


def test_without_a_formula_the_laws_are_checked_all_the_same(randomly: dict[str, Any], settings: Settings):
    view = wb.run(randomly, strategy="join_shortest_queue", settings=settings)
    assert view.theory is not None
    assert view.theory.verdict == "no exact formula here"
    assert verdicts(view) == {"utilisation": "pass", "little": "pass"}
    assert "join_shortest_queue over 4 servers" in view.theory.lines()[0]


def test_a_short_run_has_no_interval_to_be_held_against(scenario: dict[str, Any], settings: Settings):
    short = scenario | {"balancers": {"strategy": "random"}, "horizon": "300 requests"}
    view = wb.run(short, settings=settings)
    assert view.theory is not None
    assert "response_mean" not in verdicts(view)


def test_a_comparison_is_checked_strategy_by_strategy(scenario: dict[str, Any], settings: Settings):
    view = wb.compare(
        scenario,
        strategies=["random", "round_robin", "join_shortest_queue"],
        replications=3,
        settings=settings,
    )
    found = {one.strategy: one.theory for one in view.standings}
    assert {name: one.model for name, one in found.items() if one} == {
        "random": "4 x M/M/1",
        "round_robin": "4 x E4/M/1",
        "join_shortest_queue": "",
    }
    assert all(one.verdict != "warn" for one in found.values() if one)
    assert "theory, round_robin: 4 x E4/M/1, pass" in view.remarks()


def test_a_stored_run_shows_the_same_theory(randomly: dict[str, Any], settings: Settings):
    first = wb.run(randomly, settings=settings)
    assert wb.show(first.run_id, settings=settings).theory == first.theory
