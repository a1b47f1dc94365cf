"""The order in which a fresh balancer picks, without a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from numpy.random import Generator

from workbench.errors import InputError
from workbench.simulate.balancers import Balancers
from workbench.simulate.detectors import NOTHING
from workbench.simulate.detectors.nginx import NginxMaxFails
from workbench.simulate.engines.reference.attempts import Attempt, Call
from workbench.simulate.engines.reference.desk import Desk, Rngs
from workbench.simulate.failover.in_order import InOrder
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Strategy
from workbench.simulate.streams import Stream, generator
from workbench.tables import Outcome


class Failing(NamedTuple):
    """A server that fails for a while."""

    server: int
    """From 0."""
    first: int
    """The first request, from 0, that fails there if it is sent there."""
    last: int
    """The last one."""


def pick_sequence(
    strategy: Strategy,
    servers: Servers,
    *,
    count: int,
    keys: Sequence[str] = (),
    hold: bool = False,
    down: Sequence[int] = (),
    failing: Sequence[Failing] = (),
    max_fails: int | None = None,
    interval: float = 1.0,
    seed: int = 1,
) -> list[list[int]]:
    """Let a fresh balancer pick again and again.

    Args:
        strategy: how it picks.
        servers: the pool.
        count: number of requests.
        keys: keys that the requests carry in turn, from the first again after the last.
        hold: requests never finish; otherwise each has its answer, at once, before the next comes.
        down: servers, from 0, that are never in service.
        failing: what fails; a failed request is picked anew, at once, as often as the strategy's product
            tries by default, and nginx takes a server out as its `max_fails` says.
        max_fails: failures that put a server of nginx out for 10 s; 1 if not given.
        interval: seconds from one request to the next, 0 or more.
        seed: of the balancer's own draws.

    Returns:
        The servers that each request was sent to, one after the other, from 0; it failed at all but the
        last one, and there too if it could be sent nowhere else. The last one is -1 where there was none.

    Raises:
        InputError: the strategy hashes and there are no keys, there is no such server, or `max_fails` is
            given for another product than nginx.
    """
    if strategy.needs_keys and not keys:
        raise InputError(f"keys: given none; allowed: at least one, since {strategy.kind} hashes keys")
    for what, server in [("down", one) for one in down] + [("fail", one.server) for one in failing]:
        if not 0 <= server < servers.count:
            raise InputError(f"{what}: given {server}; allowed: a server from 0 to {servers.count - 1}")
    if max_fails is not None and strategy.product != "nginx":
        raise InputError(
            f"max_fails: given {max_fails} for {strategy.kind}; allowed: for strategies of nginx"
        )
    names = list(dict.fromkeys(keys))
    numbers = {name: number for number, name in enumerate(names)}
    desk = _fresh_desk(strategy, servers, names, max_fails)
    for server in down:
        desk.drained[server] = 1
        desk.reassess(server, 0.0)
    rngs = Rngs(*(_stream(seed, stream) for stream in (Stream.BALANCER, Stream.FAILOVER)))
    detecting = _stream(seed, Stream.DETECTORS)
    found = []
    for number in range(count):
        if failing:
            _release(desk, number * interval)
        failed = {one.server for one in failing if one.first <= number <= one.last}
        key = numbers[keys[number % len(keys)]] if keys else 0
        call = Call(number, 0, 0, number * interval)
        found.append(_send(desk, call, rngs, detecting, key=key, failed=failed, hold=hold))
    return found


def _stream(seed: int, stream: Stream) -> Generator:
    return generator(seed, replication=0, stream=stream, index=0)


def _fresh_desk(strategy: Strategy, servers: Servers, names: list[str], max_fails: int | None) -> Desk:
    """Let a balancer begin. It does not panic: what is down is not picked."""
    detector = None if max_fails is None else NginxMaxFails(max_fails=max_fails)
    settings = Balancers(strategy=strategy, detector=detector, failover=InOrder())
    idle = [0] * servers.count
    return Desk(0, settings, servers, names, pool=idle, sent=list(idle), rules=settings.retry_rules())


def _send(
    desk: Desk, call: Call, rngs: Rngs, detecting: Generator, *, key: int, failed: set[int], hold: bool
) -> list[int]:
    """Send a request, and send it on where it fails; tell where to."""
    now = call.first
    most = desk.rules.most or sum(weight > 0 for weight in desk.servers.weight)
    sent: list[int] = []
    while call.tries < most:
        server = desk.choose(call, now, rngs, key=key, demand=1.0)
        sent.append(max(server, -1))
        if server < 0:
            break
        waits = desk.is_full(server)
        desk.count_in(server)
        if waits:
            break
        attempt = Attempt(call.request, call, now)
        attempt.server = server
        attempt.outcome = Outcome.UNREACHABLE if server in failed else Outcome.OK
        _note(desk, attempt, now, detecting, hold=hold)
        if attempt.outcome is Outcome.OK:
            break
        call.tries += 1
        call.failed_at.append(server)
    return sent


def _note(desk: Desk, attempt: Attempt, now: float, rng: Generator, *, hold: bool) -> None:
    """Let strategy and detector know of a request that is sent, and of its end unless it is held."""
    detector, server = type(desk.detector), attempt.server
    desk.begin(attempt, now)
    if detector.picked is not None and detector.picked(desk.learnt, server) != NOTHING:
        desk.reassess(server, now)
    if hold and attempt.outcome is Outcome.OK:
        return
    desk.end(attempt, now)
    if detector.answered(desk.learnt, desk.checks, server, attempt.outcome, 0.0, rng) != NOTHING:
        desk.reassess(server, now)


def _release(desk: Desk, now: float) -> None:
    """Let back in what was out until now."""
    released = type(desk.detector).released
    desk.now[0] = now
    for server in range(desk.servers.count):
        if desk.learnt.ejected[server] and desk.learnt.until[server] <= now:
            if released is not None:
                released(desk.learnt, server)
            else:
                desk.learnt.ejected[server] = 0
            desk.reassess(server, now)
