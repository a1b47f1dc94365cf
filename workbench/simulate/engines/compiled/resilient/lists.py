"""Lists of attempts: at a server, in a balancer's queue, or held by a partition.

An attempt is in one at most. The functions are plain Python that Numba compiles; the control code calls
them interpreted, too.
"""

from __future__ import annotations

from workbench.simulate.engines.compiled.resilient.world import NOWHERE, World

SERVING, WAITING, ERRING = range(3)
"""A server's lists."""


def at_server(server: int, which: int) -> int:
    """Find a list of a server."""
    return 3 * server + which


def at_desk(w: World, desk: int, server: int) -> int:
    """Find the queue of a desk for a server; for -1 that of all."""
    servers = len(w.machines)
    return 3 * servers + desk * (servers + 1) + 1 + server


def held_list(w: World) -> int:
    """Find the list of messages that partitions hold."""
    return len(w.lists) - 1


def append(w: World, which: int, attempt: int) -> None:
    """Put an attempt at the end of a list."""
    those, one = w.lists[which], w.attempts[attempt]
    one.listed = which
    one.ahead = those.last
    one.behind = NOWHERE
    if those.last == NOWHERE:
        those.first = attempt
    else:
        w.attempts[those.last].behind = attempt
    those.last = attempt
    those.length += 1


def remove(w: World, attempt: int) -> None:
    """Take an attempt out of its list."""
    one = w.attempts[attempt]
    those = w.lists[one.listed]
    if one.ahead == NOWHERE:
        those.first = one.behind
    else:
        w.attempts[one.ahead].behind = one.behind
    if one.behind == NOWHERE:
        those.last = one.ahead
    else:
        w.attempts[one.behind].ahead = one.ahead
    one.listed = NOWHERE
    those.length -= 1
