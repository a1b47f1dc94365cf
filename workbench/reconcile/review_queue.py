"""How long proposals wait for a reviewer, by the workbench's own simulator.

The reviewers are one server with a slot each, so whoever is free takes the proposal that waited
longest. The simulation runs in working time, the shifts laid end to end; what comes outside a shift
comes at the beginning of the next, and waits are turned back into time of the clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import stdtrit

from workbench.errors import InputError
from workbench.quantities import Extent
from workbench.reconcile.intervals import LEVEL, Estimate
from workbench.reconcile.reviewers import DAY, Hours, Inflow, Reviewers
from workbench.simulate import Engine, ReferenceEngine, Scenario, Workload, read_strategy
from workbench.simulate.arrivals import ArrivalProcess, Arrivals, ArrivalSource
from workbench.simulate.balancers import Balancers
from workbench.simulate.pool import ServerGroup
from workbench.simulate.streams import Stream, generator

REPLICATIONS = 10
WARM_UP_WEEKS = 2
WEEKS = 26
"""Weeks of one replication at most, after the warm-up."""
_REVIEWS = 4_000
"""Reviews of one replication at most, about; a replication has at least one week."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReviewLoad:
    """What a stream of reviews does to the reviewers."""

    per_day: float
    """Proposals sent to review on a day with a ledger."""
    load: float
    """Work that comes by work that the reviewers can do; from 1 on the queue grows without end."""
    wait_p95: Estimate | None
    """Time until a reviewer begins, 95th percentile, seconds of the clock; None from a load of 1 on."""
    wait_mean: Estimate | None
    """The same, mean."""
    weeks: int
    """Weeks simulated in each replication, after the warm-up."""
    replications: int


class ReviewArrivals(ArrivalProcess):
    """Proposals as they come to the reviewers, in working time."""

    summary: ClassVar[str] = "review arrivals: a ledger's days, in working time"
    kind: Literal["review_arrivals"] = "review_arrivals"
    per_day: float = Field(gt=0)
    """Mean number on a day with a ledger; each day's is Poisson."""
    inflow: Inflow
    hours: Hours
    weeks: int = Field(ge=1)

    def times(self, rng: Generator) -> Floats:
        """Draw all arrivals: seconds since a Monday's midnight, never decreasing."""
        days = np.arange(7 * self.weeks)
        days = days[days % 7 < self.inflow.days]
        counts = rng.poisson(self.per_day, len(days))
        start = np.repeat(days * DAY, counts)
        if self.inflow.kind == "daily_batch":
            return start + self.inflow.at
        return np.sort(start + rng.random(len(start)) * DAY)

    def start(self, rng: Generator, *, replication: int) -> ArrivalSource:
        """Begin at the first shift."""
        times, taken = self.hours.worked(self.times(rng)), 0

        def source(count: int) -> Arrivals:
            nonlocal taken
            part = times[taken : taken + count]
            taken += count
            return Arrivals(part)

        return source

    def mean_rate(self) -> float:
        """Arrivals per second of working time."""
        return self.per_day * self.inflow.days / (self.hours.shift * self.hours.days)


def review_load(
    per_day: float,
    *,
    reviewers: Reviewers,
    inflow: Inflow,
    seed: int = 1,
    replications: int = REPLICATIONS,
    engine: Engine | None = None,
) -> ReviewLoad:
    """Simulate how long reviews wait.

    Args:
        per_day: proposals sent to review on a day with a ledger, 0 or more; each day's number is Poisson.
        reviewers: who reviews, when, and how long it takes.
        inflow: when proposals come.
        seed: of the simulation, 0 or more.
        replications: independent runs that the intervals come from, 2 or more.
        engine: what simulates; the reference engine by default.

    Raises:
        InputError: a number of reviews below 0, or fewer than two replications.
    """
    if not 0.0 <= per_day < math.inf or replications < 2:
        raise InputError(
            f"reviews a day, replications: given {per_day}, {replications}; allowed: 0 or more, 2 or more"
        )
    load = per_day * inflow.days / reviewers.reviews_a_week()
    none = Estimate(0.0, 0.0, 0.0)
    if per_day == 0.0 or load >= 1.0:
        wait = none if per_day == 0.0 else None
        return ReviewLoad(per_day, load, wait, wait, 0, 0)
    weeks = max(1, min(WEEKS, math.ceil(_REVIEWS / (per_day * inflow.days))))
    scenario = _scenario(per_day, reviewers, inflow, weeks=weeks + WARM_UP_WEEKS, seed=seed)
    runner = engine or ReferenceEngine()
    waits = [_waits(scenario, replication, reviewers.hours, runner) for replication in range(replications)]
    seen = [wait for wait in waits if len(wait)]
    return ReviewLoad(
        per_day=per_day,
        load=load,
        wait_p95=_estimate([float(np.quantile(wait, 0.95)) for wait in seen]),
        wait_mean=_estimate([float(wait.mean()) for wait in seen]),
        weeks=weeks,
        replications=len(seen),
    )


def _scenario(per_day: float, reviewers: Reviewers, inflow: Inflow, *, weeks: int, seed: int) -> Scenario:
    hours = reviewers.hours
    return Scenario(
        name="reviewers",
        arrivals=ReviewArrivals(per_day=per_day, inflow=inflow, hours=hours, weeks=weeks),
        service=reviewers.service,
        pool=[ServerGroup(name="reviewers", slots=reviewers.count)],
        balancers=Balancers(strategy=read_strategy("round_robin")),
        horizon=Extent(seconds=(weeks * hours.days + 1) * hours.shift),
        seed=seed,
    )


def _waits(scenario: Scenario, replication: int, hours: Hours, engine: Engine) -> Floats:
    """Give the waits of one replication after its warm-up, seconds of the clock."""
    arrivals = scenario.arrivals
    assert isinstance(arrivals, ReviewArrivals)
    records = engine.run(Workload(scenario, replication=replication))
    came = arrivals.times(generator(scenario.seed, replication=replication, stream=Stream.ARRIVALS))
    measured = came >= WARM_UP_WEEKS * 7 * DAY
    return np.asarray(np.maximum(hours.clock(records.begin[measured]) - came[measured], 0.0))


def _estimate(values: list[float]) -> Estimate | None:
    if len(values) < 2:
        return None
    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, 0.5 + LEVEL / 2.0)) * error
    return Estimate(mean, max(0.0, mean - half), mean + half)
