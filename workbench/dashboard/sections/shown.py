"""What of a run is shown."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.dashboard.addresses import Window
from workbench.store import Run


@dataclass(frozen=True)
class ShownRun:
    """A run and the window that its figures are of.

    Args:
        run: a complete run.
        window: from and to on the simulated clock, seconds; None is the measured window.
        keeps_requests: whether its requests are stored.
    """

    run: Run
    window: Window | None
    keeps_requests: bool

    @property
    def run_id(self) -> int:
        """Its number."""
        return self.run.run_id

    @property
    def length_s(self) -> float:
        """When arrivals ended, seconds."""
        return (self.run.end_us or 0) / 1e6

    @property
    def window_s(self) -> Window:
        """The window in seconds, whether chosen or measured."""
        return self.window or ((self.run.warm_up_us or 0) / 1e6, self.length_s)
