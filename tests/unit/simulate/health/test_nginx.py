"""nginx's max_fails and backups, as its sources have it and a recorded run shows."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.simulate.health.watch import (
    ABANDONED,
    CANCELLED,
    ERROR,
    OK,
    REFUSED,
    TIMEOUT,
    UNREACHABLE,
    Groups,
    Watch,
    pool,
    seeded,
)
from workbench.simulate.detectors import CHANGED, DETECTORS, NOTHING
from workbench.simulate.detectors.nginx import NginxMaxFails
from workbench.simulate.failover import NginxBackup
from workbench.tables import Outcome


def probes(detector: NginxMaxFails, *, died: float, back: float, until: float) -> list[float]:
    """Send a request every 10 ms wherever the first of two servers is in; give the times it failed."""
    watch = Watch(pool(2), detector=detector)
    failed = []
    for number in range(round(until / 0.01)):
        time = round(0.01 * number, 2)
        watch.advance(time)
        if watch.state.ejected[0]:
            continue
        watch.pick(time, 0)
        dead = died <= time < back
        watch.answer(time, 0, UNREACHABLE if dead else OK)
        if dead:
            failed.append(time)
    return failed


def test_a_dead_server_gets_one_request_after_each_fail_timeout():
    # From the failure at 7.2 the clock must show more than 7 + 2 seconds: the next one is at 10.
    assert probes(NginxMaxFails(fail_timeout=2), died=7.2, back=14.1, until=20) == [7.2, 10, 13]


def test_the_clock_runs_on_whole_seconds_of_its_own():
    # With the clock at x.758 when the run begins, its seconds strike at .242.
    detector = NginxMaxFails(fail_timeout=2, clock_offset=1_795_455_408.758)
    assert probes(detector, died=7.2, back=14.1, until=20) == [7.2, 9.25, 12.25]


@pytest.mark.parametrize(
    "failed",
    [
        [1795458255.358, 1795458258.071, 1795458261.074],  # fn_rr_1, where the log has 502 before 200
        [1795458283.753, 1795458286.044, 1795458289.014],  # fn_lc_1
    ],
)
def test_recorded_requests_meet_a_dead_server_when_its_time_is_over(failed: list[float]):
    # fail_timeout 2s; times on the wall clock. A request came for the server about every 40 ms.
    start = 1_795_458_200.25
    watch = Watch(pool(4), detector=NginxMaxFails(fail_timeout=2, clock_offset=start))
    for time, after in pairwise(failed):
        watch.answer(time - start, 1, UNREACHABLE)
        back = float(watch.state.until[1]) + start
        assert back <= after < back + 0.12
        watch.advance(after - start)
        assert watch.ejected() == []
        watch.pick(after - start, 1)
        assert watch.ejected() == [1]


def test_the_probe_is_alone_until_its_answer():
    watch = Watch(pool(2), detector=NginxMaxFails(fail_timeout=3))
    assert watch.answer(0.5, 0, TIMEOUT) == CHANGED
    assert (watch.ejected(), watch.state.until[0]) == ([0], 4)
    watch.advance(3.99)
    assert watch.ejected() == [0]
    watch.advance(4)
    assert watch.ejected() == []
    assert watch.pick(4.2, 0) == CHANGED
    assert (watch.ejected(), watch.state.until[0]) == ([0], 8)
    assert watch.answer(4.9, 0, OK) == CHANGED
    assert watch.ejected() == []
    assert watch.pick(5, 0) == NOTHING


def test_a_probe_whose_answer_does_not_come_gives_way_to_another_one():
    watch = Watch(pool(2), detector=NginxMaxFails(fail_timeout=3))
    watch.answer(0.5, 0, TIMEOUT)
    watch.pick(4.2, 0)
    watch.advance(8)
    assert watch.ejected() == []
    assert watch.pick(8.5, 0) == CHANGED


def test_failures_are_forgotten_only_by_a_success_after_fail_timeout():
    watch = Watch(pool(2), detector=NginxMaxFails(max_fails=3, fail_timeout=10))
    for time in (1, 2):
        watch.pick(time, 0)
        watch.answer(time, 0, UNREACHABLE)
    watch.pick(3, 0)
    watch.answer(3, 0, OK)
    watch.answer(4, 0, UNREACHABLE)
    assert watch.ejected() == [0]
    watch.advance(15)
    watch.pick(15, 0)
    watch.answer(15.5, 0, OK)
    for time in (16, 17):
        watch.answer(time, 0, UNREACHABLE)
        assert watch.ejected() == []


@pytest.mark.parametrize(
    ("outcome", "counts_if"),
    [
        (OK, None),
        (TIMEOUT, ()),
        (UNREACHABLE, ()),
        (ERROR, ("http_500",)),
        (REFUSED, ("http_503",)),
        (CANCELLED, None),
        (ABANDONED, None),
    ],
)
def test_which_outcomes_are_failures(outcome: Outcome, counts_if: tuple[str, ...] | None):
    for listed in ((), ("http_500",), ("http_503",), ("http_500", "http_503")):
        watch = Watch(pool(2), detector=NginxMaxFails(unsuccessful=list(listed)))
        watch.answer(1, 1, outcome)
        assert watch.ejected() == ([1] if counts_if is not None and set(counts_if) <= set(listed) else [])


def test_a_single_server_is_never_out():
    detector = NginxMaxFails()
    watch = Watch(pool(1), detector=detector)
    for time in range(5):
        assert watch.answer(time, 0, UNREACHABLE) == NOTHING
    assert watch.ejected() == []
    assert detector.fails_allowed(pool(1)) == [0]
    assert NginxMaxFails(max_fails=4).fails_allowed(pool(2)) == [4, 4]


def test_without_max_fails_no_server_is_out():
    watch = Watch(pool(2), detector=NginxMaxFails(max_fails=0))
    for time in range(5):
        watch.answer(time, 0, UNREACHABLE)
    assert watch.ejected() == []


class Peer:
    """The rule as it is written in proxies.md, tested at every pick instead of at events."""

    def __init__(self, max_fails: int, fail_timeout: int) -> None:
        self.fails = self.accessed = self.checked = 0
        self.max_fails, self.fail_timeout = max_fails, fail_timeout

    def usable(self, now: int) -> bool:
        return not (
            self.max_fails and self.fails >= self.max_fails and now - self.checked <= self.fail_timeout
        )

    def pick(self, now: int) -> None:
        if now - self.checked > self.fail_timeout:
            self.checked = now

    def answer(self, now: int, failed: bool) -> None:
        if failed:
            self.fails += 1
            self.accessed = self.checked = now
        elif self.accessed < self.checked:
            self.fails = 0


@given(
    st.lists(st.tuples(st.floats(0, 3), st.booleans(), st.booleans()), max_size=60),
    st.integers(0, 3),
    st.integers(0, 4),
    st.floats(0, 0.99),
)
@settings(max_examples=80)
def test_ejections_by_events_are_those_of_the_rule(
    steps: list[tuple[float, bool, bool]], max_fails: int, fail_timeout: int, offset: float
):
    detector = NginxMaxFails(max_fails=max_fails, fail_timeout=fail_timeout, clock_offset=offset)
    watch = Watch(pool(2), detector=detector)
    peer = Peer(max_fails, fail_timeout)
    time = 0.0
    for gap, failed, waits in steps:
        time += gap
        now = math.floor(time + offset + 1e-9)
        watch.advance(time)
        assert bool(watch.state.ejected[0]) != peer.usable(now)
        if peer.usable(now):
            watch.pick(time, 0)
            peer.pick(now)
        if not waits:
            watch.answer(time, 0, UNREACHABLE if failed else OK)
            peer.answer(now, failed)
        assert bool(watch.state.ejected[0]) != peer.usable(now)


def test_backups_are_for_when_no_primary_can_be_picked():
    groups = Groups(NginxBackup(), pool(priorities=[0, 2, 0, 1]))
    assert groups.members == [[0, 2], [1, 3]]
    assert [groups.choose(last) for last in (-1, 0, 1)] == [0, 1, -1]
    groups.set_healthy([0, 2])
    assert groups.choose() == 1
    assert Groups(NginxBackup(), pool(3)).members == [[0, 1, 2]]


def test_max_fails_is_the_same_compiled():
    def script(*, fast: bool) -> tuple[Any, ...]:
        detector = NginxMaxFails(max_fails=2, fail_timeout=3, unsuccessful=["http_500"], clock_offset=0.4)
        watch = Watch(pool(3), detector=detector, fast=fast)
        chance = seeded(6)
        seen = []
        for number in range(300):
            server = int(chance.random() * 3)
            if chance.random() < 0.5:
                seen.append(watch.pick(0.2 * number, server))
            else:
                outcome = Outcome(int(chance.random() * len(Outcome)))
                seen.append(watch.answer(0.2 * number, server, outcome))
        return seen, watch.everything()

    assert script(fast=False) == script(fast=True)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"max_fails": -1}, "greater than or equal to 0"),
        ({"fail_timeout": 2.5}, "whole seconds"),
        ({"unsuccessful": ["http_404"]}, "'http_500' or 'http_503'"),
        ({"clock_offset": -1}, "a duration of 0 or more"),
    ],
)
def test_a_setting_out_of_range_is_refused(given: dict[str, Any], allowed: str):
    with pytest.raises(ValidationError, match=allowed):
        DETECTORS.read({"kind": "nginx.max_fails", **given})
