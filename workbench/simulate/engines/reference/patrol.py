"""Looks out for requests that would wait for ever, so that a run has an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import SimulationError
from workbench.quantities import format_duration
from workbench.simulate.engines.reference.clock import Kind

if TYPE_CHECKING:
    from workbench.simulate.engines.reference.resilient import ResilientRun

_LONG = 3600.0
"""Simulated seconds in which nothing becomes of any request, before it is asked whether anything will."""
_FAULTS = 10_000
"""Faults that begin or end in vain, after which those to come are not waited for either."""
_REPEATING = frozenset(
    {Kind.CHECKED, Kind.RELEASE, Kind.TICK, Kind.REFRESH, Kind.REWEIGH, Kind.RAMP, Kind.CHECK, Kind.FAULT}
)
"""What goes on by itself, whatever becomes of the requests."""


class Patrol:
    """Ends a run in which only checks, ticks and the like are left to happen."""

    def __init__(self, run: ResilientRun) -> None:
        self.run = run
        self.next = _LONG
        self.moved = 0.0
        """When something last became of a request, as of the last look."""
        self.faults = 0
        """Faults that had begun or ended then."""

    def look(self, now: float) -> None:
        """Refuse to go on if nothing will become of the requests that are left.

        Raises:
            SimulationError: one of them would wait for ever.
        """
        if now < self.next:
            return
        run, self.next = self.run, now + _LONG
        if run.moved != self.moved or not run.source.exhausted:
            self.moved, self.faults = run.moved, run.breakage.applied
            return
        if any(event[1] not in _REPEATING for event in run.clock.events):
            return
        if run.breakage.exhausted or run.breakage.applied - self.faults > _FAULTS:
            self.check_answers()

    def check_answers(self) -> None:
        """Refuse to give records in which a request has no end.

        Raises:
            SimulationError: there is such a request.
        """
        left = sorted(self.run.asking)
        if not left:
            return
        first = self.run.asking[left[0]]
        where = [self.place(call.attempt.server, call.attempt.queued) for call in first.calls if call.attempt]
        count = f"{len(left):,} requests" if len(left) > 1 else "a request"
        raise SimulationError(
            f"{count} would wait for ever: request {left[0]}, sent at "
            f"{format_duration(self.run.arrival[left[0]])}, {where[0] if where else 'has no answer'}; "
            "allowed: an end of every hang and partition (`lasts`, `time_to_repair`), or clients with a "
            "`timeout` or `deadline`, or `retries` or a `queue` with a timeout"
        )

    def place(self, server: int, queued: int) -> str:
        """Say where an attempt is."""
        if server < 0:
            return "waits at its balancer for any server"
        name = self.run.scenario.servers().names[server]
        return f"waits at its balancer for {name}" if queued >= 0 else f"has no answer from {name}"
