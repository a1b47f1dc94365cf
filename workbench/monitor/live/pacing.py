"""Simulated time against the wall clock."""

from __future__ import annotations

MOST_BEHIND = 1.0
"""Seconds by which a simulation may be behind and still catch up; beyond that it goes on from where it is."""


class Pace:
    """When a simulated time is due on a clock.

    Args:
        speed: simulated seconds in a second; None for as fast as it goes.
        simulated: simulated time now, seconds.
        wall: the clock's time now, seconds.
    """

    def __init__(self, speed: float | None, *, simulated: float, wall: float) -> None:
        self.speed = speed
        self._simulated, self._wall = simulated, wall

    def due(self, simulated: float, *, wall: float) -> float:
        """Say in how many seconds a simulated time is due; below 0 where it should be over already."""
        if self.speed is None:
            return 0.0
        left = self._wall + (simulated - self._simulated) / self.speed - wall
        if left < -MOST_BEHIND:
            self.restart(simulated, wall=wall)
        return left

    def restart(self, simulated: float, *, wall: float) -> None:
        """Let a simulated time be due now, and what follows after it."""
        self._simulated, self._wall = simulated, wall
