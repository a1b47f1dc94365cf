"""M/M/1 at 80 % load for Cimba, which compiles models that stand in a file."""

from __future__ import annotations

import cimba as cb
from cimba import inputs


class Queue(cb.Model):
    """One server and its queue."""

    interarrival: cb.Input[float] = inputs.dist.exponential(mean=1.25)
    service_time: cb.Input[float] = inputs.dist.exponential(mean=1.0)
    queue: cb.Container
    mean_queue: cb.Output[float]

    @cb.process
    def arrivals(self) -> None:
        """Let requests arrive."""
        while True:
            cb.hold(self.interarrival.next())
            self.queue.put(1)

    @cb.process
    def server(self) -> None:
        """Serve one after the other."""
        while True:
            self.queue.get(1)
            cb.hold(self.service_time.next())

    @cb.on_end
    def measure(self) -> None:
        """Keep the mean queue."""
        self.mean_queue = self.queue.mean_level()
