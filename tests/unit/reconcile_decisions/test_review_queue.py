"""How long reviews wait, against queueing theory and against days counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.reconcile.review_queue import review_load
from workbench.reconcile.reviewers import DAY, WEEK, Hours, Inflow, Reviewers
from workbench.simulate.services import Deterministic, Exponential

HOUR = 3600.0
ALWAYS = Hours(start=0.0, end=DAY, days=7)


def erlang_c_wait(servers: int, load: float, mean: float) -> float:
    """Give the mean wait of M/M/c by the recursion of Erlang's loss formula."""
    offered, blocking = servers * load, 1.0
    for server in range(1, servers + 1):
        blocking = offered * blocking / (server + offered * blocking)
    waiting = blocking / (1 - load * (1 - blocking))
    return waiting * mean / (servers * (1 - load))


def test_reviews_around_the_clock_wait_as_erlang_says():
    reviewers = Reviewers(count=3, service=Exponential(mean=600.0), hours=ALWAYS)
    per_day = 0.75 * 3 * DAY / 600.0
    found = review_load(
        per_day, reviewers=reviewers, inflow=Inflow(kind="all_day", days=7), replications=30, seed=3
    )
    assert found.load == pytest.approx(0.75)
    expected = erlang_c_wait(3, 0.75, 600.0)
    # The interval holds at 95 %; widened to about 99.9 %.
    half = 1.7 * (found.wait_mean.high - found.wait_mean.value)
    assert abs(found.wait_mean.value - expected) <= half
    assert half < 0.35 * expected


def test_a_daily_batch_waits_for_the_shift_and_for_its_turn():
    # About 48 of 10 minutes each, from 9 o'clock on, for one who works 8 hours: none is left overnight.
    reviewers = Reviewers(count=1, service=Deterministic(value=600.0), hours=Hours(days=5))
    found = review_load(24, reviewers=reviewers, inflow=Inflow(at=6 * HOUR, days=5), replications=20, seed=1)
    # Number k of a batch waits 3 h and k times 10 min; batches are Poisson, so of mean (24 + 24^2) / 2 pairs.
    expected = 3 * HOUR + 600.0 * (24 + 24**2 - 24) / 2 / 24
    assert found.wait_mean.value == pytest.approx(expected, rel=0.03)


def test_a_shift_that_ends_goes_on_the_next_morning():
    # Two days of work come each Monday: whoever comes last waits until Tuesday evening.
    reviewers = Reviewers(count=1, service=Deterministic(value=HOUR), hours=Hours(days=5))
    found = review_load(15.9, reviewers=reviewers, inflow=Inflow(at=9 * HOUR, days=1), seed=2)
    assert found.wait_p95.value > 24 * HOUR
    assert found.wait_mean.value > 7 * HOUR


def test_more_reviewers_wait_less_and_the_busier_wait_longer():
    def wait(count: int, per_day: float) -> float:
        found = review_load(per_day, reviewers=Reviewers(count=count), inflow=Inflow())
        return found.wait_p95.value

    assert wait(4, 140) < wait(2, 140) < wait(2, 250)


def test_a_load_beyond_the_reviewers_has_no_wait_to_tell():
    found = review_load(400, reviewers=Reviewers(count=2), inflow=Inflow())
    assert found.load == pytest.approx(400 * 180 / (2 * 8 * HOUR))
    assert (found.wait_p95, found.wait_mean) == (None, None)


def test_nothing_to_review_waits_no_time():
    assert review_load(0, reviewers=Reviewers(), inflow=Inflow()).wait_p95.value == 0.0


def test_a_trickle_of_reviews_is_no_error():
    found = review_load(0.001, reviewers=Reviewers(), inflow=Inflow(), replications=2)
    assert found.load < 1e-4


def test_the_same_seed_gives_the_same_wait():
    assert review_load(50, reviewers=Reviewers(), inflow=Inflow(), seed=9) == review_load(
        50, reviewers=Reviewers(), inflow=Inflow(), seed=9
    )


@pytest.mark.parametrize(
    ("per_day", "replications"), [(-1, 10), (float("nan"), 10), (float("inf"), 10), (5, 1)]
)
def test_what_cannot_be_simulated_is_refused(per_day: float, replications: int):
    with pytest.raises(InputError, match="reviews a day, replications: given"):
        review_load(per_day, reviewers=Reviewers(), inflow=Inflow(), replications=replications)


@pytest.mark.parametrize(
    ("time", "worked"),
    [
        (0.0, 0.0),  # Monday midnight
        (10 * HOUR, 1 * HOUR),
        (20 * HOUR, 8 * HOUR),
        (DAY + 9 * HOUR, 8 * HOUR),
        (5 * DAY + 12 * HOUR, 40 * HOUR),  # Saturday noon
        (WEEK + 9.5 * HOUR, 40.5 * HOUR),
    ],
)
def test_working_time_counts_shifts_only(time: float, worked: float):
    assert Hours().worked(np.array([time]))[0] == pytest.approx(worked)


@given(
    st.lists(st.floats(0, 20 * WEEK), min_size=1, max_size=50),
    st.floats(0, DAY - 120),
    st.floats(60, DAY),
    st.integers(1, 7),
)
def test_the_clock_goes_on_from_where_the_shift_is(times, start: float, length: float, days: int):
    hours = Hours(start=start, end=min(start + length, DAY), days=days)
    moments = np.sort(np.array(times))
    worked = hours.worked(moments)
    assert (np.diff(worked) >= -1e-6).all()
    begun = hours.clock(worked)
    # What comes in a shift is begun at once, what comes outside at the beginning of the next.
    inside = (
        (moments % WEEK // DAY < days) & (moments % DAY > start + 1e-3) & (moments % DAY < hours.end - 1e-3)
    )
    assert np.allclose(begun[inside], moments[inside], atol=1e-4)
    assert np.allclose(hours.worked(begun), worked, atol=1e-4)
