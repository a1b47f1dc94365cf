"""Where things fail, the compiled engine gives the reference engine's records too, bit for bit."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.random import Generator

from tests.engines.failing import scenario as failing
from tests.engines.test_conservation import FUZZ, scenarios
from tests.simulated import KEYS, LABELS, build
from workbench.errors import SimulationError
from workbench.quantities import Extent
from workbench.simulate import (
    STRATEGIES,
    CompiledEngine,
    Records,
    Scenario,
    Strategy,
    Workload,
    choose_engine,
    load_scenario,
)
from workbench.simulate.engines.compiled.resilient.run import CompiledRun
from workbench.simulate.engines.reference.resilient import ResilientRun
from workbench.simulate.strategies import Memory, View

PROJECT = Path(__file__).parents[2]
COLUMNS = ("arrival", "begin", "finish", "answered", "balancer", "server", "outcome", "queue_depth", "delay")


def reference(scenario: Scenario) -> Records | str:
    """Give the records of the reference engine, or its message."""
    run = ResilientRun(Workload(scenario), None)
    try:
        run.clock.run()
        return run.records()
    except SimulationError as error:
        return str(error)


def compiled(scenario: Scenario, size: int) -> Records | str:
    """Give the records of the compiled engine, or its message."""
    try:
        return CompiledRun(Workload(scenario), size=size).go()
    except SimulationError as error:
        return str(error)


def assert_same(ours: Records | str, theirs: Records | str) -> None:
    if isinstance(ours, str) or isinstance(theirs, str):
        assert ours == theirs
        return
    assert ours.attempts is not None
    assert theirs.attempts is not None
    named = [(name, ours, theirs) for name in COLUMNS]
    named += [(field.name, ours.attempts, theirs.attempts) for field in fields(ours.attempts)]  # type: ignore[misc]
    for name, one, other in named:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
        assert getattr(one, name).dtype == getattr(other, name).dtype, name
    assert [tuple(event) for event in ours.events] == [tuple(event) for event in theirs.events]
    assert (ours.until, ours.area) == (theirs.until, theirs.area)


def check(scenario: Scenario, *, size: int = 65_536) -> Records | str:
    theirs = reference(scenario)
    assert_same(compiled(scenario, size), theirs)
    return theirs


CRASHES: dict[str, Any] = {
    "kind": "crash",
    "servers": "server-0",
    "time_to_failure": {"kind": "exponential", "mean": 3},
    "time_to_repair": 1,
}
BUSY: dict[str, Any] = {
    "arrivals": {"kind": "poisson", "rate": 20},
    "service": {"kind": "exponential", "mean": 0.15},
    "pool": {"count": 4},
    "network": {"delay": 0.01},
    "faults": CRASHES,
    "horizon": "1500 requests",
}
PLAIN_RETRIES: dict[str, Any] = {"kind": "plain", "most": 4, "wait": 0.05, "budget": 0.3, "jitter": "equal"}
CHECKS: dict[str, Any] = {"kind": "haproxy.check", "inter": 0.7, "fastinter": 0.2}
OUTLIERS: dict[str, Any] = {
    "kind": "envoy.outlier_detection",
    "consecutive_5xx": 2,
    "interval": 1,
    "max_ejection_percent": 60,
}


def balanced(**settings: Any) -> dict[str, Any]:
    return {"balancers": {"strategy": "round_robin"} | settings}


FEATURES: dict[str, dict[str, Any]] = {
    "a crash": {},
    "what is slow, fails, is far and cut off": {
        "faults": [
            {"kind": "slow", "servers": "server-0", "factor": 0.2, "at": 5, "lasts": 20},
            {"kind": "failing", "servers": "server-1", "after": 0.01, "share": 0.5, "at": 10, "lasts": 20},
            {"kind": "delay", "servers": "server-2", "by": 0.1, "at": 15, "lasts": 20},
            {"kind": "partition", "servers": "server-3", "at": 20, "lasts": 5},
        ]
    },
    "interruptions and reloads": {
        "faults": [
            {
                "kind": "interrupt",
                "servers": "*",
                "time_to_failure": {"kind": "exponential", "mean": 2},
                "time_to_repair": 0.3,
            },
            {"kind": "reload", "every": 7},
        ]
    },
    "retries without a delay": {"network": {}} | balanced(retries=PLAIN_RETRIES),
    "clients that give up and try again": {
        "clients": {
            "timeout": 0.4,
            "deadline": 2,
            "patience": {"kind": "exponential", "mean": 0.5},
            "retries": PLAIN_RETRIES,
            "hedge_after": 0.3,
        },
        "pool": {"count": 4, "gives_up": "all"},
    },
    "two balancers with checks": balanced(count=2, checks=CHECKS, retries="nginx"),
    "ejections": balanced(count=2, view="refreshed", refresh_every=0.5, detector=OUTLIERS, retries="grpc"),
    "queues, limits and a breaker": {
        "pool": [{"count": 3, "limit": 2, "least_limit": 1}, {"name": "spare", "priority": 1, "limit": 2}]
    }
    | balanced(queue={"timeout": 0.5}, breaker={"max_requests": 5}, checks=CHECKS, retries=PLAIN_RETRIES),
    "users who think, and slow start": {
        "arrivals": {"kind": "closed_loop", "users": 9, "think": {"kind": "exponential", "mean": 0.3}}
    }
    | balanced(checks=CHECKS, slow_start={"kind": "haproxy.slowstart", "slowstart": 3}),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_has_the_same_records(feature: str):
    records = check(failing(**BUSY | FEATURES[feature]), size=97)
    assert isinstance(records, Records)
    assert records.attempts is not None
    assert records.events
    assert len(records.attempts) >= 1500


def test_a_request_that_would_wait_for_ever_is_told_alike():
    hangs = {"kind": "hang", "servers": "server-0", "at": 2.5}
    assert "request 2, sent at" in str(check(failing(faults=hangs)))


def test_events_of_one_instant_happen_in_the_same_order():
    check(
        failing(
            arrivals={"kind": "uniform", "rate": 4},
            service={"kind": "empirical", "values": [0.25, 0.5, 1.0]},
            pool={"count": 3, "queue_limit": 1},
            network={"delay": 0.25},
            faults={"kind": "crash", "servers": "server-1", "at": 5, "lasts": 20},
            clients={"timeout": 2.5, "retries": {"kind": "plain", "wait": 0.25}},
            horizon="400 requests",
        )
    )


def test_progress_is_told_and_a_stop_is_heeded():
    told: list[int] = []

    def stop(done: int) -> None:
        told.append(done)
        if done > 100_000:
            raise KeyboardInterrupt

    scenario = failing(**BUSY | {"horizon": "10M requests"})
    with pytest.raises(KeyboardInterrupt):
        CompiledEngine().run(Workload(scenario), progress=stop)
    assert told == [0, 65_535, 131_071]


def test_memory_for_a_run_that_is_too_long_is_not_asked_for():
    with pytest.raises(SimulationError, match="at most 30,000,000 a run"):
        CompiledEngine().run(Workload(failing(**BUSY | {"horizon": "31M requests"})))


def test_what_fails_is_left_to_the_compiled_engine_where_it_pays():
    choice = choose_engine(failing(**BUSY | {"horizon": "200k requests"}))
    assert choice.engine.name == "compiled"


class Lost(Strategy):
    """Picks a server that there is not, from the hundredth request on."""

    kind: Literal["lost_in_failure"] = "lost_in_failure"

    @staticmethod
    def pick(view: View, rng: Generator) -> int:
        view.ints[0] += 1
        return 4 if view.ints[0] == 100 else 0

    def memory(self, servers: object, keys: object) -> Memory:
        return Memory([0], [])


def test_a_pick_that_is_no_server_ends_the_run():
    STRATEGIES.register(Lost)
    try:
        scenario = failing(**BUSY | {"balancers": {"strategy": "lost_in_failure"}})
        with pytest.raises(SimulationError, match="lost_in_failure picked 4; allowed: a usable server"):
            CompiledEngine().run(Workload(scenario))
    finally:
        del STRATEGIES._members["lost_in_failure"]


LIBRARY = (
    "black_hole",
    "newcomer_herd",
    "newcomer_herd_slow_start",
    "retry_storm",
    "retry_storm_budget",
    "rolling_restart",
    "rolling_restart_drained",
    "zone_loss",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_has_the_same_records(name: str):
    scenario = load_scenario(PROJECT / "simulations" / f"{name}.yaml")
    assert not scenario.never_fails()
    check(scenario.model_copy(update={"horizon": Extent(seconds=50.0)}))


@pytest.mark.slow
@pytest.mark.parametrize("label", LABELS)
def test_every_strategy_has_the_same_records_where_servers_crash(label: str):
    balancers = {"strategy": build(label, 4), "count": 2, "checks": CHECKS, "retries": PLAIN_RETRIES}
    check(failing(**BUSY | {"balancers": balancers, "keys": KEYS}))


@pytest.mark.slow
@settings(max_examples=60, **FUZZ)
@given(scenarios())
def test_random_scenarios_have_the_same_records(content: dict[str, Any]):
    check(failing(**content))
