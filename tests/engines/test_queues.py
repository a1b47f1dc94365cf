"""Requests that wait at a balancer: who goes next, for how long, and what becomes of the others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engines.failing import NOBODY, OK, REFUSED, RESET, TIMEOUT, UNREACHABLE, Finished, Sent, burst
from workbench.simulate.balancers import Queue
from workbench.simulate.engines.reference.attempts import Attempt, Call
from workbench.simulate.engines.reference.waiting_room import WaitingRoom

SECOND = {"kind": "deterministic", "value": 1}
ROUND = {"strategy": "haproxy.roundrobin"}
ONE: dict[str, Any] = {"count": 1, "limit": 1, "slots": 9}
SAME_KEY = {"kind": "addresses", "count": 1}


def sent(done: Finished) -> list[float]:
    """Give when each attempt was sent to its server."""
    kept = done.records.attempts
    assert kept is not None
    return [round(float(time), 6) for time in kept.sent]


def waiting(number: int) -> Attempt:
    return Attempt(number, Call(number, 0, 0, 0.0), 0.0)


def test_a_server_takes_who_came_first_of_its_own_queue_and_the_backends():
    room = WaitingRoom(Queue(), servers=2)
    people = [waiting(number) for number in range(6)]
    for one, server in zip(people, (-1, 0, -1, 1, 0, -1), strict=True):
        assert room.join(one, server)
    taken = [room.next_for(0, takes_common=True) for _ in range(5)]
    assert [one.number for one in taken if one] == [0, 1, 2, 4, 5]
    assert len(room) == 1
    assert room.next_for(0, takes_common=True) is None


def test_a_server_that_takes_none_of_the_backends_serves_its_own():
    room = WaitingRoom(Queue(), servers=1)
    for one, server in zip([waiting(0), waiting(1)], (-1, 0), strict=True):
        room.join(one, server)
    first = room.next_for(0, takes_common=False)
    assert first is not None
    assert first.number == 1
    assert room.next_for(0, takes_common=False) is None


def test_requests_wait_in_the_order_of_coming_while_the_server_is_at_its_limit():
    done = burst(5, pool=ONE | {"limit": 2}, balancers=ROUND, service=SECOND)
    assert sent(done) == [0.001, 0.002, 1.001, 1.002, 2.001]
    assert done.outcomes() == [OK] * 5


def test_a_request_that_waits_too_long_is_answered_by_the_balancer():
    balancers = ROUND | {"queue": {"timeout": 0.5}, "retries": "none"}
    done = burst(3, pool=ONE, balancers=balancers, service=SECOND)
    assert done.outcomes() == [OK, TIMEOUT, TIMEOUT]
    assert done.answered() == [1.001, 0.502, 0.503]
    assert done.attempts(1) == [Sent(-1, 0.002, 0.502, TIMEOUT)]


def test_a_full_queue_refuses():
    done = burst(4, pool=ONE, balancers=ROUND | {"queue": {"limit": 1}}, service=SECOND)
    assert done.outcomes() == [OK, OK, REFUSED, REFUSED]
    assert done.answered()[2:] == [0.003, 0.004]


def test_other_products_let_nobody_wait_unless_they_are_told_to():
    assert burst(2, pool=ONE, balancers={"strategy": "nginx.round_robin"}, service=SECOND).outcomes() == [
        OK,
        NOBODY,
    ]
    queueing = {"strategy": "nginx.round_robin", "queue": {}}
    assert burst(2, pool=ONE, balancers=queueing, service=SECOND).outcomes() == [OK, OK]


def test_the_limit_grows_with_the_load_from_minconn_to_maxconn():
    # HAProxy: max(minconn, connections of the backend x maxconn / fullconn) while those are below fullconn.
    # With 1, 4 and 8 the first goes at once (limit 1); the 4th finds 4 x 4 / 8 = 2, the 6th 6 x 4 / 8 = 3.
    pool = ONE | {"limit": 4, "least_limit": 1}
    balancers = ROUND | {"queue": {"full_load": 8}}
    done = burst(6, pool=pool, balancers=balancers, service={"kind": "deterministic", "value": 10})
    assert [time < 1 for time in sent(done)] == [True, False, False, True, False, True]


def test_at_full_load_the_limit_is_maxconn():
    pool = ONE | {"limit": 4, "least_limit": 1}
    done = burst(6, pool=pool, balancers=ROUND, service={"kind": "deterministic", "value": 10})
    assert [time < 1 for time in sent(done)] == [True, True, True, True, False, False]


def test_requests_that_insist_on_a_server_go_elsewhere_when_it_goes():
    pool = ONE | {"count": 2}
    balancers = {"strategy": "haproxy.source"}
    long = {"kind": "deterministic", "value": 5}
    content: dict[str, Any] = {"pool": pool, "balancers": balancers, "service": long, "keys": SAME_KEY}
    stays = burst(3, **content)
    (first,) = set(stays.records.server.tolist())
    assert sent(stays) == [0.001, 5.001, 10.001]
    drain = {"kind": "drain", "servers": f"server-{first}", "at": 1, "lasts": 100}
    goes = burst(3, **content, faults=drain)
    assert goes.records.server.tolist() == [first, 1 - first, 1 - first]
    assert sent(goes) == [0.001, 1.0, 6.0]


def test_a_server_that_comes_back_takes_what_waits():
    drain = {"kind": "drain", "at": 0.5, "lasts": 3.5}
    done = burst(3, pool=ONE, balancers=ROUND, service=SECOND, faults=drain)
    assert sent(done) == [0.001, 4.0, 5.0]


def test_a_balancer_begun_anew_picks_again_for_those_that_wait():
    done = burst(4, pool=ONE, balancers=ROUND, service=SECOND, faults={"kind": "reload", "at": 0.5})
    # It does not know of request 0, which its predecessor still serves.
    assert sent(done) == [0.001, 0.5, 1.5, 2.5]
    assert done.run.desks[0].in_flight == [0]


def test_a_view_that_is_told_of_room_lets_those_go_that_wait():
    balancers = ROUND | {"count": 2, "view": "refreshed", "refresh_every": 0.3}
    done = burst(12, pool=ONE, balancers=balancers, service=SECOND)
    assert done.outcomes() == [OK] * 12


def test_a_long_queue_at_a_server_that_has_crashed_is_no_matter():
    balancers = ROUND | {"retries": "none"}
    crash = {"kind": "crash", "at": 0.9995}
    done = burst(
        900, pool=ONE, balancers=balancers, service={"kind": "deterministic", "value": 5}, faults=crash
    )
    assert done.outcomes() == [RESET, *[UNREACHABLE] * 899]


@pytest.mark.parametrize("strategy", ["nginx.round_robin", "finagle.p2c_least_loaded"])
def test_as_many_failures_in_a_row_as_a_large_pool_has_servers_are_no_matter(strategy: str):
    retries = {"kind": "plain", "most": 100, "wait": 0} if strategy.startswith("finagle") else "nginx"
    balancers = {"strategy": strategy, "retries": retries, "detector": "none"}
    done = burst(1, pool={"count": 1500}, balancers=balancers, faults={"kind": "crash", "at": 0})
    assert done.outcomes() == [UNREACHABLE]
    assert len(done.attempts()) == (100 if strategy.startswith("finagle") else 1500)


def test_the_breaker_refuses_beyond_its_bound():
    balancers = {"strategy": "envoy.round_robin", "breaker": {"max_requests": 2}, "retries": "none"}
    done = burst(4, pool={"count": 3}, balancers=balancers, service=SECOND)
    assert done.outcomes() == [OK, OK, REFUSED, REFUSED]
    assert done.answered()[2:] == [0.003, 0.004]


def test_each_balancer_and_each_priority_has_a_breaker_of_its_own():
    balancers = {
        "strategy": "envoy.round_robin",
        "breaker": {"max_requests": 1},
        "retries": "none",
        "count": 2,
    }
    done = burst(8, pool={"count": 3}, balancers=balancers, service=SECOND)
    assert done.outcomes().count(OK) == len(set(done.records.balancer.tolist())) == 2
