"""A server: first come, first served by a number of slots, with a queue that may be bounded."""

from __future__ import annotations

from collections import deque


class Server:
    """One server of the pool."""

    __slots__ = ("delay", "free", "index", "limit", "speed", "waiting")

    def __init__(
        self, index: int, *, slots: int, speed: float, queue_limit: int | None, delay: float
    ) -> None:
        self.index = index
        self.free = slots
        """Slots that serve nobody."""
        self.speed = speed
        self.limit = queue_limit
        """Requests that may wait; None is no limit."""
        self.delay = delay
        """One-way network delay, seconds."""
        self.waiting: deque[int] = deque()
        """Numbers of the requests that wait, the first in the queue first."""

    @property
    def free_slots(self) -> int:
        """Slots that serve nobody."""
        return self.free

    @property
    def full(self) -> bool:
        """Whether a request would be refused."""
        return self.free == 0 and self.limit is not None and len(self.waiting) >= self.limit
