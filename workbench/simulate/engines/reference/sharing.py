"""A server whose requests share it equally, by virtual time.

Virtual time is the service that each request has had since the server was last empty, in seconds of
demand. It goes on at speed x min(1, slots / n) while n requests are there, so a request ends when it
has risen by the request's demand, and none but the next to end need be looked at. The compiled engine
does the same arithmetic in the same order.
"""

from __future__ import annotations

import math
from heapq import heappop, heappush

from workbench.simulate.engines.reference.server import Server


class SharingServer(Server):
    """One server of the pool, with all requests in service at once."""

    __slots__ = ("due", "inside", "slots", "updated", "virtual")

    def __init__(
        self, index: int, *, slots: int, speed: float, queue_limit: int | None, delay: float
    ) -> None:
        super().__init__(index, slots=slots, speed=speed, queue_limit=queue_limit, delay=delay)
        self.slots = slots
        self.inside: list[tuple[float, int]] = []
        """The virtual time at which each request ends, and its number; a heap."""
        self.virtual = 0.0
        """As of `updated`, seconds of demand."""
        self.updated = 0.0
        self.due = math.inf
        """When the next request ends, if nobody comes before."""

    @property
    def beyond(self) -> int:
        """Requests beyond those that all slots would serve."""
        return max(0, len(self.inside) - self.slots)

    @property
    def free_slots(self) -> int:
        """Slots that nobody would need."""
        return max(0, self.slots - len(self.inside))

    @property
    def full(self) -> bool:
        """Whether a request would be refused."""
        return self.limit is not None and len(self.inside) >= self.slots + self.limit

    def admit(self, request: int, demand: float, now: float) -> None:
        """Let a request in."""
        if self.inside:
            self.virtual += (now - self.updated) * self._rate()
        self.updated = now
        heappush(self.inside, (self.virtual + demand, request))
        self._plan(now)

    def ends(self, request: int, now: float) -> bool:
        """Tell whether a request ends now; else its end has moved meanwhile."""
        return self.due == now and self.inside[0][1] == request

    def leave(self, now: float) -> None:
        """Let the request go that ends now."""
        self.virtual, _ = heappop(self.inside)
        self.updated = now
        if self.inside:
            self._plan(now)
        else:
            self.virtual, self.due = 0.0, math.inf

    def all_ends(self, now: float) -> list[float]:
        """Tell when each request would end if nobody else came, the next one first."""
        left, ends = sorted(tag for tag, _ in self.inside), []
        virtual, time, count = self.virtual, self.updated, len(left)
        for place, tag in enumerate(left):
            time += (tag - virtual) / (self.speed * min(1.0, self.slots / (count - place)))
            virtual = tag
            ends.append(max(time, now))
        return ends

    def _rate(self) -> float:
        """Seconds of demand that each request is served a second."""
        count = len(self.inside)
        return self.speed if count <= self.slots else self.speed * (self.slots / count)

    def _plan(self, now: float) -> None:
        self.due = now + max(0.0, self.inside[0][0] - self.virtual) / self._rate()
