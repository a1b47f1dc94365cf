"""Small runs in which things fail, and what their tests ask of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from workbench.simulate import Records, Scenario, Workload, load_scenario
from workbench.simulate.engines.reference.resilient import ResilientRun
from workbench.tables import EventKind, Outcome

OK, REFUSED, NOBODY = Outcome.OK, Outcome.REFUSED, Outcome.NO_HEALTHY_SERVER
TIMEOUT, ERROR, UNREACHABLE = Outcome.TIMEOUT, Outcome.SERVER_ERROR, Outcome.UNREACHABLE
ABANDONED, CANCELLED, RESET = Outcome.ABANDONED, Outcome.CANCELLED, Outcome.RESET


class Sent(NamedTuple):
    """One attempt, as a test reads it."""

    server: int
    came: float
    ended: float
    outcome: Outcome


class Finished(NamedTuple):
    """A run that is over, and what it left."""

    run: ResilientRun
    records: Records

    def attempts(self, request: int = 0) -> list[Sent]:
        """Give the attempts of a request in order, times to the microsecond."""
        kept = self.records.attempts
        assert kept is not None
        return [
            Sent(
                int(kept.server[one]),
                round(float(kept.came[one]), 6),
                round(float(kept.ended[one]), 6),
                Outcome(kept.outcome[one]),
            )
            for one in np.flatnonzero(kept.request == request)
        ]

    def outcomes(self) -> list[Outcome]:
        return [Outcome(one) for one in self.records.outcome]

    def answered(self) -> list[float]:
        return [round(float(one), 6) for one in self.records.answered]

    def events(self, *kinds: EventKind) -> list[tuple[float, EventKind, int]]:
        """Give time, kind and server of events of these kinds."""
        return [
            (round(one.time, 6), one.kind, one.server) for one in self.records.events if one.kind in kinds
        ]


def scenario(**changes: Any) -> Scenario:
    """Make a scenario: a request each second from second 1 on, each of 100 ms, for two servers in turn."""
    base: dict[str, Any] = {
        "name": "failing",
        "arrivals": {"kind": "uniform", "rate": 1},
        "service": {"kind": "deterministic", "value": 0.1},
        "pool": {"count": 2},
        "balancers": {"strategy": "round_robin"},
        "horizon": "10 requests",
    }
    return load_scenario(base | changes)


def simulate(**changes: Any) -> Finished:
    """Run a scenario to its end, by the run in which things may fail."""
    run = ResilientRun(Workload(scenario(**changes)), None)
    run.clock.run()
    return Finished(run, run.records())


def burst(count: int, **changes: Any) -> Finished:
    """Run so many requests that come 1 ms apart, the first at 1 ms."""
    arrivals = {"kind": "uniform", "rate": 1000}
    return simulate(**{"arrivals": arrivals, "horizon": f"{count} requests"} | changes)
