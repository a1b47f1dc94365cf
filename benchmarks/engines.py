"""Engines beside their peers and a C loop, the limit: M/M/1, round robin, power of two, shortest queue.

Every measurement is a process of its own, so that its memory is its own, and contenders take turns.
Draws of the workload are not counted for the two engines and the C loop, which get them as arrays.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import simpy

from benchmarks.bars import bars
from workbench.simulate import CompiledEngine, ReferenceEngine, Scenario, Workload, load_scenario
from workbench.simulate.workload import CHUNK, Chunk

LOAD = 0.8
MODELS = [("round_robin", 1)] + [
    (strategy, servers)
    for strategy in ("round_robin", "power_of_two", "join_shortest_queue")
    for servers in (8, 100, 1000)
]
"""The first is M/M/1."""
CONTENDERS = ("simpy", "reference", "compiled", "c", "ciw", "cimba")
ROUNDS = 3


class Measured(NamedTuple):
    """One measurement."""

    rate: float
    """Requests per second of processor time."""
    memory: float
    """Peak memory of the process, MB."""


class Drawn(Workload):
    """A workload whose requests are drawn beforehand."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.drawn = list(super().chunks())

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        """Give the requests that are drawn."""
        return iter(self.drawn)


def scenario(strategy: str, servers: int, requests: int) -> Scenario:
    """Servers at 80 % load under a strategy."""
    return load_scenario(
        {
            "name": strategy,
            "arrivals": {"kind": "poisson", "rate": LOAD * servers},
            "service": {"kind": "exponential", "mean": 1.0},
            "pool": {"count": servers},
            "balancers": {"strategy": strategy},
            "horizon": f"{requests} requests",
        }
    )


def run_reference(strategy: str, servers: int, requests: int) -> Callable[[], object]:
    """The reference engine."""
    workload = Drawn(scenario(strategy, servers, requests))
    return lambda: ReferenceEngine().run(workload)


def run_compiled(strategy: str, servers: int, requests: int) -> Callable[[], object]:
    """The compiled engine, its records handed on in chunks; compiled before."""
    sum(map(len, CompiledEngine().stream(Workload(scenario(strategy, servers, 1000)))))
    workload = Drawn(scenario(strategy, servers, requests))
    return lambda: sum(map(len, CompiledEngine().stream(workload)))


def run_streamed(strategy: str, servers: int, requests: int) -> Callable[[], object]:
    """The compiled engine, which draws the requests on the way."""
    workload = Workload(scenario(strategy, servers, requests))
    return lambda: sum(map(len, CompiledEngine().stream(workload)))


def run_c(strategy: str, servers: int, requests: int) -> Callable[[], object]:
    """A C loop, compiled here."""
    folder = Path(tempfile.mkdtemp())
    library, source = folder / "engines.so", Path(__file__).with_suffix(".c")
    subprocess.run(["cc", "-O3", "-shared", "-fPIC", "-o", library, source], check=True)
    loop = getattr(ctypes.CDLL(str(library)), strategy)
    shutil.rmtree(folder)
    drawn = Drawn(scenario(strategy, servers, requests)).arrays()
    room = 1 << 17
    times = [np.ones(room) for _ in range(4)]
    places = [*(np.ones(room, np.int32) for _ in range(3)), np.ones(room, np.int8)]
    lists = [np.ones(room, np.int64), *(np.zeros(servers, np.int64) for _ in range(3))]
    arrays = [drawn.arrival, drawn.demand, *times, *places, *lists]

    class Model(ctypes.Structure):
        _fields_ = [
            ("servers", ctypes.c_int64),
            ("requests", ctypes.c_int64),
            *((f"array{place}", ctypes.c_void_p) for place in range(len(arrays))),
            ("seed", ctypes.c_uint64),
            ("mask", ctypes.c_int64),
        ]

    model = Model(servers, requests, *(array.ctypes.data for array in arrays), 1, room - 1)

    def work() -> list[np.ndarray]:
        loop(ctypes.byref(model))
        return arrays

    return work


def run_simpy(strategy: str, servers: int, requests: int) -> Callable[[], object]:
    """A process a request and a Resource a server, as in the SimPy documents."""

    def work() -> float:
        env, rng, spent = simpy.Environment(), np.random.default_rng(1), 0.0
        pool = [simpy.Resource(env) for _ in range(servers)]

        def level(server: simpy.Resource) -> int:
            return int(server.count + len(server.queue))

        def choose(number: int) -> simpy.Resource:
            if strategy == "round_robin":
                return pool[number % servers]
            if strategy == "power_of_two":
                one, two = rng.choice(servers, 2, replace=False)
                return min(pool[one], pool[two], key=level)
            return min(pool, key=level)

        def request(number: int) -> Generator[simpy.Event, Any, None]:
            nonlocal spent
            begun = env.now
            with choose(number).request() as turn:
                yield turn
                yield env.timeout(rng.exponential())
            spent += env.now - begun

        def arrivals() -> Generator[simpy.Event, Any, None]:
            for number in range(requests):
                yield env.timeout(rng.exponential(1 / (LOAD * servers)))
                env.process(request(number))

        env.process(arrivals())
        env.run()
        return spent / requests

    return work


def run_ciw(strategy: str, servers: int, requests: int) -> Callable[[], object]:
    """Ciw: nodes of one server behind a node that routes."""
    import ciw

    nodes = list(range(2, servers + 2))
    if strategy == "round_robin":
        router: Any = ciw.routing.Cycle(cycle=nodes)
    else:
        router = ciw.routing.JoinShortestQueue(destinations=nodes, tie_break="random")
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=LOAD * servers), *[None] * servers],
        service_distributions=[ciw.dists.Deterministic(0.0), *[ciw.dists.Exponential(rate=1.0)] * servers],
        number_of_servers=[float("inf"), *[1] * servers],
        routing=ciw.routing.NetworkRouting(routers=[router, *[ciw.routing.Leave() for _ in nodes]]),
    )
    return lambda: ciw.Simulation(network).simulate_until_max_time(requests / (LOAD * servers))


def run_cimba(strategy: str, servers: int, requests: int) -> Callable[[], object]:
    """Cimba: M/M/1 as in its documents."""
    import cimba as cb

    from benchmarks.cimba_queue import Queue

    window = cb.Window(warmup=0, duration=requests / LOAD)
    cb.Experiment(Queue(), replications=1, window=cb.Window(warmup=0, duration=10), seed=1).run()
    return lambda: cb.Experiment(Queue(), replications=1, window=window, seed=1).run()


def requests_for(contender: str, strategy: str, servers: int) -> int:
    """As many as take about a second or two."""
    scan = strategy == "join_shortest_queue" and servers > 100
    return {
        "simpy": 3_000 if scan else 40_000,
        "reference": 10_000 if scan else 100_000,
        "compiled": 2_000_000,
        "c": 2_000_000,
        "ciw": 1_000 if servers > 8 else 10_000,
        "cimba": 2_000_000,
    }[contender]


def missing(contender: str, strategy: str, servers: int) -> str:
    """Say why a contender does not take part; empty where it does."""
    if contender == "c":
        return "" if shutil.which("cc") else "no C compiler"
    if contender in ("ciw", "cimba") and importlib.util.find_spec(contender) is None:
        return "not installed"
    if contender == "ciw" and (strategy == "power_of_two" or servers > 100):
        return "no such model, or too slow"
    if contender == "cimba" and servers > 1:
        return "M/M/1 alone"
    return ""


def measure(contender: str, strategy: str, servers: int, requests: int) -> Measured:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.engines", contender, strategy, str(servers), str(requests)]
    printed = subprocess.run(command, capture_output=True, text=True, check=False)
    if printed.returncode:
        raise SystemExit(f"{contender}, {strategy} over {servers}:\n{printed.stderr}")
    seconds, memory = json.loads(printed.stdout.splitlines()[-1])
    return Measured(requests / seconds, memory)


def take_turn(contender: str, strategy: str, servers: int, requests: int) -> None:
    """Work, and print the seconds of processor time and the peak memory in MB."""
    work = globals()[f"run_{contender}"](strategy, servers, requests)
    begun = time.process_time()
    work()
    seconds = time.process_time() - begun
    print(json.dumps([seconds, peak_memory()]))


def peak_memory() -> float:
    """Most memory that this process has held, MB; `ru_maxrss` would count what its parent held."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def compare(strategy: str, servers: int) -> dict[str, Measured]:
    """Let the contenders take turns at a model; gives the median of each."""
    present = [one for one in CONTENDERS if not missing(one, strategy, servers)]
    found: dict[str, list[Measured]] = {contender: [] for contender in present}
    for _ in range(ROUNDS):
        for one in present:
            found[one].append(measure(one, strategy, servers, requests_for(one, strategy, servers)))
    return {
        one: Measured(*(statistics.median(values) for values in zip(*turns, strict=True)))
        for one, turns in found.items()
    }


def main() -> list[str]:
    """Give the lines of the tables, and draw the rates."""
    heads = [f"{contender}, 1/s (MB)" for contender in CONTENDERS]
    lines = [f"| model | {' | '.join(heads)} | compiled / simpy | compiled / c |", "|---|" + "---|" * 8]
    rates: dict[str, dict[str, Measured]] = {}
    for strategy, servers in MODELS:
        name = "M/M/1" if servers == 1 else f"{strategy}, {servers}"
        rates[name] = found = compare(strategy, servers)
        cells = [
            f"{found[one].rate:,.0f} ({found[one].memory:.0f})"
            if one in found
            else missing(one, strategy, servers)
            for one in CONTENDERS
        ]
        ours = found["compiled"].rate
        limit = f"{ours / found['c'].rate:.2f}" if "c" in found else ""
        lines.append(f"| {name} | {' | '.join(cells)} | {ours / found['simpy'].rate:.0f} | {limit} |")
    titles: dict[str, list[float]] = {contender: [] for contender in CONTENDERS}
    for found in rates.values():
        for contender, values in titles.items():
            values.append(found[contender].rate if contender in found else 0.0)
    picture = Path(__file__).parent / "results" / "engines.svg"
    picture.write_text(bars(list(rates), titles, label="requests per second of processor time"))
    return [*lines, "", f"![rates]({picture.name})"]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        take_turn(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        print("\n".join(main()))
