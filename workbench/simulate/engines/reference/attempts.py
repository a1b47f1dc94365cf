"""What a run in which things fail keeps of each try: a client's calls, and the attempts that they become."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from workbench.simulate.records import Attempts
from workbench.tables import Outcome

NOWHERE = -1


class Call:
    """One passage of a request through a balancer: the client's try, which may take several attempts."""

    __slots__ = (
        "attempt",
        "balancer",
        "failed_at",
        "first",
        "number",
        "open",
        "request",
        "retrying",
        "tries",
    )

    def __init__(self, request: int, balancer: int, number: int, now: float) -> None:
        self.request = request
        self.balancer = balancer
        self.number = number
        """0 for the client's first try."""
        self.first = now
        """When it reached the balancer, seconds."""
        self.tries = 0
        """Attempts so far."""
        self.failed_at: list[int] = []
        """Servers that failed it, the last one last."""
        self.attempt: Attempt | None = None
        """The attempt under way."""
        self.retrying = False
        """Whether what is under way is a retry that counts against a budget of retries at once."""
        self.open = True


class Attempt:
    """One sending of a request to a server, or into a balancer's queue on the way there."""

    __slots__ = (
        "begin",
        "call",
        "came",
        "depth",
        "due",
        "ended",
        "epoch",
        "finish",
        "left",
        "number",
        "outcome",
        "queued",
        "sent",
        "server",
        "told",
        "updated",
    )

    def __init__(self, number: int, call: Call, now: float) -> None:
        self.number = number
        self.call = call
        self.came = now
        """When the balancer picked, seconds."""
        self.sent = math.nan
        """When it was sent to the server; later than `came` if it waited in the balancer's queue."""
        self.server = NOWHERE
        self.begin = math.nan
        self.finish = math.nan
        """When its service ended, or was broken off."""
        self.ended = math.nan
        """When the balancer was done with it."""
        self.outcome = Outcome.OK
        self.told = Outcome.OK
        """What the server says."""
        self.depth = NOWHERE
        """Requests waiting at the server when it came there."""
        self.queued = NOWHERE
        """While it waits in the balancer's queue: its place in the order of coming."""
        self.epoch = 0
        """Which life of the balancer counts it in flight."""
        self.left = 0.0
        """Service demand that is left as of `updated`."""
        self.updated = 0.0
        self.due = math.inf
        """When its service will end."""

    @property
    def over(self) -> bool:
        """Whether the balancer is done with it."""
        return not math.isnan(self.ended)


def gather(attempts: Sequence[Attempt]) -> Attempts:
    """Gather attempts into arrays."""
    sent = np.array([one.sent for one in attempts])
    server = np.array([one.server for one in attempts], np.int64)
    return Attempts(
        request=np.array([one.call.request for one in attempts], np.int64),
        call=np.array([one.call.number for one in attempts], np.int64),
        came=np.array([one.came for one in attempts]),
        sent=sent,
        begin=np.array([one.begin for one in attempts]),
        finish=np.array([one.finish for one in attempts]),
        ended=np.array([one.ended for one in attempts]),
        balancer=np.array([one.call.balancer for one in attempts], np.int64),
        server=np.where(np.isnan(sent), NOWHERE, server),
        outcome=np.array([one.outcome for one in attempts], np.int64),
        queue_depth=np.array([one.depth for one in attempts], np.int64),
    )
