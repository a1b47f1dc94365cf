"""The cost of a pick under every strategy, interpreted, at 2 to 10,000 servers of unequal weights."""

from __future__ import annotations

import statistics
import time

from workbench.simulate.balancers import Balancers
from workbench.simulate.engines.reference.balancer import make_balancers
from workbench.simulate.pool import ServerGroup, expand
from workbench.simulate.strategies import STRATEGIES, Strategy
from workbench.simulate.streams import Stream, generator

SIZES = (2, 10, 1_000, 10_000)
_BUDGET = 0.25
"""Seconds that one measurement may take, about."""

ADDRESSES = [f"10.0.{number // 250}.{number % 250}" for number in range(500)]


def build(kind: str, servers: int) -> Strategy:
    """Give a strategy with its defaults, or with what it cannot do without."""
    more = {"cutoffs": [float(number) for number in range(1, servers)]} if kind == "size_interval" else {}
    return STRATEGIES[kind].model_validate({"kind": kind, **more})


def microseconds(kind: str, servers: int) -> float:
    """Measure one pick of requests that end at once, in µs: the median of three, after a first one."""
    pool = expand(
        [ServerGroup(name="even", count=servers // 2), ServerGroup(name="odd", count=servers // 2, weight=3)]
    )
    strategy = build(kind, servers)
    keys = ADDRESSES if STRATEGIES[kind].needs_keys else []

    balancer = make_balancers(
        Balancers(strategy=strategy),
        pool,
        keys,
        lambda number: generator(1, replication=0, stream=Stream.BALANCER, index=number),
    )[0]

    def seconds(count: int) -> float:
        begun = time.process_time()
        for number in range(count):
            server = balancer.choose(float(number), number % max(len(keys), 1), 1.0)
            balancer.take(server)
            balancer.let_go(server, float(number), 0.0)
        return time.process_time() - begun

    seconds(1)
    count = max(20, min(20_000, int(_BUDGET / max(seconds(20) / 20, 1e-6))))
    return statistics.median(seconds(count) / count for _ in range(3)) * 1e6


def main() -> list[str]:
    """Give the lines of the table."""
    lines = ["| strategy | " + " | ".join(f"{size:,} servers, µs" for size in SIZES) + " |"]
    lines.append("|---|" + "---|" * len(SIZES))
    for kind in sorted(STRATEGIES):
        cells = " | ".join(f"{microseconds(kind, size):.3g}" for size in SIZES)
        lines.append(f"| `{kind}` | {cells} |")
    return lines


if __name__ == "__main__":
    print("\n".join(main()))
