"""Failures by chance against their distributions, and the queue with breakdowns against its formula."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.unit.simulate.faults.told import POOL, fault, lasting, pool, streams, told
from workbench.simulate.faults import Effect

LEVEL = 1e-3
"""A right process fails one of these tests with this probability, if its draws change."""


def exponential(mean: float) -> dict[str, Any]:
    return {"kind": "exponential", "mean": mean}


def ups_and_downs(keys: dict[str, Any], *, until: float, server: int = 0) -> tuple[Any, Any]:
    """How long a server was up and then down, in turn, seconds."""
    changes = told(fault("crash", servers="web-0", **keys), until=until)
    begun, ended = np.array(lasting(changes, Effect.CRASH, server)).T
    return begun - np.concatenate(([keys.get("from_", 0.0)], ended[:-1])), ended - begun


@pytest.mark.parametrize(
    ("to_failure", "to_repair", "up", "down"),
    [
        (exponential(10), exponential(2), stats.expon(scale=10), stats.expon(scale=2)),
        (
            {"kind": "erlang", "mean": 9, "stages": 3},
            {"kind": "pareto", "least": 1, "alpha": 2.5},
            stats.gamma(3, scale=3),
            stats.pareto(2.5),
        ),
    ],
)
@pytest.mark.parametrize("begin", [0, 50])
def test_times_to_failure_and_to_repair_follow_their_distributions(
    to_failure: Any, to_repair: Any, up: Any, down: Any, begin: float
):
    keys = {"time_to_failure": to_failure, "time_to_repair": to_repair, "from_": begin}
    ups, downs = ups_and_downs(keys, until=100_000)
    assert len(ups) > 5000
    assert stats.kstest(ups, up.cdf).pvalue > LEVEL
    assert stats.kstest(downs, down.cdf).pvalue > LEVEL
    assert stats.spearmanr(ups, downs).pvalue > LEVEL


def test_a_server_is_down_for_its_share_of_the_time():
    """Mean repair by mean cycle, here 2 of 12; cycles are independent, so the ratio's error is known."""
    ups, downs = ups_and_downs({"time_to_failure": exponential(10), "time_to_repair": 2}, until=100_000)
    cycles = ups + downs
    residual = downs - cycles * 2 / 12
    assert stats.ttest_1samp(residual, 0.0).pvalue > LEVEL


def test_servers_fail_independently_unless_together():
    """The number of servers that fail in 50 s is Poisson; alike for all of them it would vary much more."""
    given = fault("crash", time_to_failure=exponential(10), time_to_repair=0)
    begun = [change.time for change in told(given, until=50_000, servers=pool(20)) if change.begins]
    counts, _ = np.histogram(begun, np.arange(0, 50_001, 50))
    dispersion = counts.var() * len(counts) / 100
    assert stats.chi2.cdf(dispersion, len(counts) - 1) == pytest.approx(0.5, abs=0.5 - LEVEL / 2)


def test_every_server_is_drawn_equally_often():
    given = fault("hang", any=2, together=True, time_to_failure=1, time_to_repair=0.5)
    begun = [change.server for change in told(given, until=6000) if change.begins]
    drawn = Counter(begun)
    # Two of five without replacement: the statistic is chi-square after division by 1 - 2/5, times 5/4.
    expected = len(begun) / 5
    statistic = sum((drawn[server] - expected) ** 2 for server in range(5)) / expected / (1 - 2 / 5) * (4 / 5)
    assert stats.chi2.sf(statistic, 4) > LEVEL


def test_interruptions_are_told_one_ahead():
    """Server and engine need to know the next one when the last has ended, whatever the load."""
    given = fault(
        "interrupt", servers="web-0", time_to_failure=exponential(10), time_to_repair=exponential(2)
    )
    changes = list(islice(given.changes(POOL, 1, streams(3)), 1000))
    assert all(change.begins and change.effect is Effect.INTERRUPT for change in changes)
    ended = np.cumsum([change.seconds + change.value for change in changes])
    told_at = np.array([change.time for change in changes])
    np.testing.assert_allclose(told_at[2:], ended[:-2], rtol=1e-12)
    assert told_at[:2].tolist() == [0, 0]


def test_breakdowns_of_a_busy_server_cost_what_theory_says():
    """M/M/1 that fails only while busy: lambda 0.5, mu 1, failure rate 0.1, repair exponential of mean 2.

    Its mean response time is 3.5 (case `breakdown` of queueing_theory.csv). Requests are served one by
    one here, each interrupted when the work since the last repair reaches the time to failure.
    """
    given = fault(
        "interrupt", servers="web-0", time_to_failure=exponential(10), time_to_repair=exponential(2)
    )
    interruptions = given.changes(POOL, 1, streams(1))
    rng = np.random.default_rng(1)
    arrivals = np.cumsum(rng.exponential(2.0, 200_000)).tolist()
    demands = rng.exponential(1.0, 200_000).tolist()
    free, following = 0.0, next(interruptions)
    left, responses = following.seconds, []
    for arrival, demand in zip(arrivals, demands, strict=True):
        free = max(free, arrival)
        work = demand
        while work >= left:
            free += left + following.value
            work -= left
            following = next(interruptions)
            left = following.seconds
        free += work
        left -= work
        responses.append(free - arrival)
    batches = np.array(responses[20_000:]).reshape(30, -1).mean(axis=1)
    assert stats.ttest_1samp(batches, 3.5).pvalue > LEVEL
    assert stats.sem(batches) < 0.1
