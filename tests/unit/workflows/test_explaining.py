"""Explaining a request of a stored run: it is replayed as it was, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

import workbench as wb
from tests.simulated import KEYS
from workbench.errors import InputError, NotFoundError
from workbench.settings import Settings
from workbench.simulate.strategies import STRATEGIES, Strategy
from workbench.store import Store
from workbench.workflows import explain


def stored(run_id: int, request: int, settings: Settings) -> dict[str, Any]:
    with Store(settings) as store:
        rows = store.query(
            "select server_id, arrival_us, response_us from requests where run_id = $run and req_id = $req",
            {"run": run_id, "req": request},
        ).to_pylist()
    return dict(rows[0])


@pytest.mark.parametrize("label", ["power_of_two", "nginx.ip_hash", "haproxy.leastconn", "prequal"])
def test_the_explained_request_is_the_stored_one(scenario: dict[str, Any], settings: Settings, label: str):
    view = wb.run(scenario | {"keys": KEYS}, strategy=label, replication=1, settings=settings)
    for request in (0, 777, 3999):
        told, row = explain(view.run_id, request, settings=settings), stored(view.run_id, request, settings)
        picked = told.alternatives[told.chosen]
        assert told.chosen == row["server_id"]
        assert told.time * 1e6 == pytest.approx(row["arrival_us"], abs=1)
        assert picked.response * 1e6 == pytest.approx(row["response_us"], abs=1)
        assert told.regret == pytest.approx(picked.response - told.alternatives[told.best].response, abs=1e-9)
        assert told.rows()[0][0] in (picked.name, told.alternatives[told.best].name)


def test_a_refreshed_view_is_told_to_be_old(scenario: dict[str, Any], settings: Settings):
    balancers = {"strategy": "join_shortest_queue", "view": "refreshed", "refresh_every": "1s", "count": 2}
    view = wb.run(scenario | {"balancers": balancers}, settings=settings)
    told = explain(view.run_id, 2000, settings=settings)
    assert told.told is not None
    assert 0 <= told.told <= 1.5
    assert any("old" in line for line in told.remarks())


def test_a_large_pool_shows_what_matters_and_says_what_it_leaves_out(
    scenario: dict[str, Any], settings: Settings
):
    view = wb.run(scenario | {"pool": {"count": 60}}, strategy="random", settings=settings)
    told = explain(view.run_id, 500, settings=settings)
    assert len(told.rows()) == 20
    assert len(told.alternatives) == 60
    assert "40 more servers are in the JSON" in told.remarks()


@pytest.mark.parametrize("request_number", [4000, 10**9])
def test_a_request_beyond_the_run_is_named(scenario: dict[str, Any], settings: Settings, request_number: int):
    view = wb.run(scenario, settings=settings)
    with pytest.raises(NotFoundError, match=f"request {request_number}: the run has requests 0 to 3999"):
        explain(view.run_id, request_number, settings=settings)


def test_an_unknown_run_is_named(settings: Settings):
    with pytest.raises(NotFoundError, match="no run 5"):
        explain(5, 0, settings=settings)


def test_a_trace_that_is_gone_or_another_one_is_refused(traced: dict[str, Any], settings: Settings):
    file = Path(traced["arrivals"]["file"])
    view = wb.run(traced, settings=settings)
    assert explain(view.run_id, 3, settings=settings).request == 3
    content = file.read_text()
    file.write_text(content + "99,1\n")
    with pytest.raises(InputError, match=r"run 1: .*changed since"):
        explain(view.run_id, 3, settings=settings)
    file.unlink()
    with pytest.raises(InputError, match=r"run 1: arrivals.file: given .*; allowed: a file that exists"):
        explain(view.run_id, 3, settings=settings)


def test_a_users_strategy_that_is_not_registered_is_named(
    scenario: dict[str, Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    class Own(Strategy):
        kind: Literal["own"] = "own"
        pick: ClassVar[Any] = staticmethod(lambda view, rng: 0)

    with monkeypatch.context() as registered:
        registered.setattr(STRATEGIES, "_members", STRATEGIES._members | {"own": Own})
        view = wb.run(scenario, strategy="own", settings=settings)
        assert explain(view.run_id, 3, settings=settings).chosen == 0
    with pytest.raises(InputError, match=r"run 1: balancers.strategy.kind: given 'own'"):
        explain(view.run_id, 3, settings=settings)
