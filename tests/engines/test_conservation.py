"""Under whatever fails: every request ends once, no attempt is lost, and nothing is left in flight."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck as Health
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.engines.failing import Finished, simulate
from tests.simulated import KEYS
from workbench.simulate.events import events_table
from workbench.simulate.outages import outages_table
from workbench.simulate.sampling import sample
from workbench.simulate.summary import summarise
from workbench.tables import Outcome

STRATEGIES = [
    "round_robin",
    "join_shortest_queue",
    "join_idle_queue",
    "least_work_left",
    "prequal",
    "nginx.round_robin",
    "nginx.least_conn",
    "nginx.hash_consistent",
    "haproxy.roundrobin",
    "haproxy.leastconn",
    "haproxy.first",
    "haproxy.random",
    "haproxy.source",
    "envoy.least_request",
    "envoy.ring_hash",
    "finagle.p2c_peak_ewma",
]
CHECKS = [
    None,
    {"kind": "haproxy.check", "inter": 0.7, "fastinter": 0.2},
    {
        "kind": "envoy.health_check",
        "timeout": 0.3,
        "interval": 0.6,
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "queued": True,
    },
    {"kind": "nginx_plus.health_check", "interval": 0.5, "mandatory": True, "demand": 0.01},
]
DETECTORS = [
    None,
    {"kind": "nginx.max_fails", "fail_timeout": 2, "unsuccessful": ["http_500"]},
    {"kind": "envoy.outlier_detection", "consecutive_5xx": 2, "interval": 1, "max_ejection_percent": 60},
    {"kind": "finagle.failure_accrual", "policy": "consecutive_failures", "consecutive_failures": 2},
]
RETRIES = [
    None,
    "none",
    "nginx",
    "grpc",
    {"kind": "haproxy", "redispatch": 1, "server_timeout": 2},
    {"kind": "envoy", "num_retries": 3, "per_try_timeout": 0.4, "previous_hosts": True, "budget_percent": 20},
    {"kind": "finagle", "on": ["unreachable", "reset", "timeout", "server_error"], "most": 4},
    {"kind": "plain", "most": 4, "wait": 0.05, "budget": 0.3, "jitter": "equal"},
]
SLOW_STARTS = [
    None,
    {"kind": "haproxy.slowstart", "slowstart": 3},
    {"kind": "envoy.slow_start", "slow_start_window": 2},
]
FAULTS = [
    "crash",
    "slow",
    "hang",
    "failing",
    "delay",
    "partition",
    "drain",
    "rolling_restart",
    "reload",
    "interrupt",
]
FAILOVER = [None, None, "in_order", "nginx.backup", "haproxy.backup", "envoy.priorities"]


FUZZ: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [Health.too_slow, Health.data_too_large],
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
}


def times(draw: Any) -> dict[str, Any]:
    """Draw when a fault comes and goes; every one has an end."""
    if draw(st.booleans()):
        return {"at": draw(st.floats(0, 8)), "lasts": draw(st.floats(0.05, 4))}
    return {
        "time_to_failure": {"kind": "exponential", "mean": draw(st.floats(0.5, 5))},
        "time_to_repair": draw(st.floats(0.05, 2)),
    }


@st.composite
def faults(draw: Any) -> dict[str, Any]:
    kind = draw(st.sampled_from(FAULTS))
    if kind == "reload":
        return {"kind": kind, "every": draw(st.floats(0.5, 5))}
    if kind == "rolling_restart":
        spans = {name: draw(st.floats(0.1, 1)) for name in ("drain", "down", "between")}
        return {"kind": kind, "at": draw(st.floats(0, 5)), **spans}
    if kind == "interrupt":
        mean = {"kind": "exponential", "mean": draw(st.floats(0.2, 2))}
        return {"kind": kind, "time_to_failure": mean, "time_to_repair": draw(st.floats(0.1, 1))}
    own = {
        "slow": {"factor": 0.2},
        "delay": {"by": 0.1},
        "failing": {"after": draw(st.sampled_from([0.0, 0.2])), "share": draw(st.sampled_from([0.5, 1.0]))},
        "partition": {"balancers": [0]} if draw(st.booleans()) else {},
    }.get(kind, {})
    return {
        "kind": kind,
        "servers": draw(st.sampled_from(["*", "server-0", "server-1"])),
        **own,
        **times(draw),
    }


@st.composite
def clients(draw: Any) -> dict[str, Any]:
    optional: dict[str, Any] = {
        "timeout": st.floats(0.2, 3),
        "deadline": st.floats(0.5, 6),
        "patience": st.just({"kind": "exponential", "mean": 0.5}),
        "retries": st.sampled_from(
            [{"kind": "plain", "wait": 0.1}, {"kind": "envoy", "num_retries": 2, "budget_percent": 20}]
        ),
        "hedge_after": st.floats(0.1, 1),
    }
    return {key: draw(value) for key, value in optional.items() if draw(st.booleans())}


@st.composite
def scenarios(draw: Any) -> dict[str, Any]:
    limited = draw(st.booleans())
    group: dict[str, Any] = {
        "count": draw(st.integers(2, 4)),
        "slots": draw(st.integers(1, 2)),
        "gives_up": draw(st.sampled_from(["nothing", "waiting", "all"])),
        "queue_limit": draw(st.sampled_from([None, 0, 2])),
    }
    if limited:
        group |= {"limit": draw(st.integers(1, 3)), "least_limit": draw(st.sampled_from([None, 1]))}
    pool = [group]
    if draw(st.booleans()):
        pool.append({"name": "spare", "priority": 1, "limit": 2 if limited else None})
    view = draw(st.sampled_from(["private", "shared", "refreshed"]))
    balancers: dict[str, Any] = {
        "strategy": draw(st.sampled_from(STRATEGIES)),
        "count": draw(st.integers(1, 3)),
        "view": view,
        "checks": draw(st.sampled_from(CHECKS)),
        "detector": draw(st.sampled_from(DETECTORS)),
        "retries": draw(st.sampled_from(RETRIES)),
        "slow_start": draw(st.sampled_from(SLOW_STARTS)),
        "failover": draw(st.sampled_from(FAILOVER)),
        "breaker": draw(st.sampled_from([None, {"max_requests": 5}])),
        "queue": draw(st.sampled_from([None, {}, {"limit": 2}, {"timeout": 0.5}])),
    }
    if view == "refreshed":
        balancers["refresh_every"] = draw(st.floats(0.3, 2))
    arrivals: dict[str, Any] = {"kind": "poisson", "rate": draw(st.floats(5, 30))}
    if draw(st.integers(0, 4)) == 0:
        arrivals = {"kind": "closed_loop", "users": 12, "think": {"kind": "exponential", "mean": 0.5}}
    return {
        "arrivals": arrivals,
        "service": {"kind": "exponential", "mean": 0.15},
        "pool": pool,
        "balancers": {key: value for key, value in balancers.items() if value is not None},
        "keys": KEYS,
        "clients": draw(clients()),
        "network": draw(st.sampled_from([{}, {"delay": 0.02}, {"refused_after": 0.001}])),
        "faults": draw(st.lists(faults(), max_size=4)),
        "horizon": "150 requests",
        "seed": draw(st.integers(1, 1000)),
    }


def assert_nothing_is_lost(done: Finished) -> None:
    run, records = done
    kept = records.attempts
    assert kept is not None
    assert not run.asking
    assert run.in_system == 0
    assert len(records) == 150
    assert np.isfinite(records.answered).all()
    assert (records.answered >= records.arrival).all()
    assert not np.isin(records.outcome, [Outcome.CANCELLED]).any()
    assert set(kept.request) == set(range(len(records)))
    assert np.isfinite(kept.ended).all()
    assert (kept.came >= records.arrival[kept.request]).all()
    assert (kept.ended <= records.answered[kept.request]).all()
    assert_times_are_in_order(done)
    answers = np.flatnonzero(kept.outcome == Outcome.OK)
    assert sorted(kept.request[answers]) == sorted(np.flatnonzero(records.ok()))
    assert np.array_equal(kept.ended[answers], records.answered[kept.request[answers]])
    spent = float(records.response.sum())
    assert abs(records.area - spent) <= 1e-9 * max(spent, 1.0)


def assert_times_are_in_order(done: Finished) -> None:
    kept = done.records.attempts
    assert kept is not None
    for earlier, later in (("came", "sent"), ("sent", "begin"), ("begin", "finish"), ("sent", "ended")):
        both = np.stack([getattr(kept, earlier), getattr(kept, later)])
        both = both[:, np.isfinite(both).all(axis=0)]
        assert (both[0] <= both[1] + 1e-9).all(), (earlier, later)
    assert (kept.came <= kept.ended).all()
    assert np.isfinite(kept.sent[np.isfinite(kept.begin)]).all()
    assert ((kept.server >= 0) == np.isfinite(kept.sent)).all()
    served = done.records.ok()
    assert np.isfinite(done.records.finish[served]).all()
    assert (done.records.finish[served] <= done.records.answered[served] + 1e-9).all()


def assert_nothing_is_left(done: Finished) -> None:
    run = done.run
    count = len(run.machines)
    for machine in run.machines:
        # Once all have their end nothing more is repaired: what hangs then, hangs for nobody.
        left = [*machine.serving, *machine.waiting, *machine.erring]
        assert not left or machine.speed == 0
        assert all(attempt.over for attempt in left)
    assert run.desks[0].pool == [0] * count
    assert run.desks[0].sent == [0] * count
    for desk in run.desks:
        assert desk.calls == 0
        assert desk.budget.retrying == 0
        assert desk.room is None or len(desk.room) == 0
        # A view that is told of others still counts what they have finished since.
        if desk.settings.view != "refreshed":
            assert desk.in_flight == [0] * count
            assert desk.served == [0] * count
    assert run.client_budget.retrying == 0


@settings(max_examples=60, **FUZZ)
@given(scenarios())
def test_every_request_ends_once_and_nothing_is_left(content: dict[str, Any]):
    done = simulate(**content)
    assert_nothing_is_lost(done)
    assert_nothing_is_left(done)
    assert_tables_can_be_made(done)


def assert_tables_can_be_made(done: Finished) -> None:
    records, scenario = done.records, done.run.scenario
    assert records.attempts is not None
    attempts = records.attempts.to_table(1)
    assert attempts.num_rows == len(records.attempts)
    events_table(records.events, 1)
    outages_table(records, desks=len(done.run.desks))
    sample(records, scenario)
    pool = summarise(records, scenario).to_pylist()[0]
    assert sum(pool[outcome.label] for outcome in Outcome) == pool["requests"]
    assert pool["attempts"] >= pool["requests"]
    assert not math.isnan(pool["goodput_per_s"])


def test_a_seed_gives_the_same_run_again():
    content: dict[str, Any] = {
        "arrivals": {"kind": "poisson", "rate": 20},
        "faults": {
            "kind": "crash",
            "time_to_failure": {"kind": "exponential", "mean": 2},
            "time_to_repair": 1,
        },
        "clients": {"timeout": 1, "retries": {"kind": "plain"}},
        "horizon": "500 requests",
    }
    first, second = (simulate(**content).records for _ in range(2))
    assert first.attempts is not None
    assert second.attempts is not None
    assert np.array_equal(first.answered, second.answered)
    assert np.array_equal(first.attempts.ended, second.attempts.ended)
    other = simulate(**content | {"seed": 2}).records
    assert not np.array_equal(first.answered, other.answered)


@pytest.mark.slow
@settings(max_examples=2000, **FUZZ)
@given(scenarios())
def test_every_request_ends_once_over_thousands_of_scenarios(content: dict[str, Any]):
    done = simulate(**content)
    assert_nothing_is_lost(done)
    assert_nothing_is_left(done)
