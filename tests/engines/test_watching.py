"""Watching a decision: what it foretells is what the run then does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.simulated import KEYS, build, every_strategy
from workbench.errors import NotFoundError
from workbench.simulate import ReferenceEngine, Workload, load_scenario
from workbench.simulate.engines.reference import watch_decision
from workbench.tables import Outcome

BASE = {
    "name": "watched",
    "arrivals": {"kind": "poisson", "rate": 10.0},
    "service": {"kind": "exponential", "mean": 0.5},
    "pool": [
        {"count": 2, "slots": 2, "speed": 1.5, "queue_limit": 3},
        {"name": "slow", "count": 1, "slots": 1},
    ],
    "balancers": {"strategy": "power_of_two"},
    "horizon": "600 requests",
}
REQUESTS = (0, 1, 17, 200, 333, 599)


@pytest.mark.parametrize("request_number", REQUESTS)
@pytest.mark.parametrize("strategy", ["random", "power_of_two", "least_work_left"])
def test_the_foretold_response_is_the_one_that_comes(request_number: int, strategy: str):
    workload = Workload(load_scenario(BASE | {"balancers": {"strategy": strategy}}))
    records = ReferenceEngine().run(workload)
    decision = watch_decision(workload, request_number)
    chosen = decision.alternatives[decision.chosen]
    assert decision.chosen == records.server[request_number]
    assert decision.time == records.arrival[request_number]
    if records.outcome[request_number] == Outcome.REFUSED:
        assert chosen.response == math.inf
    else:
        assert chosen.response == pytest.approx(records.response[request_number], abs=1e-9)
        assert chosen.waiting == records.queue_depth[request_number]


@every_strategy
def test_a_watched_request_goes_where_it_went_in_the_run(label: str):
    scenario = load_scenario(BASE | {"keys": KEYS}).with_strategy(build(label, 3))
    workload = Workload(scenario)
    records = ReferenceEngine().run(workload)
    for number in (3, 90, 250):
        decision = watch_decision(workload, number)
        assert decision.chosen == records.server[number]
        assert decision.alternatives[decision.chosen].usable


def test_the_bound_has_no_regret_and_random_has_some():
    def regrets(strategy: str) -> list[float]:
        workload = Workload(load_scenario(BASE | {"pool": {"count": 6}, "balancers": {"strategy": strategy}}))
        return [watch_decision(workload, number).regret for number in range(50, 600, 50)]

    assert max(regrets("least_work_left")) == 0
    assert np.mean(regrets("random")) > 0


def test_a_view_of_ones_own_sees_less_than_there_is():
    balancers = {"count": 4, "strategy": "join_shortest_queue"}
    workload = Workload(load_scenario(BASE | {"pool": {"count": 6}, "balancers": balancers}))
    decision = watch_decision(workload, 400)
    seen = sum(one.seen_in_flight for one in decision.alternatives)
    assert seen < sum(one.in_flight for one in decision.alternatives)
    assert decision.told is None


@pytest.mark.parametrize("request_number", [150, 420])
def test_a_refreshed_view_says_how_old_it_is(request_number: int):
    balancers = {"count": 2, "view": "refreshed", "refresh_every": 4.0, "strategy": "join_shortest_queue"}
    decision = watch_decision(Workload(load_scenario(BASE | {"balancers": balancers})), request_number)
    first = 4.0 if decision.balancer == 0 else 6.0
    told = [first + 4.0 * turn for turn in range(1000) if first + 4.0 * turn <= decision.time]
    assert decision.told == pytest.approx(decision.time - told[-1])


def test_a_request_beyond_the_run_is_named():
    with pytest.raises(NotFoundError, match="requests 0 to 599"):
        watch_decision(Workload(load_scenario(BASE)), 600)
