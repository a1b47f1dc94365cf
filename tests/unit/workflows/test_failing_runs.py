"""Showing a run in which something broke: attempts, retried requests and outages."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from workbench.settings import Settings
from workbench.store import Store, queries
from workbench.workflows.results import RunView

CRASH = {"kind": "crash", "servers": "server-0", "at": 10.5, "lasts": 5}


@pytest.fixture
def failing(scenario: dict[str, Any]) -> dict[str, Any]:
    """Two requests a second for 30 s, of which server-0 gets every other one until its crash is noticed."""
    return scenario | {
        "arrivals": {"kind": "uniform", "rate": 2},
        "service": {"kind": "deterministic", "value": 0.1},
        "pool": {"count": 2},
        "balancers": {
            "strategy": "nginx.round_robin",
            "detector": {"kind": "nginx.max_fails", "fail_timeout": 2},
        },
        "faults": CRASH,
        "horizon": "60 requests",
        "warm_up": "0 requests",
    }


@pytest.fixture
def view(failing: dict[str, Any], settings: Settings) -> RunView:
    return wb.run(failing, settings=settings)


def test_retries_show_as_attempts(view: RunView):
    # The first probe fails at 10.5 or 11; the next ones more than 2 s later, on a clock of whole seconds.
    assert view.requests == 60
    assert view.outcomes["ok"] == 60
    assert view.attempts == 60 + view.retried
    assert view.retried == 2
    assert "62 attempts, 1.033 a request; 2 requests took more than one" in view.remarks()


def test_an_outage_is_told_with_its_server(view: RunView):
    (outage,) = view.outages
    assert (outage.fault, outage.server, outage.begin_s, outage.end_s) == ("crash", "server-0", 10.5, 15.5)
    assert outage.detected_s is not None
    assert outage.detected_s <= 0.5
    assert (outage.sent, outage.failed, outage.retried) == (2, 0, 2)
    (line,) = [
        one for one in view.remarks() if one.startswith("crash of server-0 at 10.5 s for 5 s: detected")
    ]
    assert "2 sent there, 0 requests failed; goodput before, during, after: 2" in line


def test_a_fault_that_lasts_and_that_nobody_notices_says_so(failing: dict[str, Any], settings: Settings):
    slow = {"kind": "slow", "servers": "server-1", "factor": 0.5, "at": 10}
    (outage,) = wb.run(failing | {"faults": slow}, settings=settings).outages
    assert outage.end_s is None
    assert outage.line().startswith("slow 0.5 of server-1 at 10 s to the end: noticed by no balancer; ")


def test_many_outages_are_told_in_part(failing: dict[str, Any], settings: Settings):
    often = {"kind": "slow", "factor": 0.9, "at": [float(second) for second in range(1, 9)], "lasts": 0.5}
    view = wb.run(failing | {"faults": often}, settings=settings)
    assert len(view.outages) == 16
    assert "and 6 more outages" in view.remarks()


def test_a_run_that_cannot_fail_has_as_many_attempts_as_requests(
    scenario: dict[str, Any], settings: Settings
):
    view = wb.run(scenario, settings=settings)
    assert view.attempts == view.requests
    assert (view.retried, view.outages) == (0, [])
    assert not any("attempts" in remark for remark in view.remarks())


def test_the_store_gives_the_outages_by_their_begin(failing: dict[str, Any], settings: Settings):
    faults = [CRASH, {"kind": "drain", "servers": "server-1", "at": 3, "lasts": 1}]
    view = wb.run(failing | {"faults": faults}, settings=settings)
    with Store(settings) as store:
        rows = queries.outages(store, run_id=view.run_id).to_pylist()
    assert [(row["fault"], row["server_id"], row["begin_s"]) for row in rows] == [
        ("drain", 1, 3.0),
        ("crash", 0, 10.5),
    ]
