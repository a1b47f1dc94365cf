"""Faults event by event: what becomes of requests, of work in progress and of answers on their way."""

from __future__ import annotations

import pytest

from tests.engines.failing import ERROR, NOBODY, OK, RESET, UNREACHABLE, Sent, simulate
from workbench.tables import EventKind

ONE = {"pool": {"count": 1}}
LONG = {"service": {"kind": "deterministic", "value": 3}}


def test_a_crash_resets_what_is_served_and_what_waits_and_refuses_until_the_restart():
    done = simulate(**ONE, **LONG, faults={"kind": "crash", "at": 2.5, "lasts": 1}, horizon="4 requests")
    assert done.outcomes() == [RESET, RESET, UNREACHABLE, OK]
    assert done.answered() == [2.5, 2.5, 3.0, 7.0]
    assert done.records.attempts is not None
    assert done.records.attempts.finish[0] == 2.5


def test_the_news_of_a_crash_crosses_the_network():
    done = simulate(
        **ONE,
        **LONG,
        network={"delay": 0.05},
        faults={"kind": "crash", "at": 2.5, "lasts": 1},
        horizon="3 requests",
    )
    assert done.outcomes() == [RESET, RESET, UNREACHABLE]
    assert done.answered() == [2.55, 2.55, 3.1]


def test_a_refused_connection_may_be_known_sooner():
    done = simulate(
        **ONE, network={"delay": 0.05, "refused_after": 0.002}, faults={"kind": "crash", "at": 1.5}
    )
    assert done.answered()[:2] == [1.2, 2.002]


def test_a_server_under_two_crashes_is_back_when_both_have_ended():
    crashes = [{"kind": "crash", "at": 1.5, "lasts": 2}, {"kind": "crash", "at": 2.5, "lasts": 2}]
    done = simulate(**ONE, faults=crashes, horizon="5 requests")
    assert done.outcomes() == [OK, UNREACHABLE, UNREACHABLE, UNREACHABLE, OK]


def test_a_hang_stops_work_which_then_goes_on():
    done = simulate(**ONE, faults={"kind": "hang", "at": 1.05, "lasts": 2.1}, horizon="4 requests")
    assert done.answered() == [3.2, 3.3, 3.4, 4.1]
    assert set(done.outcomes()) == {OK}


def test_a_slow_server_does_a_part_of_the_work_in_the_same_time():
    done = simulate(**ONE, faults={"kind": "slow", "factor": 0.5, "at": 1.05, "lasts": 0.04})
    assert done.answered()[:2] == [1.12, 2.1]


def test_factors_of_two_faults_both_count():
    slow = [{"kind": "slow", "factor": 0.5, "at": 0.5}, {"kind": "slow", "factor": 0.2, "at": 1.5}]
    assert simulate(**ONE, faults=slow, horizon="2 requests").answered() == [1.2, 3.0]


def test_a_delay_counts_on_both_ways():
    done = simulate(**ONE, faults={"kind": "delay", "by": 0.02, "at": 1.05, "lasts": 1.5})
    assert done.answered()[:3] == [1.12, 2.14, 3.1]


def test_a_partition_holds_what_is_under_way_and_delivers_it_when_it_ends():
    done = simulate(
        **ONE,
        network={"delay": 0.01},
        faults={"kind": "partition", "at": 1.05, "lasts": 2},
        horizon="3 requests",
    )
    # Request 0 is served until 1.11 and answers after 3.05; requests 1 and 2 come to the server at 3.06.
    assert done.answered() == [3.06, 3.17, 3.27]
    assert set(done.outcomes()) == {OK}


def test_what_a_partition_catches_in_the_network_is_held_too():
    done = simulate(**ONE, network={"delay": 0.1}, faults={"kind": "partition", "at": 1.05, "lasts": 1.5})
    assert done.answered()[0] == pytest.approx(2.55 + 0.1 + 0.1 + 0.1)


def test_a_partition_of_one_balancer_does_not_touch_the_other():
    done = simulate(
        pool={"count": 1, "slots": 100},
        balancers={"strategy": "round_robin", "count": 2},
        faults={"kind": "partition", "balancers": [1], "at": 0.5, "lasts": 100},
        horizon="20 requests",
    )
    quick = done.records.response < 0.2
    assert set(done.records.balancer[quick]) == {0}
    assert set(done.records.balancer[~quick]) == {1}
    assert set(done.records.answered[~quick]) == {100.6}


def test_a_failing_server_answers_at_once_and_uses_no_slot():
    done = simulate(
        **ONE, **LONG, faults={"kind": "failing", "after": 0.02, "at": 1.5, "lasts": 2}, horizon="4 requests"
    )
    assert done.outcomes() == [OK, ERROR, ERROR, OK]
    assert done.answered() == [4.0, 2.02, 3.02, 7.0]


def test_a_share_of_failures_is_drawn():
    done = simulate(**ONE, faults={"kind": "failing", "share": 0.3, "at": 0}, horizon="2000 requests")
    failed = done.outcomes().count(ERROR)
    # Binomial(2000, 0.3): mean 600, deviation 20.5; four deviations, level 6e-5.
    assert 518 <= failed <= 682


def test_an_error_on_its_way_is_lost_in_a_crash():
    faults = [{"kind": "failing", "after": 1, "at": 0.5}, {"kind": "crash", "at": 1.5, "lasts": 0.2}]
    done = simulate(**ONE, faults=faults, horizon="1 requests")
    assert done.attempts() == [Sent(0, 1.0, 1.5, RESET)]


def test_a_drained_server_finishes_what_it_has_and_gets_nothing_new():
    done = simulate(**LONG, faults={"kind": "drain", "servers": "server-0", "at": 1.5, "lasts": 5})
    assert done.outcomes()[0] is OK
    sent = dict(zip(done.records.arrival.tolist(), done.records.server.tolist(), strict=True))
    assert [sent[time] for time in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)] == [0, 1, 1, 1, 1, 1]
    assert 0 in [sent[time] for time in (7.0, 8.0)]


def test_where_all_servers_are_drained_there_is_nobody():
    done = simulate(faults={"kind": "drain", "at": 1.5, "lasts": 1}, horizon="3 requests")
    assert done.outcomes() == [OK, NOBODY, OK]
    assert done.attempts(1) == [Sent(-1, 2.0, 2.0, NOBODY)]


NGINX = {"strategy": "nginx.round_robin", "detector": {"kind": "nginx.max_fails", "fail_timeout": "100s"}}
DEAD = {"kind": "crash", "servers": "server-0", "at": 0.5}


def test_a_reload_forgets_that_a_server_was_out():
    done = simulate(balancers=NGINX, faults=[DEAD, {"kind": "reload", "at": 4.5}])
    assert [len(done.attempts(request)) for request in range(6)] == [2, 1, 1, 1, 2, 1]
    assert done.attempts(4)[0] == Sent(0, 5.0, 5.0, UNREACHABLE)
    assert done.events(EventKind.EJECTED, EventKind.RETURNED) == [
        (1.0, EventKind.EJECTED, 0),
        (4.5, EventKind.RETURNED, 0),
        (5.0, EventKind.EJECTED, 0),
        (106.0, EventKind.RETURNED, 0),
    ]


def test_a_reload_of_one_balancer_leaves_the_others_memory():
    balancers = NGINX | {"count": 2}
    faults = [DEAD, {"kind": "reload", "balancers": [1], "at": 10.5}]
    done = simulate(balancers=balancers, faults=faults, horizon="30 requests")
    failures = [
        (int(done.records.balancer[request]), float(done.records.arrival[request]) > 10.5)
        for request in range(30)
        if len(done.attempts(request)) == 2
    ]
    assert sorted(failures) == [(0, False), (1, False), (1, True)]


def test_a_rolling_restart_takes_the_servers_one_after_the_other():
    restart = {"kind": "rolling_restart", "at": 1.5, "down": 1, "between": 0.5}
    done = simulate(faults=restart)
    assert [event[:1] + event[2:] for event in done.events(EventKind.FAULT_BEGINS)] == [(1.5, 0), (3.0, 1)]
    assert [event[:1] + event[2:] for event in done.events(EventKind.FAULT_ENDS)] == [(2.5, 0), (4.0, 1)]
