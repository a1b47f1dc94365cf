"""What is left to be done at the present instant: a stack, since compiled functions cannot call each other in
a ring. A function that must go on after another one puts its own rest on the stack first.

The numbers of steps, of events and of reasons to stop stand here, too.
"""

from __future__ import annotations

from workbench.simulate.engines.compiled.agenda import KIND_SHIFT
from workbench.simulate.engines.compiled.resilient.world import Count, World
from workbench.simulate.engines.reference.clock import Kind

DEPTH = int(Count.DEPTH)

DONE, MORE, ROOM, WRONG_PICK, CONTROL, STOP, FOLLOW, LEARNT = range(8)
"""Why the kernel stops: all is done; it needs more of the workload, or of memory; a pick was wrong; an event
of the control code, or the stop of a server; a desk must follow a pick, or what its detector has learnt."""

(
    OVER,
    AFTER_END,
    CONCLUDE,
    PULL,
    PULL_MORE,
    FINISH,
    FINISHED,
    CLOSE_ALL,
    TRY_FAILED,
    SENT,
    PLACE_ANEW,
    REPLY,
    CARRY,
) = range(13)
"""Steps. Three numbers follow: what they are about, and outcome or server."""

(
    SERVED,
    FAILED,
    REPLIED,
    CAME_THERE,
    CAME_BACK,
    DEADLINE,
    PATIENCE,
    HEDGE,
    CALL_TIMEOUT,
    QUEUE_TIMEOUT,
    TRY_TIMEOUT,
    AGAIN,
    ASK_AGAIN,
    SEND,
    CONTROLLED,
    STOPPED,
) = (number << KIND_SHIFT for number in range(16))
"""What an event does, as the high bits of its load."""

AT_FINISH, AT_ANSWER, AT_FAULT, AT_REACH, AT_TIMER, AT_AGAIN, AT_ARRIVE = (
    int(kind) << KIND_SHIFT
    for kind in (Kind.FINISH, Kind.ANSWER, Kind.FAULT, Kind.REACH, Kind.TIMER, Kind.AGAIN, Kind.ARRIVE)
)
"""Kinds of events, as the high bits of a code."""


def push(w: World, step: int, about: int, first: int, second: int) -> None:
    """Put a step on the stack; there must be room."""
    depth = w.counts[DEPTH]
    w.stack[depth, 0] = step
    w.stack[depth, 1] = about
    w.stack[depth, 2] = first
    w.stack[depth, 3] = second
    w.counts[DEPTH] = depth + 1
