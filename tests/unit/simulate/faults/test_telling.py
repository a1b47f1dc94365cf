"""Changes come in the order of time, and a fault never lasts twice at once on a server."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.simulate.faults.told import POOL, fault, pool, told
from workbench.simulate.faults import Change, Effect
from workbench.simulate.faults._spans import Occurrence, Span, tell

TIMES = st.integers(0, 12).map(float)
SPANS = st.builds(
    lambda begin, length, server: Span(begin, begin + length, Effect.CRASH, server),
    TIMES,
    st.one_of(TIMES, st.just(math.inf)),
    st.integers(0, 2),
)


def covered(spans: list[Span], server: int, time: float) -> bool:
    return any(span.server == server and span.begin <= time < span.end for span in spans)


def broken(changes: list[Change], server: int, time: float) -> bool:
    own = [change for change in changes if change.server == server]
    place = bisect_right([change.time for change in own], time)
    return place > 0 and own[place - 1].begins


@given(st.lists(SPANS, max_size=12))
def test_a_server_is_broken_when_a_span_covers_the_time(spans: list[Span]):
    ordered = sorted(spans, key=lambda span: span.begin)
    changes = list(tell(Occurrence(span.begin, [span]) for span in ordered))
    for server in range(3):
        for half in range(60):
            assert broken(changes, server, half / 2) == covered(spans, server, half / 2)


@given(st.lists(SPANS, max_size=12))
def test_the_grouping_of_spans_changes_nothing(spans: list[Span]):
    ordered = sorted(spans, key=lambda span: span.begin)
    one_by_one = tell(Occurrence(span.begin, [span]) for span in ordered)
    assert list(tell([Occurrence(0.0, ordered)])) == list(one_by_one)


SPAN_OF_TIME = st.one_of(
    st.builds(lambda mean: {"kind": "exponential", "mean": mean}, st.floats(0.1, 20)),
    st.floats(0.1, 20),
    st.just({"kind": "empirical", "values": [0, 0, 3]}),
)
SCHEDULE = st.fixed_dictionaries({"at": st.lists(st.floats(0, 60), min_size=1), "lasts": st.floats(0, 20)})
RANDOM = st.fixed_dictionaries(
    {"time_to_failure": SPAN_OF_TIME},
    optional={
        "time_to_repair": st.one_of(SPAN_OF_TIME, st.just(0)),
        "from": st.floats(0, 20),
        "until": st.floats(21, 80),
        "together": st.just(True),
        "servers": st.sampled_from(["web-*", "web-1", ["app-0", "web-2"]]),
    },
)
WHEN = st.builds(lambda one, other: one | other, RANDOM, st.one_of(st.just({}), SCHEDULE))
KINDS = st.sampled_from(
    [
        ("crash", {"cold": {"factor": 0.5, "lasts": 4}}),
        ("slow", {"factor": 0.5}),
        ("failing", {}),
        ("partition", {"balancers": [0, 1]}),
    ]
)


@given(KINDS, WHEN, st.integers(0, 2**32))
def test_changes_are_in_order_and_begin_and_end_in_turn(
    kind: tuple[str, dict[str, Any]], keys: dict[str, Any], seed: int
):
    changes = told(fault(kind[0], **kind[1], **keys), until=60, seed=seed, balancers=2)
    times = [change.time for change in changes]
    assert times == sorted(times)
    assert all(time >= 0 for time in times)
    on: dict[tuple[Effect, int, int], bool] = {}
    for change in changes:
        which = (change.effect, change.server, change.balancer)
        assert on.get(which, False) != change.begins
        on[which] = change.begins


@given(KINDS, WHEN, st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_changes(
    kind: tuple[str, dict[str, Any]], keys: dict[str, Any], seed: int
):
    given = fault(kind[0], **kind[1], **keys)
    assert told(given, until=60, seed=seed, balancers=2) == told(given, until=60, seed=seed, balancers=2)


@given(st.integers(1, 6), st.booleans(), st.integers(0, 2**32))
def test_another_server_changes_nothing_for_the_others(servers: int, together: bool, seed: int):
    keys: dict[str, Any] = {"time_to_repair": 1, "together": together}
    given = fault("crash", time_to_failure={"kind": "exponential", "mean": 5}, **keys)
    few = told(given, until=100, servers=pool(servers), seed=seed)
    many = told(given, until=100, servers=pool(servers + 1), seed=seed)
    assert [change for change in many if change.server < servers] == few


@given(st.integers(2, 6), st.integers(0, 2**32))
def test_another_server_takes_the_place_of_one_that_was_drawn_or_changes_nothing(servers: int, seed: int):
    given = fault("hang", any=2, at=[1, 2, 3, 4], lasts=0.5)
    few, many = (told(given, until=9, servers=pool(count), seed=seed) for count in (servers, servers + 1))
    for time in (1, 2, 3, 4):
        before, after = ({item.server for item in part if item.time == time} for part in (few, many))
        assert len(before) == len(after) == 2
        assert before == after or (servers in after and len(before & after) == 1)


@pytest.mark.parametrize("keys", [{"at": [3]}, {"time_to_failure": 7, "time_to_repair": 1}])
def test_servers_that_fail_together_fail_at_once(keys: dict[str, Any]):
    begun = [
        (change.time, change.server)
        for change in told(fault("crash", zone="a", together=True, **keys), until=30)
        if change.begins
    ]
    times = sorted({time for time, _ in begun})
    assert begun == [(time, server) for time in times for server in range(3)]


def test_failures_by_chance_begin_within_their_window():
    given = fault(
        "crash", time_to_failure={"kind": "exponential", "mean": 1}, time_to_repair=30, from_=10, until=20
    )
    changes = told(given, until=1e9)
    begun = [change.time for change in changes if change.begins]
    assert min(begun) > 10
    assert max(begun) < 20
    assert len(changes) == 2 * len(begun), "who is down at the end of the window is still repaired"


def test_schedule_and_chance_keep_a_server_down_until_both_have_ended():
    given = fault("crash", servers="web-0", at=[8], lasts=4, time_to_failure=10, time_to_repair=3, until=30)
    begun_and_ended = [(change.time, change.begins) for change in told(given, until=1e9)]
    # By chance from 10 to 13 and from 23 to 26, by schedule from 8 to 12.
    assert begun_and_ended == [(8, True), (13, False), (23, True), (26, False)]


def test_a_server_without_repair_fails_once():
    changes = told(fault("crash", time_to_failure={"kind": "exponential", "mean": 1}), until=1e9)
    assert sorted(change.server for change in changes) == list(range(POOL.count))
    assert all(change.begins for change in changes)
