"""The order in which a fresh balancer picks, without a simulation."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import InputError
from workbench.simulate.balancers import Balancers
from workbench.simulate.engines.reference.balancer import make_balancers
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Strategy
from workbench.simulate.streams import Stream, generator


def pick_sequence(
    strategy: Strategy,
    servers: Servers,
    *,
    count: int,
    keys: Sequence[str] = (),
    hold: bool = False,
    down: Sequence[int] = (),
    seed: int = 1,
) -> list[int]:
    """Let a fresh balancer pick again and again.

    Args:
        strategy: how it picks.
        servers: the pool.
        count: number of picks.
        keys: keys that the requests carry in turn, from the first again after the last.
        hold: requests never finish; otherwise each has its answer, at once, before the next comes.
        down: servers, from 0, that are never usable.
        seed: of the balancer's own draws.

    Returns:
        The server of each pick, from 0; -1 where there was none.

    Raises:
        InputError: the strategy hashes and there are no keys, or there is no such server.
    """
    if strategy.needs_keys and not keys:
        raise InputError(f"keys: given none; allowed: at least one, since {strategy.kind} hashes keys")
    names = list(dict.fromkeys(keys))
    numbers = {name: number for number, name in enumerate(names)}
    balancer = make_balancers(
        Balancers(strategy=strategy),
        servers,
        names,
        lambda number: generator(seed, replication=0, stream=Stream.BALANCER, index=number),
    )[0]
    for server in down:
        if not 0 <= server < servers.count:
            raise InputError(f"down: given {server}; allowed: a server from 0 to {servers.count - 1}")
        balancer.view.in_service[server] = balancer.view.usable[server] = 0
    picks = []
    for number in range(count):
        key = numbers[keys[number % len(keys)]] if keys else 0
        server = balancer.choose(float(number), key, 1.0)
        picks.append(server)
        if server >= 0:
            balancer.take(server)
            if not hold:
                balancer.let_go(server, float(number), 0.0)
    return picks
