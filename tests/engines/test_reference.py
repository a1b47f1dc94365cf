"""What every run of the reference engine keeps, whatever the strategy and the pool."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import Generator
from numpy.typing import NDArray

from tests.simulated import KEYS, LABELS, build, every_strategy, every_strategy_but, kind_of, only
from workbench.errors import SimulationError
from workbench.simulate import (
    STRATEGIES,
    Records,
    ReferenceEngine,
    Scenario,
    Strategy,
    Workload,
    load_scenario,
)
from workbench.simulate.strategies import View
from workbench.tables import Outcome

BASE: dict[str, Any] = {
    "name": "base",
    "arrivals": {"kind": "poisson", "rate": 3.2},
    "service": {"kind": "exponential", "mean": 1},
    "pool": {"count": 4},
    "balancers": {"strategy": "random"},
    "keys": KEYS,
    "horizon": "1500 requests",
}
SHORT = "400 requests"
MIXED = [
    {"name": "big", "count": 2, "slots": 3, "speed": 0.7, "weight": 3},
    {"name": "fast", "slots": 1, "speed": 2.5, "weight": 2},
    {"name": "idle", "weight": 0},
    {"name": "tight", "slots": 2, "speed": 0.5, "queue_limit": 1},
]
THREE: dict[str, Any] = {"strategy": "random", "count": 3}
SETTINGS: dict[str, dict[str, Any]] = {
    "open": {},
    "closed": {"arrivals": {"kind": "closed_loop", "users": 20, "think": {"kind": "exponential", "mean": 3}}},
    "closed until a time": {
        "arrivals": {"kind": "closed_loop", "users": 9, "think": {"kind": "exponential", "mean": 1}},
        "horizon": "60s",
    },
    "bounded queue": {
        "arrivals": {"kind": "poisson", "rate": 5},
        "pool": {"count": 4, "queue_limit": 1},
    },
    "no queue": {"pool": {"count": 4, "slots": 2, "queue_limit": 0}},
    "network delay": {"network": {"delay": "300ms"}, "pool": [{"count": 3}, {"delay": "200ms"}]},
    "private views": {"balancers": THREE},
    "shared view": {"balancers": THREE | {"view": "shared"}},
    "refreshed views": {"balancers": THREE | {"view": "refreshed", "refresh_every": "2s"}},
    "limits": {"arrivals": {"kind": "poisson", "rate": 5}, "pool": {"count": 4, "limit": 2}},
    "several slots": {"arrivals": {"kind": "poisson", "rate": 9}, "pool": {"count": 4, "slots": 3}},
    "equal times": {
        "arrivals": {"kind": "uniform", "rate": 4},
        "service": {"kind": "empirical", "values": [0.25, 0.5, 1.0, 2.0]},
        "network": {"delay": 0.25},
    },
    "all at once": {
        "arrivals": {"kind": "mmpp", "rates": [1, 12], "dwell": [5, 5]},
        "pool": MIXED,
        "balancers": THREE,
        "network": {"delay": "50ms"},
    },
}
every_run = pytest.mark.parametrize(
    ("label", "setting"), [(label, setting) for label in LABELS for setting in SETTINGS]
)


class Case(NamedTuple):
    """A run beside what it was made from."""

    scenario: Scenario
    demand: NDArray[np.float64]
    records: Records


def make_scenario(strategy: Strategy | str = "random", *, second: float = 1.0, **changes: Any) -> Scenario:
    """Make a scenario in which a request is sent once, or not at all."""
    content = BASE | changes
    scenario = load_scenario(content)
    if isinstance(strategy, str):
        strategy = build(strategy, scenario.servers().count, second=second)
    once: dict[str, Any] = {"strategy": strategy, "retries": "none"}
    if strategy.product == "haproxy" and any(group.limit for group in scenario.pool):
        once["queue"] = {"limit": 0}
    return load_scenario(content | {"balancers": content["balancers"] | once})


def simulate(scenario: Scenario, *, replication: int = 0) -> Records:
    return ReferenceEngine().run(Workload(scenario, replication=replication))


def make_case(scenario: Scenario) -> Case:
    records = simulate(scenario)
    chunks = Workload(scenario).chunks()
    demand = np.empty(0)
    while len(demand) < len(records):
        demand = np.concatenate((demand, next(chunks).demand))
    return Case(scenario, demand[: len(records)], records)


@cache
def case_of(label: str, setting: str) -> Case:
    return make_case(make_scenario(label, **{"horizon": SHORT} | SETTINGS[setting]))


def reached(records: Records) -> NDArray[np.float64]:
    return records.arrival + records.delay[np.maximum(records.server, 0)]


def at_server(records: Records, server: int) -> NDArray[np.int64]:
    return np.flatnonzero(records.served & (records.server == server))


def most_at_once(begin: NDArray[np.float64], end: NDArray[np.float64]) -> int:
    """Largest number present, of those who come and go at these times; who goes makes room first."""
    steps = sorted([(time, 1) for time in begin] + [(time, -1) for time in end])
    present = most = 0
    for _, step in steps:
        present += step
        most = max(most, present)
    return most


def assert_littles_law(case: Case) -> None:
    spent = float(case.records.response.sum())
    assert abs(case.records.area - spent) <= 1e-9 * spent


def assert_one_end_each(case: Case) -> None:
    records = case.records
    counts = np.bincount(records.outcome, minlength=len(Outcome))
    assert counts.sum() == len(records)
    assert len(counts) == len(Outcome)
    assert (np.diff(records.arrival) >= 0).all()
    assert (records.answered >= records.arrival).all()
    ok, refused, nowhere = (
        records.outcome == code for code in (Outcome.OK, Outcome.REFUSED, Outcome.NO_HEALTHY_SERVER)
    )
    assert np.isfinite(records.begin[ok]).all()
    assert np.isfinite(records.finish[ok]).all()
    assert np.isnan(records.begin[~ok]).all()
    assert np.isnan(records.finish[~ok]).all()
    at_balancer = refused & (records.server == -1)
    assert not at_balancer.any() or case.scenario.balancers.queue is not None
    came = ok | (refused & ~at_balancer)
    assert (records.server[came] >= 0).all()
    assert (records.queue_depth[came] >= 0).all()
    assert (records.server[nowhere] == -1).all()
    assert (records.queue_depth[nowhere | at_balancer] == -1).all()


def assert_demand_is_served_at_the_servers_speed(case: Case) -> None:
    speed = np.array(case.scenario.servers().speed)
    ok = case.records.ok()
    finish = case.records.begin[ok] + case.demand[ok] / speed[case.records.server[ok]]
    np.testing.assert_array_equal(case.records.finish[ok], finish)
    answered = finish + case.records.delay[case.records.server[ok]]
    np.testing.assert_array_equal(case.records.answered[ok], answered)


def assert_first_come_first_served(case: Case) -> None:
    for server in range(case.scenario.servers().count):
        members = at_server(case.records, server)
        order = np.lexsort((members, reached(case.records)[members]))
        assert (np.diff(case.records.begin[members][order]) >= 0).all()


def assert_slots_and_queues_are_kept(case: Case) -> None:
    pool, records = case.scenario.servers(), case.records
    for server in range(pool.count):
        members = at_server(records, server)
        assert most_at_once(records.begin[members], records.finish[members]) <= pool.slots[server]
        limit = pool.queue_limit[server]
        if limit is not None:
            waited = members[records.begin[members] > reached(records)[members]]
            assert most_at_once(reached(records)[waited], records.begin[waited]) <= limit
            assert (records.queue_depth[records.server == server] <= limit).all()


def assert_nobody_waits_beside_a_free_slot(case: Case) -> None:
    """Who waits begins the moment another request of the server ends; who is refused found it full."""
    pool, records = case.scenario.servers(), case.records
    for server in range(pool.count):
        members = at_server(records, server)
        waited = records.begin[members] > reached(records)[members]
        assert np.isin(records.begin[members][waited], records.finish[members]).all()
        for refused in np.flatnonzero((records.outcome == Outcome.REFUSED) & (records.server == server)):
            now = reached(records)[refused]
            busy = np.sum((records.begin[members] <= now) & (records.finish[members] > now))
            assert busy == pool.slots[server]
            assert records.queue_depth[refused] == pool.queue_limit[server]


def sent_to_weight_0(case: Case) -> int:
    weight = np.array(case.scenario.servers().weight)
    return int((weight[case.records.server[case.records.server >= 0]] == 0).sum())


def assert_nothing_goes_to_weight_0(case: Case) -> None:
    assert case.scenario.balancers.strategy.serves_weight_zero or sent_to_weight_0(case) == 0


INVARIANTS: tuple[Callable[[Case], None], ...] = (
    assert_littles_law,
    assert_one_end_each,
    assert_demand_is_served_at_the_servers_speed,
    assert_first_come_first_served,
    assert_slots_and_queues_are_kept,
    assert_nobody_waits_beside_a_free_slot,
    assert_nothing_goes_to_weight_0,
)


@every_run
def test_littles_law_holds_to_1e_9(label: str, setting: str):
    assert_littles_law(case_of(label, setting))


@every_run
def test_every_request_ends_once_with_a_named_outcome(label: str, setting: str):
    assert_one_end_each(case_of(label, setting))


@every_run
def test_a_service_takes_the_demand_divided_by_the_speed(label: str, setting: str):
    assert_demand_is_served_at_the_servers_speed(case_of(label, setting))


@every_run
def test_each_server_serves_in_the_order_of_coming(label: str, setting: str):
    assert_first_come_first_served(case_of(label, setting))


@every_run
def test_no_server_exceeds_its_slots_or_its_queue_limit(label: str, setting: str):
    assert_slots_and_queues_are_kept(case_of(label, setting))


@every_run
def test_nobody_waits_or_is_refused_beside_a_free_slot(label: str, setting: str):
    assert_nobody_waits_beside_a_free_slot(case_of(label, setting))


SERVES_WEIGHT_0 = {
    "grpc.weighted_round_robin": "weight 0 is a load that is not known yet, and has the mean weight",
}


def test_a_strategy_that_serves_weight_0_says_so():
    assert {label for label in LABELS if kind_of(label).serves_weight_zero} == set(SERVES_WEIGHT_0)


@every_strategy_but(SERVES_WEIGHT_0)
def test_a_server_of_weight_0_is_sent_nothing(label: str):
    assert sent_to_weight_0(case_of(label, "all at once")) == 0


@only(SERVES_WEIGHT_0)
def test_a_server_of_weight_0_has_the_mean_of_the_others(label: str):
    pool = [{"weight": 1}, {"weight": 0}, {"weight": 3}]
    server = simulate(make_scenario(label, pool=pool, horizon="600 requests")).server
    np.testing.assert_allclose(np.bincount(server), [100, 200, 300], atol=1)


def most_in_flight(records: Records, server: int) -> int:
    here = (records.server == server) & records.ok()
    return most_at_once(records.arrival[here], records.answered[here])


@every_strategy
def test_no_server_has_more_in_flight_than_its_limit(label: str):
    records = case_of(label, "limits").records
    assert [most_in_flight(records, server) for server in range(4)] == [2] * 4
    assert np.isin(records.outcome, (Outcome.NO_HEALTHY_SERVER, Outcome.REFUSED)).any()


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Small scenarios with coarse times, so that events often coincide."""
    group = st.fixed_dictionaries(
        {
            "count": st.integers(1, 3),
            "slots": st.integers(1, 3),
            "speed": st.sampled_from([0.5, 1.0, 1.7, 2.0]),
            "weight": st.integers(0, 3),
            "queue_limit": st.none() | st.integers(0, 3),
            "limit": st.none() | st.integers(1, 4),
            "delay": st.sampled_from([0.0, 0.0, 0.25, 0.3]),
        }
    )
    groups = draw(st.lists(group, min_size=1, max_size=3).filter(lambda gs: any(g["weight"] for g in gs)))
    arrivals = draw(
        st.sampled_from(
            [
                {"kind": "poisson", "rate": 4},
                {"kind": "uniform", "rate": 4},
                {"kind": "gamma", "rate": 4, "cv2": 5},
                {"kind": "closed_loop", "users": 6, "think": {"kind": "deterministic", "value": 0.5}},
                {"kind": "closed_loop", "users": 3, "think": {"kind": "exponential", "mean": 0.4}},
            ]
        )
    )
    service = draw(
        st.sampled_from(
            [
                {"kind": "exponential", "mean": 1},
                {"kind": "deterministic", "value": 0.5},
                {"kind": "empirical", "values": [0.0, 0.25, 0.5, 3.0]},
                {"kind": "pareto", "least": 0.2, "alpha": 1.3},
            ]
        )
    )
    balancers = {
        "strategy": "random",
        "count": draw(st.integers(1, 3)),
        "view": draw(st.sampled_from(["private", "shared", "refreshed"])),
    }
    if balancers["view"] == "refreshed":
        balancers["refresh_every"] = draw(st.sampled_from([0.25, 1.7]))
    return make_scenario(
        draw(st.sampled_from(LABELS)),
        pool=groups,
        arrivals=arrivals,
        service=service,
        balancers=balancers,
        network={"delay": draw(st.sampled_from([0.0, 0.0, 0.25]))},
        horizon=draw(st.sampled_from(["1 requests", "150 requests", "30s"])),
        seed=draw(st.integers(0, 2**63 - 1)),
    )


@given(scenarios())
@settings(max_examples=150)
def test_random_scenarios_keep_every_invariant(scenario: Scenario):
    case = make_case(scenario)
    for invariant in INVARIANTS:
        invariant(case)


def table_bytes(records: Records) -> bytes:
    sink = pa.BufferOutputStream()
    table = records.to_table(1)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@every_run
def test_the_same_seed_gives_the_same_bytes(label: str, setting: str):
    case = case_of(label, setting)
    again = simulate(make_scenario(label, **{"horizon": SHORT} | SETTINGS[setting]))
    assert again.to_table(1).equals(case.records.to_table(1), check_metadata=True)
    assert table_bytes(again) == table_bytes(case.records)
    for name in ("arrival", "begin", "finish", "answered"):
        assert getattr(again, name).tobytes() == getattr(case.records, name).tobytes()


def test_another_process_gives_the_same_bytes():
    program = f"""
import hashlib
from workbench.simulate import ReferenceEngine, Workload, load_scenario
records = ReferenceEngine().run(Workload(load_scenario({BASE | SETTINGS["all at once"]!r})))
print(hashlib.sha256(records.answered.tobytes() + records.server.tobytes()).hexdigest())
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    here = simulate(make_scenario(**SETTINGS["all at once"]))
    assert found == {hashlib.sha256(here.answered.tobytes() + here.server.tobytes()).hexdigest()}


@pytest.mark.parametrize("change", [{"seed": 2}, {"replication": 1}])
def test_another_seed_or_replication_gives_other_requests(change: dict[str, int]):
    first = simulate(make_scenario())
    scenario = make_scenario(seed=change.get("seed", 1))
    other = simulate(scenario, replication=change.get("replication", 0))
    assert not np.isin(first.arrival, other.arrival).any()
    assert not np.isin(first.finish - first.begin, other.finish - other.begin).any()


@every_strategy
def test_strategies_see_the_same_requests(label: str):
    plain, other = case_of("random", "private views"), case_of(label, "private views")
    np.testing.assert_array_equal(plain.records.arrival, other.records.arrival)
    np.testing.assert_array_equal(plain.records.balancer, other.records.balancer)
    np.testing.assert_array_equal(plain.demand, other.demand)


@pytest.mark.parametrize("setting", ["open", "several slots"])
def test_least_work_left_waits_as_in_one_central_queue(setting: str):
    apart = make_scenario("least_work_left", **SETTINGS[setting] | {"horizon": "20k requests"})
    slots = sum(apart.servers().slots)
    central = make_scenario(**SETTINGS[setting] | {"horizon": "20k requests", "pool": {"slots": slots}})
    waits = simulate(apart).wait
    assert waits.mean() > 0.05
    np.testing.assert_allclose(waits, simulate(central).wait, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("speeds", [[1.0, 1.0], [0.5, 2.0, 1.0]])
def test_round_robin_waits_follow_lindleys_recursion(speeds: list[float]):
    case = make_case(make_scenario("round_robin", pool=[{"speed": speed} for speed in speeds]))
    free = [0.0] * len(speeds)
    for request, (now, demand) in enumerate(zip(case.records.arrival, case.demand, strict=True)):
        server = request % len(speeds)
        begin = max(now, free[server])
        free[server] = begin + demand / speeds[server]
        assert case.records.server[request] == server
        assert case.records.begin[request] == begin
        assert case.records.finish[request] == free[server]


def scaled(factor: float, arrivals: str) -> dict[str, Any]:
    rates = {
        "poisson": {"kind": "poisson", "rate": 3.2 / factor},
        "mmpp": {"kind": "mmpp", "rates": [1 / factor, 6 / factor], "dwell": [10 * factor, 8 * factor]},
        "closed": {
            "kind": "closed_loop",
            "users": 15,
            "think": {"kind": "lognormal", "mean": 3 * factor, "cv2": 2},
        },
    }
    return {
        "arrivals": rates[arrivals],
        "service": {"kind": "hyperexponential", "mean": factor, "cv2": 3},
        "network": {"delay": 0.1 * factor},
        "horizon": SHORT,
    }


ROUNDS_TIMES = {
    "nginx.least_time": "response times count in whole milliseconds, in steps of 20 ms and up to 5 s",
}


@pytest.mark.parametrize("arrivals", ["poisson", "mmpp", "closed"])
@every_strategy_but(ROUNDS_TIMES)
def test_scaling_time_scales_every_wait(label: str, arrivals: str):
    plain = simulate(make_scenario(label, **scaled(1.0, arrivals)))
    slower = simulate(make_scenario(label, second=7.0, **scaled(7.0, arrivals)))
    np.testing.assert_array_equal(slower.server, plain.server)
    np.testing.assert_allclose(slower.wait, 7.0 * plain.wait, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(slower.response, 7.0 * plain.response, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("replication", range(3))
def test_knowing_more_queues_is_better(replication: int):
    changes: dict[str, Any] = {
        "arrivals": {"kind": "poisson", "rate": 7.2},
        "pool": {"count": 8},
        "horizon": "20k requests",
    }
    means = [
        simulate(make_scenario(label, **changes), replication=replication).response.mean()
        for label in (
            "least_work_left",
            "join_shortest_queue",
            "power_of_two(choices=3)",
            "power_of_two",
            "power_of_two(choices=1)",
        )
    ]
    assert means == sorted(means)
    blind = simulate(make_scenario("random", **changes), replication=replication).response.mean()
    assert blind > means[-2]
    assert blind == pytest.approx(means[-1], rel=0.25)


HASHES_NAMES = {
    "consistent_hash_bounded_loads": "a server's points on the ring are hashes of its name",
    "envoy.maglev": "a server's order of slots is a hash of its name",
    "envoy.ring_hash": "a server's points on the ring are hashes of its name",
    "nginx.hash_consistent": "a server's points on the ring are hashes of its name",
}


@every_strategy_but(HASHES_NAMES)
def test_renaming_servers_changes_nothing(label: str):
    pools = [[{"name": name, "count": 3}, {"name": name[::-1] * 2, "speed": 2}] for name in ("alpha", "zeta")]
    first, second = (simulate(make_scenario(label, pool=pool, horizon=SHORT)) for pool in pools)
    assert first.to_table(0).equals(second.to_table(0))


@only(HASHES_NAMES)
def test_a_hashed_server_keeps_its_requests_wherever_it_stands_in_the_pool(label: str):
    names = ["a", "b", "c", "d"]
    first, second = (
        simulate(make_scenario(label, pool=[{"name": name} for name in order], horizon=SHORT))
        for order in (names, names[::-1])
    )
    np.testing.assert_array_equal(second.server, 3 - first.server)
    assert len(np.unique(first.server)) == 4


@every_strategy
def test_splitting_a_group_changes_nothing(label: str):
    pools = ({"count": 4}, [{"count": 3}, {"name": "server-3"}])
    one, split = (simulate(make_scenario(label, pool=pool, horizon=SHORT)) for pool in pools)
    assert one.to_table(0).equals(split.to_table(0))


@every_strategy
def test_network_delay_adds_both_ways_to_the_response_of_an_idle_pool(label: str):
    idle: dict[str, Any] = {
        "arrivals": {"kind": "uniform", "rate": 0.01},
        "service": {"kind": "empirical", "values": [1, 2, 3]},
        "horizon": SHORT,
    }
    near = simulate(make_scenario(label, **idle))
    far = simulate(
        make_scenario(label, **idle, network={"delay": "250ms"}, pool={"count": 4, "delay": "125ms"})
    )
    np.testing.assert_allclose(far.response, near.response + 2 * 0.375, rtol=1e-9)
    assert not far.wait.any()


def test_network_delay_does_not_change_waits_where_picks_ignore_the_view():
    near, far = (simulate(make_scenario("round_robin", network={"delay": delay})) for delay in ("0s", "2s"))
    np.testing.assert_allclose(far.wait, near.wait, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(far.response, near.response + 4, rtol=1e-9)


def pick_first_idle(view: View, rng: Generator) -> int:
    for server in range(len(view.in_flight)):
        if view.in_flight[server] == 0:
            return server
    return len(view.in_flight) - 1


class FirstIdle(Strategy):
    """A user's own strategy: the first server that has nothing in flight, else the last."""

    kind: Literal["first_idle"] = "first_idle"
    pick: ClassVar[Any] = staticmethod(pick_first_idle)


PACED: dict[str, Any] = {
    "arrivals": {"kind": "uniform", "rate": 1},
    "horizon": "50 requests",
}


@pytest.mark.parametrize("delay", [0.0, 0.25])
def test_at_equal_times_answers_come_before_arrivals(delay: float):
    """Each answer comes at the instant of the next arrival, so the first server is always seen idle."""
    service = {"kind": "deterministic", "value": 1 - 2 * delay}
    records = simulate(make_scenario(FirstIdle(), **PACED, service=service, network={"delay": delay}))
    np.testing.assert_array_equal(records.answered[:-1], records.arrival[1:])
    assert not records.server.any()


@pytest.mark.parametrize("delay", [0.0, 0.25])
def test_at_equal_times_a_slot_is_freed_before_it_is_asked_for(delay: float):
    """Each service ends at the instant when the next request reaches the only slot."""
    records = simulate(
        make_scenario(
            **PACED,
            service={"kind": "deterministic", "value": 1},
            pool={"queue_limit": 0},
            network={"delay": delay},
        )
    )
    np.testing.assert_array_equal(records.finish[:-1], reached(records)[1:])
    assert records.ok().all()
    assert not records.wait.any()


def test_at_equal_times_requests_reach_a_server_before_others_arrive():
    """The way takes as long as a gap between arrivals: the work of each request is known to the next."""
    records = simulate(
        make_scenario(
            "least_work_left",
            **PACED | {"horizon": "4 requests"},
            service={"kind": "deterministic", "value": 100},
            network={"delay": 1},
        )
    )
    assert records.server.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("delay", [0.0, 0.25])
def test_of_one_instant_the_request_that_was_sent_first_comes_first(delay: float):
    """All users think equally long, so all requests are sent at once."""
    records = simulate(
        make_scenario(
            arrivals={"kind": "closed_loop", "users": 5, "think": {"kind": "deterministic", "value": 1}},
            service={"kind": "deterministic", "value": 0.5},
            pool={},
            network={"delay": delay},
            horizon="5 requests",
        )
    )
    assert records.arrival.tolist() == [1.0] * 5
    assert (records.begin - delay).tolist() == [1.0, 1.5, 2.0, 2.5, 3.0]


@every_strategy
def test_a_time_horizon_keeps_exactly_the_arrivals_until_then(label: str):
    whole = simulate(make_scenario(label, horizon="500 requests"))
    cut = simulate(make_scenario(label, horizon="100s"))
    expected = whole.arrival[whole.arrival <= 100]
    np.testing.assert_array_equal(cut.arrival, expected)
    np.testing.assert_array_equal(cut.server, whole.server[: len(expected)])
    assert cut.until == 100
    assert np.isfinite(cut.answered).all()


@pytest.mark.parametrize("setting", ["open", "closed", "network delay"])
def test_a_horizon_of_requests_is_exact(setting: str):
    records = simulate(make_scenario(**SETTINGS[setting] | {"horizon": "777 requests"}))
    assert len(records) == 777
    assert records.until == records.arrival[-1]


def test_a_horizon_before_the_first_arrival_gives_an_empty_run():
    records = simulate(make_scenario(horizon="1us"))
    assert len(records) == 0
    assert records.drained == 0
    assert records.to_table(0).num_rows == 0


def test_users_of_a_closed_loop_wait_for_their_answers():
    records = case_of("random", "closed until a time").records
    assert most_at_once(records.arrival, records.answered) <= 9
    assert records.arrival.max() <= 60
    assert len(records) > 150


def test_a_single_user_thinks_between_answer_and_next_request():
    closed = {"kind": "closed_loop", "users": 1, "think": {"kind": "exponential", "mean": 2}}
    scenario = make_scenario(arrivals=closed)
    records = simulate(scenario)
    thinks = Workload(scenario).arrays().arrival
    before = np.concatenate(([0.0], records.answered[:-1]))
    np.testing.assert_array_equal(records.arrival, before + thinks)
    assert not records.wait.any()


def test_a_private_view_counts_only_what_the_balancer_sent():
    """Two balancers send to two idle servers: with private views to the same one, with a shared view not."""
    changes: dict[str, Any] = {
        "arrivals": {"kind": "uniform", "rate": 1},
        "service": {"kind": "deterministic", "value": 1000},
        "pool": {"count": 2},
        "horizon": "2 requests",
    }
    servers = {"private": set(), "shared": set()}
    for seed in range(20):
        for view, seen in servers.items():
            balancers = {"strategy": "random", "count": 2, "view": view}
            records = simulate(make_scenario(FirstIdle(), **changes, balancers=balancers, seed=seed))
            if records.balancer[0] != records.balancer[1]:
                seen.add(tuple(records.server.tolist()))
    assert servers == {"private": {(0, 0)}, "shared": {(0, 1)}}


def test_requests_come_to_each_balancer_equally_often():
    records = simulate(make_scenario(balancers=THREE))
    counts = np.bincount(records.balancer, minlength=3)
    assert len(counts) == 3
    assert (np.abs(counts - 500) < 4.4 * np.sqrt(1500 * 2 / 9)).all()  # 1e-5, two-sided


class Stubborn(Strategy):
    """A user's own strategy that always gives the same answer."""

    kind: Literal["stubborn"] = "stubborn"
    pick: ClassVar[Any] = staticmethod(lambda view, rng: view.ints[0])
    answer: int = 0

    def memory(self, servers: Any, keys: Any) -> Any:
        return super().memory(servers, keys)._replace(ints=[self.answer])


def test_a_pick_beyond_the_pool_is_an_error_that_names_the_strategy():
    with pytest.raises(SimulationError, match=r"strategy stubborn picked (server )?4\b"):
        simulate(make_scenario(Stubborn(answer=4)))


@pytest.mark.parametrize("answer", [None, 0.0, "first"])
def test_a_pick_that_is_no_number_is_an_error_that_names_the_strategy(answer: Any):
    with pytest.raises(SimulationError, match="strategy stubborn picked"):
        simulate(make_scenario(Stubborn.model_construct(kind="stubborn", answer=answer)))


def test_a_pick_of_a_server_that_may_not_be_picked_is_an_error():
    with pytest.raises(SimulationError, match="strategy stubborn picked"):
        simulate(make_scenario(Stubborn(answer=1), pool=[{}, {"weight": 0}]))


def test_a_pick_of_none_is_an_outcome_of_its_own():
    records = simulate(make_scenario(Stubborn(answer=-1)))
    assert (records.outcome == Outcome.NO_HEALTHY_SERVER).all()
    np.testing.assert_array_equal(records.answered, records.arrival)
    table = records.to_table(0)
    assert table["server_id"].null_count == table["queue_depth"].null_count == len(records)


def test_every_request_is_sent_where_the_strategy_says():
    records = simulate(make_scenario(Stubborn(answer=2)))
    assert (records.server == 2).all()


def test_progress_counts_up_to_the_number_of_requests():
    told: list[int] = []
    scenario = make_scenario(horizon="30k requests")
    ReferenceEngine().run(Workload(scenario), progress=told.append)
    assert len(told) > 2
    assert all(earlier < later for earlier, later in pairwise(told))
    assert told[-1] <= 30_000


def test_a_strategy_that_fails_is_an_error_that_names_it_and_keeps_the_cause(monkeypatch: pytest.MonkeyPatch):
    def fail(view: View, rng: Generator) -> int:
        raise ZeroDivisionError("no servers to divide by")

    monkeypatch.setattr(STRATEGIES["random"], "pick", staticmethod(fail))
    with pytest.raises(SimulationError, match="strategy random failed: ZeroDivisionError") as error:
        ReferenceEngine().run(Workload(load_scenario(BASE | {"balancers": {"strategy": "random"}})))
    assert isinstance(error.value.__cause__, ZeroDivisionError)
