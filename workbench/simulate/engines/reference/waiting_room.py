"""Where requests wait at a balancer for a server that is not full."""

from __future__ import annotations

from collections import deque
from itertools import count

from workbench.simulate.balancers import Queue
from workbench.simulate.engines.reference.attempts import NOWHERE, Attempt


class WaitingRoom:
    """HAProxy's queues: one of the backend, and one for each server that requests insist on.

    When a server has room it takes the one that came first, of its own queue and the backend's.
    """

    def __init__(self, settings: Queue, servers: int) -> None:
        self.settings = settings
        self.common: deque[Attempt] = deque()
        self.own: list[deque[Attempt]] = [deque() for _ in range(servers)]
        self.order = count()
        self.size = 0

    def join(self, attempt: Attempt, server: int) -> bool:
        """Let a request wait, for a server or for any; False where the queue is full."""
        queue = self.common if server < 0 else self.own[server]
        limit = self.settings.limit
        if limit is not None and len(queue) >= limit:
            return False
        attempt.server = server
        attempt.queued = next(self.order)
        queue.append(attempt)
        self.size += 1
        return True

    def leave(self, attempt: Attempt) -> None:
        """Let a request go that has waited for too long, or whose client has gone."""
        queue = self.common if attempt.server < 0 else self.own[attempt.server]
        queue.remove(attempt)
        attempt.queued = NOWHERE
        self.size -= 1

    def next_for(self, server: int, *, takes_common: bool) -> Attempt | None:
        """Take the request that a server with room serves next."""
        own = self.own[server]
        if own and (not takes_common or not self.common or own[0].queued < self.common[0].queued):
            return self.taken(own)
        return self.taken(self.common) if self.common and takes_common else None

    def taken(self, queue: deque[Attempt]) -> Attempt:
        """Take the first of a queue."""
        attempt = queue.popleft()
        attempt.queued = NOWHERE
        self.size -= 1
        return attempt

    def clear(self, server: int) -> list[Attempt]:
        """Send away those that wait for a server which is out of service."""
        gone = list(self.own[server])
        self.own[server].clear()
        self.size -= len(gone)
        for attempt in gone:
            attempt.queued = NOWHERE
        return gone

    def empty(self) -> list[Attempt]:
        """Send all away, those that came first first."""
        gone = sorted([*self.common, *(one for own in self.own for one in own)], key=lambda one: one.queued)
        for queue in (self.common, *self.own):
            queue.clear()
        for attempt in gone:
            attempt.queued = NOWHERE
        self.size = 0
        return gone

    def __len__(self) -> int:
        return self.size
