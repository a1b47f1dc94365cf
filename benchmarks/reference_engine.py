"""The reference engine beside the idiomatic SimPy program of the same model: 8 servers, 80 % load."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from benchmarks.timing import interleave
from workbench.simulate import ReferenceEngine, Scenario, Workload, load_scenario

REQUESTS = 100_000
SERVERS = 8


def scenario(strategy: str) -> Scenario:
    """Eight servers at 80 % load under a strategy."""
    return load_scenario(
        {
            "name": strategy,
            "arrivals": {"kind": "poisson", "rate": 0.8 * SERVERS},
            "service": {"kind": "exponential", "mean": 1.0},
            "pool": {"count": SERVERS},
            "balancers": {"strategy": strategy},
            "horizon": f"{REQUESTS} requests",
        }
    )


def idiomatic(strategy: str) -> float:
    """A process a request and a Resource a server, as in the SimPy documents; gives the mean response."""
    env, rng, spent = simpy.Environment(), np.random.default_rng(1), 0.0
    servers = [simpy.Resource(env) for _ in range(SERVERS)]

    def choose(number: int) -> simpy.Resource:
        if strategy == "round_robin":
            return servers[number % SERVERS]
        return min(servers, key=lambda server: server.count + len(server.queue))

    def request(number: int) -> Generator[simpy.Event, Any, None]:
        nonlocal spent
        begun = env.now
        with choose(number).request() as turn:
            yield turn
            yield env.timeout(rng.exponential())
        spent += env.now - begun

    def arrivals() -> Generator[simpy.Event, Any, None]:
        for number in range(REQUESTS):
            yield env.timeout(rng.exponential(1 / (0.8 * SERVERS)))
            env.process(request(number))

    env.process(arrivals())
    env.run()
    return spent / REQUESTS


def main() -> list[str]:
    """Give the lines of the table."""
    lines = ["| model | reference engine, requests/CPU-s | idiomatic SimPy | ratio |", "|---|---|---|---|"]
    for strategy in ("round_robin", "join_shortest_queue"):
        workload = Workload(scenario(strategy))
        seconds = interleave(
            {
                "engine": lambda workload=workload: ReferenceEngine().run(workload),
                "simpy": lambda strategy=strategy: idiomatic(strategy),
            }
        )
        ours, theirs = (REQUESTS / seconds[name] for name in ("engine", "simpy"))
        lines.append(f"| {strategy}, {SERVERS} servers | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.1f} |")
    return lines


if __name__ == "__main__":
    print("\n".join(main()))
