"""The cost of a pick under every strategy, interpreted, at 2 to 10,000 servers of unequal weights."""

from __future__ import annotations

import statistics
import time

from workbench.simulate.picking import pick_sequence
from workbench.simulate.pool import ServerGroup, expand
from workbench.simulate.strategies import STRATEGIES, Strategy

SIZES = (2, 10, 1_000, 10_000)
_BUDGET = 0.25
"""Seconds that one measurement may take, about."""

ADDRESSES = [f"10.0.{number // 250}.{number % 250}" for number in range(500)]


def build(kind: str, servers: int) -> Strategy:
    """Give a strategy with its defaults, or with what it cannot do without."""
    more = {"cutoffs": [float(number) for number in range(1, servers)]} if kind == "size_interval" else {}
    return STRATEGIES[kind].model_validate({"kind": kind, **more})


def microseconds(kind: str, servers: int) -> float:
    """Measure one pick of requests that end at once, the start left out; median of three, in microseconds."""
    pool = expand(
        [ServerGroup(name="even", count=servers // 2), ServerGroup(name="odd", count=servers // 2, weight=3)]
    )
    strategy = build(kind, servers)
    keys = ADDRESSES if STRATEGIES[kind].needs_keys else []

    def seconds(count: int) -> float:
        begun = time.process_time()
        pick_sequence(strategy, pool, count=count, keys=keys)
        return time.process_time() - begun

    start, few = seconds(1), seconds(20)
    count = max(20, min(20_000, int(_BUDGET / max((few - start) / 19, 1e-6))))
    return statistics.median((seconds(count + 1) - seconds(1)) / count for _ in range(3)) * 1e6


def _shown(value: float) -> str:
    """Write a cost; one that drowns in the noise of a long start is said to be small."""
    return f"{value:.3g}" if value > 0.1 else "< 1"


def main() -> list[str]:
    """Give the lines of the table."""
    lines = ["| strategy | " + " | ".join(f"{size:,} servers, µs" for size in SIZES) + " |"]
    lines.append("|---|" + "---|" * len(SIZES))
    for kind in sorted(STRATEGIES):
        cells = " | ".join(_shown(microseconds(kind, size)) for size in SIZES)
        lines.append(f"| `{kind}` | {cells} |")
    return lines


if __name__ == "__main__":
    print("\n".join(main()))
