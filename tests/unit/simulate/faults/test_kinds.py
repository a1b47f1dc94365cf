"""Each kind of fault against a timeline worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulate.faults.told import POOL, fault, lasting, told
from workbench.simulate.faults import EVERY_BALANCER, FAULTS, Change, Effect

ONCE: dict[str, Any] = {"servers": "web-1", "at": "7s", "lasts": "7s"}


def change(
    time: float,
    effect: Effect,
    server: int,
    *,
    begins: bool = True,
    balancer: int = EVERY_BALANCER,
    **more: float,
) -> Change:
    return Change(time, begins, effect, server, balancer, **more)


def begin_and_end(effect: Effect, **more: float) -> list[Change]:
    return [change(7, effect, 1, **more), change(14, effect, 1, begins=False, **more)]


@pytest.mark.parametrize(
    ("kind", "keys", "expected"),
    [
        ("crash", {}, begin_and_end(Effect.CRASH)),
        ("slow", {"factor": 0.3}, begin_and_end(Effect.SLOW, value=0.3)),
        ("hang", {}, begin_and_end(Effect.SLOW, value=0.0)),
        ("failing", {}, begin_and_end(Effect.FAILING, value=1.0)),
        ("failing", {"share": 0.5, "after": "2ms"}, begin_and_end(Effect.FAILING, value=0.5, seconds=0.002)),
        ("delay", {"by": "20ms"}, begin_and_end(Effect.DELAY, seconds=0.02)),
        ("partition", {}, begin_and_end(Effect.PARTITION)),
        ("drain", {}, begin_and_end(Effect.DRAIN)),
    ],
)
def test_a_fault_begins_and_ends_when_it_says(kind: str, keys: dict[str, Any], expected: list[Change]):
    assert told(fault(kind, **ONCE, **keys), until=1e9) == expected


def test_every_kind_has_a_timeline_here():
    shown = {"crash", "slow", "hang", "failing", "delay", "partition", "drain"}
    assert shown | {"rolling_restart", "reload", "interrupt"} == set(FAULTS)


def test_without_a_length_a_fault_lasts_to_the_end():
    assert told(fault("crash", servers="app-*", at=[9, 5]), until=1e9) == [
        change(5, Effect.CRASH, 3),
        change(5, Effect.CRASH, 4),
    ]


def test_after_a_crash_a_cold_server_is_slow():
    given = fault("crash", **ONCE, cold={"factor": 0.5, "lasts": "3s"})
    assert told(given, until=1e9) == [
        *begin_and_end(Effect.CRASH),
        change(14, Effect.SLOW, 1, value=0.5),
        change(17, Effect.SLOW, 1, begins=False, value=0.5),
    ]


def test_a_server_that_never_restarts_is_never_cold():
    given = fault("crash", servers="web-1", at=7, cold={"factor": 0.5, "lasts": "3s"})
    assert told(given, until=1e9) == [change(7, Effect.CRASH, 1)]


def test_a_partition_cuts_off_the_balancers_that_it_names():
    given = fault("partition", balancers=[2, 0, 2], servers="web-0", at=1, lasts=1)
    assert told(given, until=1e9, balancers=3) == [
        change(1, Effect.PARTITION, 0, balancer=0),
        change(1, Effect.PARTITION, 0, balancer=2),
        change(2, Effect.PARTITION, 0, begins=False, balancer=0),
        change(2, Effect.PARTITION, 0, begins=False, balancer=2),
    ]


def test_a_rolling_restart_drains_stops_and_restarts_batch_by_batch():
    """Of five servers two at a time: the turns come at 60 s, 80 s and 100 s, each 10 s + 5 s + 5 s long."""
    given = fault(
        "rolling_restart",
        at="1min",
        drain="10s",
        down="5s",
        between="5s",
        batch=2,
        cold={"factor": 0.5, "lasts": "10s"},
    )
    changes = told(given, until=1e9)
    for server, turn in enumerate([60, 60, 80, 80, 100]):
        assert lasting(changes, Effect.DRAIN, server) == [(turn, turn + 15)]
        assert lasting(changes, Effect.CRASH, server) == [(turn + 10, turn + 15)]
        assert lasting(changes, Effect.SLOW, server) == [(turn + 15, turn + 25)]
    assert len(changes) == 5 * 6
    assert {item.value for item in changes if item.effect is Effect.SLOW} == {0.5}


def test_a_server_is_back_before_the_next_one_goes():
    changes = told(fault("rolling_restart", zone="b", at=0, down=2), until=1e9)
    assert [(item.time, item.begins, item.server) for item in changes] == [
        (0, True, 3),
        (2, False, 3),
        (2, True, 4),
        (4, False, 4),
    ]


def test_without_drain_a_rolling_restart_crashes_servers_and_nothing_else():
    changes = told(fault("rolling_restart", at=[0, 100], down=2, batch=30), until=1e9)
    assert {item.effect for item in changes} == {Effect.CRASH}
    assert all(lasting(changes, Effect.CRASH, server) == [(0, 2), (100, 102)] for server in range(5))


def test_rolling_restarts_that_meet_at_a_server_keep_it_down_once():
    changes = told(fault("rolling_restart", servers="web-0", at=[0, 1], down=2), until=1e9)
    assert lasting(changes, Effect.CRASH, 0) == [(0, 3)]


def test_a_reload_is_told_of_each_balancer_and_of_no_server():
    assert told(fault("reload", at=[9, 4]), until=1e9, balancers=2) == [
        change(time, Effect.RELOAD, -1, balancer=balancer) for time in (4, 9) for balancer in (0, 1)
    ]
    assert told(fault("reload", balancers=[1], every=3), until=7, balancers=2) == [
        change(3, Effect.RELOAD, -1, balancer=1),
        change(6, Effect.RELOAD, -1, balancer=1),
    ]


def test_reloads_by_one_clock_are_all_at_once_and_others_are_not():
    every = {"kind": "exponential", "mean": 10}
    apart = told(fault("reload", every=every), until=200, balancers=2)
    at_once = told(fault("reload", every=every, together=True), until=200, balancers=2)
    assert len({item.time for item in apart}) == len(apart) > 20
    assert len({item.time for item in at_once}) == len(at_once) / 2 > 10


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"servers": "web-*"}, [0, 1, 2]),
        ({"servers": ["app-1", "web-?"]}, [0, 1, 2, 4]),
        ({"servers": "*-[01]", "zone": "a"}, [0, 1]),
        ({"zone": ["b", "a"]}, [0, 1, 2, 3, 4]),
        ({"zone": "b"}, [3, 4]),
    ],
)
def test_servers_are_chosen_by_name_pattern_and_zone(keys: dict[str, Any], chosen: list[int]):
    given = fault("crash", at=1, **keys)
    given.check(POOL, 1)
    assert [item.server for item in told(given, until=1e9)] == chosen
