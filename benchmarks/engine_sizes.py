"""Engines from ten thousand to a hundred million requests: rates, start included, and peak memory.

The compiled engine draws the requests on the way and hands its records on in chunks; its time includes
loading Numba's code from disk. The C loop is given its draws. What would take long, or more memory than a
laptop has, is left out.
"""

from __future__ import annotations

from benchmarks.engines import Measured, measure

MODELS = [
    ("M/M/1", "round_robin", 1),
    ("power of two, 8", "power_of_two", 8),
    ("shortest queue, 8", "join_shortest_queue", 8),
    ("shortest queue, 1,000", "join_shortest_queue", 1000),
]
SIZES = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
CONTENDERS = {"simpy": "idiomatic SimPy", "reference": "reference", "streamed": "compiled", "c": "C loop"}
MOST_SECONDS = {"simpy": 4.0, "reference": 4.0, "streamed": 20.0, "c": 20.0}
"""Processor time that a measurement may take; the rate of SimPy and of the reference hardly changes."""
MOST_DRAWS = 10_000_000
"""Requests whose draws the C loop is given as arrays."""


def main() -> list[str]:
    """Give the lines of the table."""
    lines = [f"| model | requests | {' | '.join(f'{name}, 1/s (MB)' for name in CONTENDERS.values())} |"]
    lines.append("|---|---|" + "---|" * len(CONTENDERS))
    for name, strategy, servers in MODELS:
        rates: dict[str, float] = {}
        measure("streamed", strategy, servers, 1000)  # compiles, where it never was
        for requests in SIZES:
            cells = [_cell(contender, strategy, servers, requests, rates) for contender in CONTENDERS]
            lines.append(f"| {name} | {requests:,} | {' | '.join(cells)} |")
    return lines


def _cell(contender: str, strategy: str, servers: int, requests: int, rates: dict[str, float]) -> str:
    """Measure, unless the last size says that it would take too long."""
    if contender == "c" and requests > MOST_DRAWS:
        return f"{32 * requests / 1e9:.1f} GB of draws"
    if contender in rates and requests / rates[contender] > MOST_SECONDS[contender]:
        return f"over {MOST_SECONDS[contender]:.0f} s"
    found: Measured = measure(contender, strategy, servers, requests)
    rates[contender] = found.rate
    return f"{found.rate:,.0f} ({found.memory:.0f})"
