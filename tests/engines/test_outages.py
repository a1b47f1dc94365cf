"""Checks, detectors, panic and slow start through the whole engine: what is noticed, and what follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engines.failing import ERROR, NOBODY, OK, UNREACHABLE, simulate
from workbench.simulate.outages import outages_table
from workbench.tables import EventKind

DOWN, UP, EJECTED, RETURNED = EventKind.DOWN, EventKind.UP, EventKind.EJECTED, EventKind.RETURNED
NOTICED = (DOWN, UP, EJECTED, RETURNED)
EVERY_SECOND = {"kind": "nginx_plus.health_check", "interval": 1}
FIRST = "server-0"


def crash(at: float, lasts: float, servers: Any = FIRST) -> dict[str, Any]:
    return {"kind": "crash", "servers": servers, "at": at, "lasts": lasts}


def test_haproxy_takes_a_server_down_after_fall_failures_with_fastinter_and_up_after_rise():
    checks = {
        "kind": "haproxy.check",
        "inter": 2,
        "fastinter": 0.5,
        "downinter": 3,
        "rise": 2,
        "fall": 3,
        "first_after": [0, 0],
    }
    done = simulate(
        balancers={"strategy": "round_robin", "checks": checks},
        faults=crash(5, 4.8),
        horizon="18 requests",
    )
    # One success makes a server fully up at first: checks at 0, 2, 4. Failures: 6 and, by fastinter, 6.5
    # and 7.0, down. By downinter the next check is at 10.0; it passes, and by fastinter that of 10.5: up.
    assert done.events(*NOTICED) == [(7.0, DOWN, 0), (10.5, UP, 0)]
    arrived = done.records.arrival
    assert set(done.records.server[(arrived > 7) & (arrived < 10.5)]) == {1}


def test_a_check_finds_out_about_a_hang_only_after_its_timeout():
    checks = EVERY_SECOND | {"timeout": 0.3, "first_after": [0.5, 0.5]}
    hang = {"kind": "hang", "servers": FIRST, "at": 1, "lasts": 1}
    done = simulate(
        balancers={"strategy": "round_robin", "checks": checks},
        clients={"timeout": 1},
        faults=hang,
        horizon="4 requests",
    )
    # The check of 1.5 has no answer until 1.8; the next one, 2.8, is answered at once.
    assert done.events(*NOTICED) == [(1.8, DOWN, 0), (2.8, UP, 0)]


def test_a_check_of_the_connection_alone_does_not_see_a_server_that_answers_with_errors():
    failing = {"kind": "failing", "servers": FIRST, "at": 0.5}
    seen = simulate(balancers={"strategy": "round_robin", "checks": EVERY_SECOND}, faults=failing)
    blind = simulate(
        balancers={"strategy": "round_robin", "checks": EVERY_SECOND | {"connect_only": True}}, faults=failing
    )
    assert seen.events(*NOTICED) == [(1.0, DOWN, 0)]
    assert blind.events(*NOTICED) == []
    assert blind.outcomes().count(ERROR) == 5


def test_a_check_across_a_slow_network_takes_there_and_back():
    done = simulate(
        balancers={"strategy": "round_robin", "checks": EVERY_SECOND | {"first_after": [0.5, 0.5]}},
        network={"delay": 0.1},
        faults=crash(1, 100),
        horizon="4 requests",
    )
    # Checks begin at 0.5 and, a second after its answer at 0.7, at 1.7; the refusal is back at 1.9.
    assert done.events(*NOTICED) == [(1.9, DOWN, 0)]


def test_no_server_takes_traffic_before_it_has_passed_a_mandatory_check():
    checks = EVERY_SECOND | {"mandatory": True, "first_after": [2.5, 3.5]}
    done = simulate(balancers={"strategy": "round_robin", "checks": checks}, horizon="5 requests")
    assert done.outcomes() == [NOBODY, NOBODY, OK, OK, OK]
    assert done.records.server.tolist()[2:4] == [0, 1] or done.records.server.tolist()[2] == 0
    assert done.events(*NOTICED) == [(2.5, UP, 0), (3.5, UP, 1)]


def test_nginx_sends_one_request_each_fail_timeout_to_a_dead_server():
    detector = {"kind": "nginx.max_fails", "fail_timeout": 2}
    done = simulate(
        arrivals={"kind": "uniform", "rate": 10},
        service={"kind": "deterministic", "value": 0.01},
        balancers={"strategy": "nginx.round_robin", "detector": detector},
        faults={"kind": "crash", "servers": FIRST, "at": 0},
        horizon="119 requests",
    )
    kept = done.records.attempts
    assert kept is not None
    probes = kept.came[kept.server == 0]
    # Failed in second 0, it is out while the clock has not gone on by more than 2: seconds 3, 6, 9.
    assert np.floor(probes).tolist() == [0, 3, 6, 9]
    assert set(done.outcomes()) == {OK}


def test_envoy_ejects_after_errors_in_a_row_and_lets_in_only_at_a_tick():
    detector = {"kind": "envoy.outlier_detection", "consecutive_5xx": 3, "max_ejection_percent": 50}
    done = simulate(
        balancers={"strategy": "round_robin", "detector": detector},
        faults={"kind": "failing", "servers": FIRST, "at": 0, "lasts": 20},
        horizon="45 requests",
    )
    # Its third error comes at 5; 30 s from then are over at 35, and the next tick of 10 s is at 40.
    assert done.events(*NOTICED) == [(5.0, EJECTED, 0), (40.0, RETURNED, 0)]
    arrived = done.records.arrival
    assert set(done.records.server[(arrived > 5) & (arrived < 40)]) == {1}
    assert 0 in done.records.server[arrived > 40]


def test_envoy_ejects_nobody_of_a_small_pool_by_default():
    done = simulate(
        balancers={"strategy": "round_robin", "detector": {"kind": "envoy.outlier_detection"}},
        faults={"kind": "failing", "servers": FIRST, "at": 0},
        horizon="30 requests",
    )
    assert done.events(*NOTICED) == []
    assert done.outcomes().count(ERROR) == 15


def test_a_passed_check_lets_an_ejected_server_in_before_its_time():
    detector = {"kind": "envoy.outlier_detection", "consecutive_5xx": 2, "max_ejection_percent": 50}
    checks = {
        "kind": "nginx_plus.health_check",
        "interval": 1,
        "connect_only": True,
        "first_after": [0.5, 0.5],
    }
    done = simulate(
        balancers={"strategy": "round_robin", "detector": detector, "checks": checks},
        faults={"kind": "failing", "servers": FIRST, "at": 0, "lasts": 3.2},
        horizon="6 requests",
    )
    assert done.events(*NOTICED) == [(3.0, EJECTED, 0), (3.5, RETURNED, 0)]


def test_haproxy_observes_errors_and_marks_down():
    checks = {"kind": "haproxy.check", "inter": "100s", "first_after": [0, 0]}
    detector = {"kind": "haproxy.observe", "layer": "layer4", "error_limit": 2, "on_error": "mark-down"}
    done = simulate(
        balancers={
            "strategy": "haproxy.roundrobin",
            "checks": checks,
            "detector": detector,
            "retries": "none",
        },
        faults=crash(0.5, 1000),
    )
    assert done.events(*NOTICED) == [(3.0, DOWN, 0)]
    assert done.outcomes()[:3] == [UNREACHABLE, OK, UNREACHABLE]
    assert set(done.outcomes()[3:]) == {OK}


def test_finagle_marks_dead_after_failures_in_a_row():
    detector = {
        "kind": "finagle.failure_accrual",
        "policy": "consecutive_failures",
        "consecutive_failures": 2,
    }
    done = simulate(
        balancers={"strategy": "round_robin", "detector": detector, "retries": "none"},
        faults=crash(0.5, 1000),
        horizon="4 requests",
    )
    assert done.events(EJECTED)[0] == (3.0, EJECTED, 0)


def test_a_backup_serves_while_the_primary_is_down():
    done = simulate(
        pool=[{"name": "main"}, {"name": "spare", "count": 2, "priority": 1}],
        balancers={"strategy": "haproxy.roundrobin", "checks": EVERY_SECOND},
        faults=crash(2.5, 3, "main"),
        horizon="8 requests",
    )
    # Down by the check of 3.0, which comes before the request of 3.0, and up by that of 6.0.
    assert done.records.server.tolist() == [0, 0, 1, 1, 1, 0, 0, 0]


def test_panic_sends_to_all_while_fewer_than_half_are_healthy():
    done = simulate(
        arrivals={"kind": "uniform", "rate": 4},
        pool={"count": 4},
        balancers={"strategy": "envoy.round_robin", "checks": EVERY_SECOND, "retries": "none"},
        faults=crash(2.5, 3, ["server-0", "server-1", "server-2"]),
        horizon="40 requests",
    )
    panics = done.events(EventKind.PANIC_BEGINS, EventKind.PANIC_ENDS)
    assert panics == [(3.0, EventKind.PANIC_BEGINS, -1), (6.0, EventKind.PANIC_ENDS, -1)]
    kept = done.records.attempts
    assert kept is not None
    inside = (kept.came > 3) & (kept.came < 5.5)
    assert set(kept.server[inside]) == {0, 1, 2, 3}
    assert set(kept.outcome[inside & (kept.server != 3)]) == {UNREACHABLE}


def test_no_panic_sends_all_to_the_healthy_ones():
    done = simulate(
        arrivals={"kind": "uniform", "rate": 4},
        pool={"count": 4},
        balancers={
            "strategy": "envoy.round_robin",
            "checks": EVERY_SECOND,
            "failover": {"kind": "envoy.priorities", "healthy_panic_threshold": 0},
        },
        faults=crash(2.5, 3, ["server-0", "server-1", "server-2"]),
        horizon="40 requests",
    )
    kept = done.records.attempts
    assert kept is not None
    assert set(kept.server[(kept.came > 3) & (kept.came < 6)]) == {3}


def test_haproxys_slow_start_grows_by_sixteenths():
    checks = {"kind": "haproxy.check", "inter": 1, "rise": 1, "fall": 1, "first_after": [0, 0]}
    done = simulate(
        arrivals={"kind": "uniform", "rate": 340},
        service={"kind": "deterministic", "value": 0.0001},
        balancers={
            "strategy": "haproxy.roundrobin",
            "checks": checks,
            "slow_start": {"kind": "haproxy.slowstart", "slowstart": 16},
            "retries": "none",
        },
        faults=crash(0.5, 3),
        horizon="22s",
    )
    assert done.events(*NOTICED) == [(1.0, DOWN, 0), (4.0, UP, 0)]
    arrived, server = done.records.arrival, done.records.server
    for second in range(17):
        inside = (arrived >= 4 + second) & (arrived < 5 + second)
        weight = min(second + 1, 16)
        expected = np.count_nonzero(inside) * weight / (weight + 16)
        assert np.count_nonzero(server[inside] == 0) == pytest.approx(expected, abs=3), second


def test_an_outage_is_reckoned_from_what_was_noticed():
    done = simulate(
        balancers={"strategy": "round_robin", "checks": EVERY_SECOND | {"first_after": [0.25, 0.25]}},
        faults=crash(4.5, 5),
        horizon="20 requests",
    )
    (row,) = outages_table(done.records, desks=1).to_pylist()
    assert row["server_id"] == 0
    assert (row["begin_us"], row["end_us"]) == (4_500_000, 9_500_000)
    # Checks are at a quarter past: 5.25 fails, 10.25 passes; the request of 5 came to the dead server.
    assert (row["detected_s"], row["ejected_s"], row["back_s"]) == pytest.approx((0.75, 0.75, 0.75))
    assert (row["sent"], row["failed"], row["retried"]) == (1, 1, 0)
    assert row["settled_s"] == 0.0
    # Answers within 4.5 s before the fault: of the requests 1 to 4; within 5 s: 6 to 9; after it 10 to 14.
    assert (
        row["goodput_before_per_s"],
        row["goodput_during_per_s"],
        row["goodput_after_per_s"],
    ) == pytest.approx((4 / 4.5, 4 / 5, 5 / 5))


def test_each_balancer_notices_for_itself_and_the_last_one_ends_the_outage():
    checks = {"kind": "haproxy.check", "inter": 4, "fall": 1, "rise": 1}
    done = simulate(
        balancers={"strategy": "round_robin", "checks": checks, "count": 3},
        faults=crash(6, 1000),
        horizon="30 requests",
    )
    downs = done.events(DOWN)
    assert len(downs) == 3
    (row,) = outages_table(done.records, desks=3).to_pylist()
    assert row["detected_s"] == pytest.approx(min(downs)[0] - 6)
    assert row["ejected_s"] == pytest.approx(max(downs)[0] - 6)
    assert row["back_s"] is None
    assert row["end_us"] is None


def test_what_piles_up_in_an_outage_settles_when_no_more_is_there_than_before():
    # One server, a request a second of 0.5 s: half a request on average before the hang of 4 s.
    done = simulate(
        pool={"count": 1},
        service={"kind": "deterministic", "value": 0.5},
        faults={"kind": "hang", "at": 20.75, "lasts": 4},
        horizon="40 requests",
    )
    (row,) = outages_table(done.records, desks=1).to_pylist()
    # That of 21 ends at 25.25, and each further one half a second later: that of 27
    # at 28.25, that of 28 at 28.75: then nobody is there, for the first time.
    assert row["settled_s"] == pytest.approx(28.75 - 24.75)
    assert row["detected_s"] is None


def test_what_runs_empty_because_nothing_arrives_any_more_has_not_settled():
    done = simulate(
        pool={"count": 1},
        service={"kind": "deterministic", "value": 0.5},
        faults={"kind": "hang", "at": 20.75, "lasts": 4},
        horizon="26 requests",
    )
    (row,) = outages_table(done.records, desks=1).to_pylist()
    assert row["settled_s"] is None


def test_a_reload_is_no_outage_of_a_server():
    done = simulate(faults={"kind": "reload", "at": 3})
    assert outages_table(done.records, desks=1).num_rows == 0


def test_partitions_of_two_balancers_are_two_outages():
    cuts = [
        {"kind": "partition", "servers": FIRST, "balancers": [0], "at": 2.5, "lasts": 4},
        {"kind": "partition", "servers": FIRST, "balancers": [1], "at": 3.5, "lasts": 1},
    ]
    done = simulate(balancers={"strategy": "round_robin", "count": 2}, faults=cuts)
    rows = outages_table(done.records, desks=2).to_pylist()
    assert [(row["begin_us"], row["end_us"]) for row in rows] == [
        (2_500_000, 6_500_000),
        (3_500_000, 4_500_000),
    ]
