"""HAProxy's dynamic weighted round robin: the FWRR trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.haproxy._weights import (
    MOST_EFFECTIVE,
    MOST_WEIGHT,
    SCALE,
    check_weights,
    effective_weight,
)

# `ints` begins with the group's state; then comes a block for each server. A tree is the servers that
# name it, ordered by key and then by the number of their insertion. The trees FIRST and SECOND take
# turns at being "init", of servers that have not had their first turn in this cycle, and "next", of
# those that wait for the next one; CURRENT holds those with a place in this cycle.
POSITION, CYCLE, NEXT_CYCLE, INIT, INSERTIONS = 0, 1, 2, 3, 4
BLOCKS = 5
TREE, KEY, ORDER, PLACE, LAST_PLACE, REMAINDER, WEIGHT, CHAIN = 0, 1, 2, 3, 4, 5, 6, 7
BLOCK = 8
NOWHERE, FIRST, SECOND, CURRENT, DRAWN = 0, 1, 2, 3, 4


def pick(view: View, rng: Generator) -> int:
    """Take the server whose place has come, else the heaviest that has had no turn in this cycle.

    Full servers on the way, and the one to avoid, lose their turn: they are queued anew as if they had
    been picked. Where no other server has room the one to avoid is taken all the same.
    """
    ints = view.ints
    follow_changes(view)
    full = -1
    avoided = NO_HEALTHY_SERVER
    switched = False
    while True:
        if ints[CYCLE] == 0:
            ints[POSITION] = ints[CYCLE] = ints[NEXT_CYCLE]
        server = next_in_line(view)
        if server < 0 and not switched:
            switched = True
            ints[INIT] = FIRST + SECOND - ints[INIT]
            ints[CYCLE] = ints[POSITION] = ints[NEXT_CYCLE]
            server = next_in_line(view)
        if server < 0:
            server = avoided
            break
        advance(view, server)
        ints[BLOCKS + BLOCK * server + TREE] = DRAWN
        ints[POSITION] += 1
        if view.usable[server]:
            if server != view.avoid[0] or avoided >= 0:
                break
            avoided = server
        ints[BLOCKS + BLOCK * server + CHAIN] = full
        full = server
    if server >= 0:
        queue(view, server)
    while full >= 0:
        if full != server and switched:
            queue_by_weight(view, full, ints[INIT])
        elif full != server:
            queue(view, full)
        full = ints[BLOCKS + BLOCK * full + CHAIN]
    return server


def next_in_line(view: View) -> int:
    """Find the head of the current tree if its turn has come, else of "init", else of the current one."""
    ints = view.ints
    due = -1
    fresh = -1
    for server in range(len(view.usable)):
        own = BLOCKS + BLOCK * server
        if ints[own + TREE] == CURRENT:
            head = due
        elif ints[own + TREE] == ints[INIT]:
            head = fresh
        else:
            continue
        best = BLOCKS + BLOCK * head
        if head < 0 or (
            ints[own + KEY] < ints[best + KEY]
            or (ints[own + KEY] == ints[best + KEY] and ints[own + ORDER] < ints[best + ORDER])
        ):
            if ints[own + TREE] == CURRENT:
                due = server
            else:
                fresh = server
    if fresh < 0 or (due >= 0 and ints[BLOCKS + BLOCK * due + PLACE] <= ints[POSITION]):
        return due
    own = BLOCKS + BLOCK * fresh
    ints[own + PLACE] = ints[own + REMAINDER] = 0
    return fresh


def advance(view: View, server: int) -> None:
    """Give a server its next place: a cycle's weight divided by its own, remainders adding up."""
    ints = view.ints
    own = BLOCKS + BLOCK * server
    weight = ints[own + WEIGHT]
    if ints[own + PLACE] == 0:
        ints[own + PLACE] = ints[POSITION]
    ints[own + LAST_PLACE] = ints[own + PLACE]
    ints[own + PLACE] += ints[NEXT_CYCLE] // weight
    ints[own + REMAINDER] += ints[NEXT_CYCLE] % weight
    if ints[own + REMAINDER] >= weight:
        ints[own + REMAINDER] -= weight
        ints[own + PLACE] += 1


def queue(view: View, server: int) -> None:
    """Put a server at its place in the current tree, or into "next" if that lies beyond the cycle."""
    ints = view.ints
    own = BLOCKS + BLOCK * server
    place = ints[own + PLACE]
    if place >= 2 * ints[CYCLE] or place >= ints[CYCLE] + ints[NEXT_CYCLE]:
        ints[own + PLACE] -= ints[CYCLE]
        queue_by_weight(view, server, FIRST + SECOND - ints[INIT])
    else:
        slack = MOST_EFFECTIVE + ints[own + REMAINDER] - ints[own + WEIGHT]
        ints[own + KEY] = MOST_WEIGHT * place + slack // SCALE
        ints[own + TREE] = CURRENT
        ints[own + ORDER] = ints[INSERTIONS]
        ints[INSERTIONS] += 1


def queue_by_weight(view: View, server: int, tree: int) -> None:
    """Put a server into a tree in which heavier ones come first."""
    ints = view.ints
    own = BLOCKS + BLOCK * server
    ints[own + KEY] = MOST_EFFECTIVE - ints[own + WEIGHT]
    ints[own + TREE] = tree
    ints[own + ORDER] = ints[INSERTIONS]
    ints[INSERTIONS] += 1


def follow_changes(view: View) -> None:
    """Take over weights and states that have changed since the last pick."""
    ints = view.ints
    for server in range(len(view.usable)):
        own = BLOCKS + BLOCK * server
        old = ints[own + WEIGHT]
        new = effective_weight(view.weight[server], view.in_service[server], view.ramp[server])
        if new == old:
            continue
        ints[NEXT_CYCLE] += new - old
        ints[own + WEIGHT] = new
        if new == 0:
            ints[own + TREE] = NOWHERE
        elif old == 0:
            left = ints[NEXT_CYCLE] + ints[CYCLE] - ints[POSITION]
            ints[own + PLACE] = ints[POSITION] + (left & 0xFFFFFFFF) // new
            queue(view, server)
        elif ints[own + TREE] == ints[INIT]:
            queue_by_weight(view, server, ints[INIT])
        else:
            move(view, server)


def move(view: View, server: int) -> None:
    """Bring a server's place forward, or leave it, after its weight has changed."""
    ints = view.ints
    own = BLOCKS + BLOCK * server
    if ints[own + TREE] != CURRENT:
        ints[own + PLACE] += ints[CYCLE]
    step = ints[NEXT_CYCLE] // ints[own + WEIGHT]
    ints[own + PLACE] = min(ints[own + PLACE], ints[own + LAST_PLACE] + step)
    ints[own + REMAINDER] = 0
    if ints[own + PLACE] < ints[POSITION] + 2:
        ints[own + PLACE] = ints[POSITION] + step
    queue(view, server)


@STRATEGIES.register
class HaproxyRoundrobin(Strategy):
    """Weighted round robin that spreads turns over the cycle and follows changed weights.

    A full server (HAProxy's maxconn, here the limit) is passed over but keeps its place in the cycle; if
    all are full the request waits at the balancer.
    """

    summary: ClassVar[str] = "weighted round robin that follows changed weights"
    source: ClassVar[str] = "HAProxy 2.6 (lb_fwrr.c)"
    kind: Literal["haproxy.roundrobin"] = "haproxy.roundrobin"
    pick = staticmethod(pick)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin with every server in "init", in their order."""
        check_weights(self.kind, servers)
        total = SCALE * sum(servers.weight)
        ints = [total, total, total, FIRST, servers.count]
        for order, weight in enumerate(servers.weight):
            effective = SCALE * weight
            tree = FIRST if weight else NOWHERE
            ints += (tree, MOST_EFFECTIVE - effective, order, 0, 0, 0, effective, -1)
        return Memory(ints, [])
