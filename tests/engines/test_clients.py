"""Clients event by event: timeouts, deadlines, patience, hedging, and tries of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.engines.failing import ABANDONED, CANCELLED, ERROR, OK, TIMEOUT, Sent, simulate

ONE: dict[str, Any] = {"count": 1}
LONG = {"kind": "deterministic", "value": 3}
FAILING = {"kind": "failing", "at": 0}


def test_without_settings_clients_wait_and_never_retry():
    done = simulate(pool=ONE, service=LONG, horizon="3 requests")
    assert done.answered() == [4.0, 7.0, 10.0]
    assert simulate(faults=FAILING, horizon="2 requests").outcomes() == [ERROR, ERROR]


@pytest.mark.parametrize(
    ("gives_up", "finish"),
    [("nothing", [4.0, 7.0]), ("waiting", [4.0, math.nan]), ("all", [2.0, 3.0])],
)
def test_what_a_server_does_for_clients_that_have_gone(gives_up: str, finish: list[float]):
    done = simulate(
        pool=ONE | {"gives_up": gives_up}, service=LONG, clients={"timeout": 1}, horizon="2 requests"
    )
    assert done.outcomes() == [TIMEOUT, TIMEOUT]
    assert done.answered() == [2.0, 3.0]
    assert [one.outcome for request in (0, 1) for one in done.attempts(request)] == [CANCELLED, CANCELLED]
    kept = done.records.attempts
    assert kept is not None
    assert np.array_equal(kept.finish, finish, equal_nan=True)


@pytest.mark.parametrize(("gives_up", "begins"), [("nothing", True), ("waiting", False)])
def test_a_request_whose_client_goes_while_it_is_in_the_network(gives_up: str, begins: bool):
    done = simulate(
        pool=ONE | {"gives_up": gives_up},
        network={"delay": 0.5},
        clients={"timeout": 0.2},
        horizon="1 requests",
    )
    assert done.answered() == [1.2]
    assert done.records.attempts is not None
    assert bool(np.isfinite(done.records.attempts.begin[0])) is begins


def test_a_client_that_loses_patience_leaves_the_queue_but_not_a_service():
    patient = {"patience": {"kind": "deterministic", "value": 0.3}}
    done = simulate(
        pool=ONE, service={"kind": "deterministic", "value": 1.2}, clients=patient, horizon="4 requests"
    )
    # 0 is served from 1 to 2.2, 1 waits for 0.2 s, 2 would wait until 3.4, 3 finds the server free at 4.
    assert done.outcomes() == [OK, OK, ABANDONED, OK]
    assert done.answered() == [2.2, 3.4, 3.3, 5.2]


def test_patience_holds_at_the_balancers_queue_too():
    patient = {"patience": {"kind": "deterministic", "value": 0.3}}
    done = simulate(
        pool=ONE | {"limit": 1},
        balancers={"strategy": "haproxy.roundrobin"},
        service={"kind": "deterministic", "value": 1.2},
        clients=patient,
        horizon="4 requests",
    )
    assert done.outcomes() == [OK, OK, ABANDONED, OK]
    assert done.attempts(2) == [Sent(-1, 3.0, 3.3, ABANDONED)]


def test_a_deadline_holds_whatever_is_tried():
    clients = {
        "deadline": 1.5,
        "timeout": 0.6,
        "retries": {"kind": "plain", "wait": 0.2, "jitter": "none", "factor": 1, "most": 10},
    }
    done = simulate(pool=ONE, service=LONG, clients=clients, horizon="1 requests")
    assert done.outcomes() == [TIMEOUT]
    assert done.answered() == [2.5]
    assert done.attempts() == [
        Sent(0, 1.0, 1.6, CANCELLED),
        Sent(0, 1.8, 2.4, CANCELLED),
    ]


def test_a_deadline_ends_a_try_that_is_under_way():
    done = simulate(pool=ONE, service=LONG, clients={"deadline": 1.5}, horizon="1 requests")
    assert done.attempts() == [Sent(0, 1.0, 2.5, CANCELLED)]
    assert done.records.server[0] == 0


def test_a_client_waits_longer_before_each_further_try():
    retries = {"kind": "plain", "most": 4, "wait": 0.1, "factor": 2, "most_wait": 0.3, "jitter": "none"}
    done = simulate(clients={"retries": retries}, faults=FAILING, horizon="1 requests")
    assert [one.came for one in done.attempts()] == [1.0, 1.1, 1.3, 1.6]
    assert done.answered() == [1.6]
    assert done.records.attempts is not None
    assert done.records.attempts.call.tolist() == [0, 1, 2, 3]


def test_a_client_makes_no_try_after_its_time():
    retries = {"kind": "plain", "most": 9, "wait": 0.1, "factor": 1, "jitter": "none", "within": 0.35}
    done = simulate(clients={"retries": retries}, faults=FAILING, horizon="1 requests")
    assert [one.came for one in done.attempts()] == [1.0, 1.1, 1.2, 1.3]


def test_a_client_retries_only_after_the_outcomes_that_it_names():
    retries = {"kind": "plain", "on": ["timeout"], "wait": 0.1}
    done = simulate(clients={"retries": retries}, faults=FAILING, horizon="1 requests")
    assert len(done.attempts()) == 1


def test_the_first_of_two_answers_counts_and_the_loser_is_cancelled():
    done = simulate(clients={"hedge_after": 0.05}, horizon="1 requests")
    assert done.attempts() == [Sent(0, 1.0, 1.1, OK), Sent(1, 1.05, 1.1, CANCELLED)]
    assert done.records.server[0] == 0


def test_a_hedge_saves_a_request_from_a_server_that_hangs():
    done = simulate(
        clients={"hedge_after": 0.05, "hedges": 2},
        faults={"kind": "hang", "servers": "server-0", "at": 0.5},
        pool={"count": 2, "gives_up": "all"},
        horizon="1 requests",
    )
    assert done.answered() == [1.15]
    assert done.records.server[0] == 1
    assert done.attempts() == [
        Sent(0, 1.0, 1.15, CANCELLED),
        Sent(1, 1.05, 1.15, OK),
        Sent(0, 1.1, 1.15, CANCELLED),
    ]


def test_no_hedge_is_sent_once_there_is_an_answer():
    done = simulate(clients={"hedge_after": 0.2, "hedges": 3})
    assert all(len(done.attempts(request)) == 1 for request in range(10))


def test_a_request_fails_when_its_last_hedge_does():
    faults = [
        {"kind": "failing", "servers": "server-0", "at": 0, "after": 0.3},
        {"kind": "failing", "servers": "server-1", "at": 0, "after": 0.02},
    ]
    done = simulate(clients={"hedge_after": 0.05}, faults=faults, horizon="1 requests")
    assert done.attempts() == [Sent(0, 1.0, 1.3, ERROR), Sent(1, 1.05, 1.07, ERROR)]
    assert done.answered() == [1.3]


def test_further_tries_come_to_any_balancer():
    retries = {"kind": "plain", "wait": 0.01, "most": 2}
    done = simulate(
        balancers={"strategy": "round_robin", "count": 4},
        clients={"retries": retries},
        faults=FAILING,
        horizon="2000 requests",
    )
    kept = done.records.attempts
    assert kept is not None
    again = np.bincount(kept.balancer[kept.call == 1], minlength=4)
    # Each is binomial(2000, 1/4): mean 500, deviation 19.4; four deviations, level 3e-4 for all four.
    assert (np.abs(again - 500) <= 78).all()


def test_a_budget_bounds_the_tries_of_all_clients_together():
    retries = {"kind": "plain", "most": 5, "wait": 0.001, "jitter": "none", "budget": 0.1}
    done = simulate(clients={"retries": retries}, faults=FAILING, horizon="200 requests")
    assert done.records.attempts is not None
    # Within any 10 s ten requests earn one retry: with every tenth one, 200 requests earn 20.
    assert len(done.records.attempts) == 220


def test_clients_in_a_closed_loop_think_again_after_a_failure():
    done = simulate(
        arrivals={"kind": "closed_loop", "users": 1, "think": {"kind": "deterministic", "value": 1}},
        faults={"kind": "failing", "at": 0, "after": 0.5},
        horizon="3 requests",
    )
    assert done.records.arrival.tolist() == [1.0, 2.5, 4.0]
