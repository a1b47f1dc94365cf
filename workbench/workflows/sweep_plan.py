"""Planning a sweep: its cells, what is there already, and how long the rest takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from workbench.experiments.sweeps import Chunk, Point, Sweep, SweepCell, cells, points, resolve
from workbench.simulate import EngineName, Scenario, Workload, choose_engine, why_reference

CHUNK_S = 1.0
"""Aim for the time that a chunk takes, seconds."""
RESULTS_PER_S = 100
"""Results that one driver takes without being what bounds a sweep; chunks grow with the workers for it."""
LEAST_CHUNK_S = 0.5
"""A chunk takes no less where there is more to do, so that handing it over costs little beside it."""
_PAYS = 500_000
"""Requests of one strategy, for each worker, from which the compiled engine is worth starting."""
_START_S = 3.0
"""Seconds until the compiled engine has started with one strategy."""
_CELL_S = 0.003
"""Seconds that a cell takes besides its requests."""
_PER_REQUEST_S = {"compiled": 0.5e-6, "plain": 5e-6, "failing": 20e-6}
"""Seconds that a request takes, about: by the compiled engine, and by the reference engine."""


@dataclass(frozen=True)
class Plan:
    """The cells of a sweep.

    Args:
        sweep: the question.
        points: its points.
        scenarios: the scenario of each.
        cells: all cells, in order.
        found: the rows of cells that are there already.
        compiled: the points that the compiled engine is to run though each alone would not pay.
        seconds: what one cell of each point takes, about.
        requests: requests of one cell of each point; None where that is not known.
    """

    sweep: Sweep
    points: Sequence[Point]
    scenarios: Sequence[Scenario]
    cells: Sequence[SweepCell]
    found: pa.Table
    missing: Sequence[SweepCell]
    compiled: frozenset[int]
    seconds: Sequence[float]
    requests: Sequence[float | None]
    kernels: int

    def remaining(self, *, workers: int) -> float:
        """Say how long the missing cells take, about, seconds."""
        work = sum(self.seconds[cell.point] for cell in self.missing)
        at_once = max(1, min(workers, len(self.missing)))
        return work / at_once + _START_S * self.kernels

    def expected_requests(self) -> float | None:
        """Say how many requests the missing cells have; None where that is not known."""
        known = [self.requests[cell.point] for cell in self.missing]
        return None if any(one is None for one in known) else float(sum(one or 0.0 for one in known))

    def compile(self) -> None:
        """Compile what is needed once; processes find it on disk."""
        kinds = {self.scenarios[point].balancers.strategy.kind: point for point in self.compiled}
        for point in kinds.values():
            choose_engine(self.scenarios[point].model_copy(update={"engine": EngineName.COMPILED}))


def lay_out(sweep: Sweep) -> tuple[list[Point], list[Scenario], list[SweepCell]]:
    """List the points of a sweep with their scenarios, and all cells.

    Raises:
        InputError: the settings of a point do not go together.
        TraceError: a trace cannot be used.
    """
    found = points(sweep)
    scenarios = [resolve(sweep, point) for point in found]
    listed = [
        cell
        for number, (point, scenario) in enumerate(zip(found, scenarios, strict=True))
        for cell in cells(number, point.settings, scenario, sweep.replications)
    ]
    return found, scenarios, listed


def plan(
    sweep: Sweep, found: pa.Table, laid: tuple[list[Point], list[Scenario], list[SweepCell]], *, workers: int
) -> Plan:
    """Find out what is missing and what it costs."""
    places, scenarios, listed = laid
    there = set(found["key"].to_pylist())
    missing, seen = [], set(there)
    for cell in listed:
        if cell.key not in seen:  # two points may be the same scenario
            seen.add(cell.key)
            missing.append(cell)
    requests = [Workload(scenario).expected_requests() for scenario in scenarios]
    compiled = _compiled(missing, scenarios, requests, workers=workers)
    engines = ["compiled" if number in compiled else _engine(one) for number, one in enumerate(scenarios)]
    seconds = [
        _CELL_S + (size or 100_000) * _PER_REQUEST_S[engine]
        for size, engine in zip(requests, engines, strict=True)
    ]
    kernels = {
        scenarios[cell.point].balancers.strategy.kind for cell in missing if engines[cell.point] == "compiled"
    }
    return Plan(sweep, places, scenarios, listed, found, missing, compiled, seconds, requests, len(kernels))


def _engine(scenario: Scenario) -> str:
    if not why_reference(scenario):
        return "compiled"
    return "plain" if scenario.never_fails() else "failing"


def _compiled(
    missing: Sequence[SweepCell],
    scenarios: Sequence[Scenario],
    requests: Sequence[float | None],
    *,
    workers: int,
) -> frozenset[int]:
    """Find the points for which the compiled engine pays, taken over all cells of the same strategy."""
    total: defaultdict[str, float] = defaultdict(float)
    able: dict[int, str] = {}
    for cell in missing:
        if cell.point not in able:
            able[cell.point] = _kernel(scenarios[cell.point])
        total[able[cell.point]] += requests[cell.point] or 0.0
    return frozenset(point for point, kind in able.items() if kind and total[kind] >= _PAYS * workers)


def _kernel(scenario: Scenario) -> str:
    """Name the kernel that would run a scenario; empty where the reference engine must or is asked for."""
    if scenario.engine is EngineName.REFERENCE:
        return ""
    asked = scenario.model_copy(update={"engine": EngineName.COMPILED})
    return "" if why_reference(asked) else scenario.balancers.strategy.kind


@dataclass
class Chunker:
    """Cuts the missing cells into chunks, the later the better it knows how long they take.

    Args:
        plan: what there is to do.
        workers: how many chunks are done at once.
    """

    plan: Plan
    workers: int
    _factor: float = 1.0
    _told: float = field(default=0.0)
    _taken: float = field(default=0.0)

    def __iter__(self) -> Iterator[Chunk]:
        """Give chunk after chunk: a second's worth, less near the end so that all end at once."""
        left = self.plan.remaining(workers=1)
        most = max(CHUNK_S, self.workers / RESULTS_PER_S)
        chunk: list[SweepCell] = []
        size = 0.0
        for cell in self.plan.missing:
            chunk.append(cell)
            size += self.plan.seconds[cell.point] * self._factor
            aim = max(LEAST_CHUNK_S, min(most, left * self._factor / (2 * self.workers)))
            if size >= aim:
                yield tuple(chunk)
                left -= size / self._factor
                chunk, size = [], 0.0
        if chunk:
            yield tuple(chunk)

    def told(self, chunk: Chunk, seconds: float) -> None:
        """Learn how long a chunk took."""
        self._told += sum(self.plan.seconds[cell.point] for cell in chunk)
        self._taken += seconds
        self._factor = min(100.0, max(0.01, self._taken / self._told))
