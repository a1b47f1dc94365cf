"""Finagle's failure accrual, by its sources."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import kstest

from tests.unit.simulate.health.watch import (
    ABANDONED,
    CANCELLED,
    ERROR,
    OK,
    REFUSED,
    TIMEOUT,
    UNREACHABLE,
    Watch,
    pool,
    seeded,
)
from workbench.simulate.detectors import CHANGED, DETECTORS, NOTHING, FinagleFailureAccrual
from workbench.tables import Outcome

LEVEL = 0.001


def fail(watch: Watch, time: float, times: int = 1, *, server: int = 0) -> None:
    for _ in range(times):
        watch.answer(time, server, UNREACHABLE)


def deaths(watch: Watch, count: int) -> list[float]:
    """Let every request fail, sent as soon as the server is let in; give how long it was dead each time."""
    fail(watch, 1, 5)
    lasted = [float(watch.state.until[0]) - 1]
    for _ in range(count - 1):
        time = float(watch.state.until[0])
        watch.advance(time)
        assert watch.pick(time, 0) == CHANGED
        fail(watch, time)
        lasted.append(float(watch.state.until[0]) - time)
    return lasted


def test_five_failures_in_a_row_mark_a_server_dead_for_five_seconds():
    watch = Watch(pool(2), detector=FinagleFailureAccrual())
    fail(watch, 1, 4)
    watch.answer(1, 0, OK)
    fail(watch, 2, 4)
    assert watch.ejected() == []
    fail(watch, 2)
    assert (watch.ejected(), watch.state.until[0]) == ([0], 7)


def test_a_single_request_probes_and_revives():
    watch = Watch(pool(2), detector=FinagleFailureAccrual())
    fail(watch, 1, 5)
    watch.advance(6)
    assert watch.ejected() == []
    assert watch.pick(6.5, 0) == CHANGED
    assert (watch.ejected(), watch.state.until[0]) == ([0], math.inf)
    assert watch.pick(6.6, 0) == NOTHING
    assert watch.answer(7, 0, OK) == CHANGED
    assert watch.ejected() == []
    fail(watch, 8, 4)
    assert watch.ejected() == []


def test_a_back_off_doubles_from_failed_probe_to_failed_probe():
    runs = [deaths(Watch(pool(1), detector=FinagleFailureAccrual(), seed=seed), 9) for seed in range(300)]
    for number, lasted in enumerate(zip(*runs, strict=True)):
        half = 5 * 2 ** (number - 1)
        if number == 0 or half >= 300:
            assert set(np.round(lasted, 6)) == {5.0 if number == 0 else 300.0}
        else:
            drawn = [seconds for seconds in lasted if seconds < 300]
            assert kstest(drawn, "uniform", args=(half, min(half, 300 - half))).pvalue > LEVEL


def test_a_revival_begins_the_back_off_anew():
    watch = Watch(pool(1), detector=FinagleFailureAccrual())
    deaths(watch, 4)
    time = float(watch.state.until[0])
    watch.advance(time)
    watch.pick(time, 0)
    watch.answer(time, 0, OK)
    fail(watch, time, 5)
    assert watch.state.until[0] == time + 5


@pytest.mark.parametrize("outcome", [CANCELLED, ABANDONED])
def test_a_probe_that_is_given_up_makes_room_for_another(outcome: Outcome):
    watch = Watch(pool(1), detector=FinagleFailureAccrual())
    fail(watch, 1, 5)
    watch.pick(6, 0)
    assert watch.answer(7, 0, outcome) == CHANGED
    assert watch.ejected() == []
    assert watch.pick(8, 0) == CHANGED


def test_late_answers_of_a_dead_server_are_not_counted():
    watch = Watch(pool(1), detector=FinagleFailureAccrual())
    fail(watch, 1, 8)
    assert watch.state.until[0] == 6


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [(OK, -1), (TIMEOUT, 1), (ERROR, 1), (UNREACHABLE, 1), (REFUSED, 1), (CANCELLED, 0), (ABANDONED, 0)],
)
def test_which_outcomes_are_failures(outcome: Outcome, counts: int):
    watch = Watch(pool(1), detector=FinagleFailureAccrual(consecutive_failures=3))
    fail(watch, 1)
    watch.answer(1, 0, outcome)
    out = []
    for _ in range(2):
        fail(watch, 1)
        out.append(len(watch.ejected()))
    assert out == {1: [1, 1], 0: [0, 1], -1: [0, 0]}[counts]


def steady(watch: Watch, *, every: float, until: float, good: Any) -> float:
    """Answer at a steady pace; give when the server was marked dead, infinite if it was not."""
    for number in range(round(until / every)):
        time = every * number
        watch.answer(time, 0, OK if good(time) else ERROR)
        if watch.ejected():
            return time
    return math.inf


def test_all_failing_a_server_is_dead_by_its_rate_after_a_fifth_of_the_window():
    # The average of a server that begins to fail at 60 s is exp(-t / 30): below 0.8 after 6.69 s.
    watch = Watch(pool(1), detector=FinagleFailureAccrual(policy="success_rate"))
    died = steady(watch, every=0.01, until=90, good=lambda time: time < 60)
    assert died - 60 == pytest.approx(30 * math.log(1 / 0.8), abs=0.03)


def test_a_rate_is_not_looked_at_before_a_window_has_passed():
    watch = Watch(pool(1), detector=FinagleFailureAccrual(policy="success_rate"))
    assert steady(watch, every=0.01, until=90, good=lambda time: False) == pytest.approx(30, abs=0.011)


def test_a_rate_is_not_looked_at_with_too_few_requests():
    # The present slice of 6 s and the last four hold 3 of the requests that come every 12 s.
    watch = Watch(pool(1), detector=FinagleFailureAccrual(policy="success_rate"))
    assert steady(watch, every=12, until=900, good=lambda time: False) == math.inf
    watch = Watch(pool(1), detector=FinagleFailureAccrual(policy="success_rate", minimum_requests=3))
    assert steady(watch, every=12, until=900, good=lambda time: False) == 36


def test_each_policy_may_work_alone():
    watch = Watch(pool(1), detector=FinagleFailureAccrual(policy="consecutive_failures"))
    assert steady(watch, every=1, until=900, good=lambda time: time % 5 == 0) == math.inf
    watch = Watch(pool(1), detector=FinagleFailureAccrual())
    assert steady(watch, every=1, until=900, good=lambda time: time % 5 == 0) == 31


@given(st.lists(st.tuples(st.floats(0, 8), st.integers(0, 7), st.booleans()), max_size=120))
@settings(max_examples=50)
def test_a_server_that_is_out_always_has_a_way_back(steps: list[tuple[float, int, bool]]):
    watch = Watch(pool(1), detector=FinagleFailureAccrual(consecutive_failures=2))
    time, probing = 0.0, False
    for gap, outcome, sends in steps:
        time += gap
        watch.advance(time)
        if sends and not watch.ejected():
            probing = watch.pick(time, 0) == CHANGED or probing
        else:
            watch.answer(time, 0, Outcome(outcome))
            probing = probing and outcome == int(Outcome.NO_HEALTHY_SERVER) and bool(watch.ejected())
        assert not watch.ejected() or watch.state.until[0] <= time + 300 or probing


@pytest.mark.slow
def test_accrual_is_the_same_compiled():
    def script(*, fast: bool) -> tuple[Any, ...]:
        detector = FinagleFailureAccrual(consecutive_failures=3, window=4, longest_backoff=40)
        watch = Watch(pool(3), detector=detector, fast=fast, seed=9)
        chance = seeded(4)
        seen = []
        for number in range(900):
            time = 0.1 * number
            server = int(chance.random() * 3)
            seen.append(watch.pick(time, server))
            bad = chance.random() < 0.4 * server
            seen.append(watch.answer(time, server, Outcome(int(chance.random() * 8)) if bad else OK))
        return seen, watch.everything()

    assert script(fast=False) == script(fast=True)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"required_success_rate": 1.1}, "less than or equal to 1"),
        ({"consecutive_failures": 0}, "greater than or equal to 1"),
        ({"longest_backoff": "1s"}, "longest_backoff of shortest_backoff or more"),
        ({"window": "10us"}, "1ms or more"),
        ({"policy": "none"}, "'hybrid'"),
    ],
)
def test_a_setting_out_of_range_is_refused(given: dict[str, Any], allowed: str):
    with pytest.raises(ValidationError, match=allowed):
        DETECTORS.read({"kind": "finagle.failure_accrual", **given})
