"""Processor sharing: against a slow, obvious computation, against theory, and both engines alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines.test_compiled import check, check_in_chunks
from tests.engines.test_reference import THREE, make_scenario
from workbench.errors import DocumentError, InputError
from workbench.simulate import CompiledEngine, Records, ReferenceEngine, Scenario, Workload, sample
from workbench.tables import Outcome

PS: dict[str, Any] = {"discipline": "ps"}
MIXED: list[dict[str, Any]] = [
    {"name": "shared", "count": 2, "slots": 3, "speed": 0.7, "queue_limit": 2, "delay": "20ms"} | PS,
    {"name": "plain", "count": 2, "slots": 2, "queue_limit": 3},
]
CASES: dict[str, dict[str, Any]] = {
    "one slot": {"pool": {"count": 3} | PS, "arrivals": {"kind": "poisson", "rate": 2.5}},
    "equal times": {
        "pool": {"count": 2} | PS,
        "arrivals": {"kind": "uniform", "rate": 2},
        "service": {"kind": "empirical", "values": [0.25, 0.5, 2.0]},
    },
    "mixed": {"pool": MIXED, "arrivals": {"kind": "poisson", "rate": 9}},
    "overload": {"pool": {"count": 2} | PS, "arrivals": {"kind": "poisson", "rate": 4}},
    "closed": {
        "pool": {"count": 4, "slots": 2} | PS,
        "arrivals": {"kind": "closed_loop", "users": 30, "think": {"kind": "exponential", "mean": 2}},
    },
    "refreshed": {
        "pool": {"count": 4} | PS,
        "balancers": THREE | {"view": "refreshed", "refresh_every": "700ms"},
    },
}


def shared(case: str, strategy: str = "join_shortest_queue", horizon: str = "600 requests") -> Scenario:
    return make_scenario(strategy, **{"horizon": horizon} | CASES[case])


def ends_by_remaining_work(scenario: Scenario, records: Records) -> np.ndarray:
    """Let all remaining work of every server shrink from one event to the next."""
    demand = Workload(scenario).arrays().demand
    pool, finish = scenario.servers(), np.full(len(records), math.nan)
    for server in range(pool.count):
        let_in = np.flatnonzero((records.server == server) & (records.outcome == Outcome.OK))
        left: dict[int, float] = {}
        now = 0.0

        def go_on(until: float, left: dict[int, float], now: float, server: int) -> float:
            while left:
                speed = pool.speed[server] * min(1.0, pool.slots[server] / len(left))
                first = min(left, key=lambda request: left[request])
                end = now + left[first] / speed
                for request in left:
                    left[request] -= (min(end, until) - now) * speed
                if end > until:
                    break
                now = end
                finish[first] = end
                del left[first]
            return until

        for request in let_in:
            now = go_on(records.arrival[request] + pool.delay[server], left, now, server)
            left[int(request)] = float(demand[request])
        go_on(math.inf, left, now, server)
    return finish


@pytest.mark.parametrize("case", ["one slot", "overload", "refreshed"])
def test_requests_end_when_their_remaining_work_has_shrunk_to_nothing(case: str):
    scenario = shared(case, "random")
    records = ReferenceEngine().run(Workload(scenario))
    np.testing.assert_allclose(records.finish, ends_by_remaining_work(scenario, records), rtol=1e-9)


def test_wait_is_what_sharing_costs_and_service_is_the_demand_at_full_speed():
    scenario = make_scenario(
        "random", pool={"count": 1, "slots": 2, "speed": 0.5} | PS, horizon="300 requests"
    )
    records = ReferenceEngine().run(Workload(scenario))
    demand = Workload(scenario).arrays().demand
    np.testing.assert_allclose(records.finish - records.begin, demand / 0.5, rtol=1e-9)
    assert (records.wait >= 0).all()
    assert (records.begin >= records.arrival).all()


def test_a_bounded_queue_refuses_what_exceeds_slots_and_queue():
    pool = {"count": 1, "slots": 2, "queue_limit": 1} | PS
    scenario = make_scenario("random", pool=pool, arrivals={"kind": "poisson", "rate": 6})
    records = ReferenceEngine().run(Workload(scenario))
    refused = records.outcome == Outcome.REFUSED
    assert refused.any()
    for request in range(len(records)):
        earlier = slice(0, request)
        inside = np.count_nonzero(records.finish[earlier] > records.arrival[request])
        assert refused[request] == (inside >= 3), request
        assert records.queue_depth[request] == max(0, inside - 2)


def test_samples_split_those_who_share_into_slots_and_queue():
    scenario = make_scenario("random", pool={"count": 1, "slots": 2} | PS, horizon="500 requests")
    records = ReferenceEngine().run(Workload(scenario))
    table = sample(records, scenario).to_pandas()
    assert table.utilisation.between(0, 1).all()
    length = table.interval_us.to_numpy() / 1e6
    assert ((table.queue_depth + table.in_service) * length).sum() == pytest.approx(records.area, rel=1e-4)
    demand = Workload(scenario).arrays().demand.sum()
    assert (table.in_service * length).sum() == pytest.approx(demand, rel=1e-4)
    assert table.queue_max.max() == max(0, records.queue_depth.max() + 1)
    waited = table[table.oldest_us > 0]
    assert len(waited) > 0
    assert (waited.oldest_us <= 1e6 * records.response.max() + 1).all()


@pytest.mark.parametrize(
    "case", ["mixed", *(pytest.param(case, marks=pytest.mark.slow) for case in CASES if case != "mixed")]
)
@pytest.mark.slow
def test_the_compiled_engine_gives_the_same_records(case: str):
    check(shared(case, horizon="3k requests"))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    case=st.sampled_from([case for case in CASES if case != "refreshed"]),
    size=st.sampled_from([1, 7, 65_536]),
    seed=st.integers(0, 2**40),
)
def test_the_records_are_the_same_in_chunks_of_any_size(case: str, size: int, seed: int):
    check_in_chunks(shared(case).model_copy(update={"seed": seed}), size)


def test_ends_that_have_moved_do_not_fill_the_agenda():
    pool, arrivals = {"count": 1} | PS, {"kind": "poisson", "rate": 3}
    scenario = make_scenario("join_shortest_queue", pool=pool, arrivals=arrivals, horizon="3k requests")
    check_in_chunks(scenario, 7)


@pytest.mark.slow
@pytest.mark.parametrize(
    "service",
    [
        {"kind": "deterministic", "value": 1},
        {"kind": "exponential", "mean": 1},
        {"kind": "erlang", "mean": 1, "stages": 3},
        {"kind": "hyperexponential", "mean": 1, "cv2": 4},
    ],
    ids=lambda service: service["kind"],
)
def test_the_mean_response_time_does_not_depend_on_the_distribution_of_demand(service: dict[str, Any]):
    """M/G/1-PS: E[S] / (1 - rho) = 5, inside a 99 % interval by 30 batches of one run with a fixed seed."""
    scenario = make_scenario(
        "random",
        pool={"count": 1} | PS,
        arrivals={"kind": "poisson", "rate": 0.8},
        service=service,
        horizon="3M requests",
        seed=11,
    )
    response = CompiledEngine().run(Workload(scenario)).response[300_000:]
    batches = response[: len(response) // 30 * 30].reshape(30, -1).mean(axis=1)
    half_width = 2.756 * batches.std(ddof=1) / math.sqrt(30)  # t, 29 degrees of freedom
    assert half_width < 0.3
    assert abs(batches.mean() - 5.0) < half_width


@pytest.mark.parametrize(
    "changes",
    [
        {"faults": {"kind": "crash", "at": "5s", "lasts": "5s"}},
        {"clients": {"timeout": "5s"}},
        {"pool": [{"count": 1} | PS, {"priority": 1}]},
    ],
)
def test_what_may_fail_is_refused_with_a_reason(changes: dict[str, Any]):
    with pytest.raises((DocumentError, InputError), match="`discipline: ps` where nothing fails"):
        make_scenario("random", **{"pool": {"count": 2} | PS} | changes)
