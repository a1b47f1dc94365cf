"""Measuring a few settings of DuckDB on the lake's own data."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from workbench.errors import NotFoundError, StoreError
from workbench.settings import Settings
from workbench.store import queries
from workbench.store.store import Store

_MEMORIES = ("256MB", "1GB", "2GB")
_WITHIN = 1.1
"""A setting that takes less of the machine is good enough when it is so near to the fastest."""


@dataclass(frozen=True)
class Trial:
    """One setting, measured.

    Args:
        threads: DuckDB's threads.
        memory: its memory limit.
        seconds: median time of each question, by name; the wall clock's.
        failed: why it cannot be used; empty where it can.
        proposed: whether it is proposed.
    """

    threads: int
    memory: str
    seconds: dict[str, float]
    failed: str = ""
    proposed: bool = False

    @property
    def total(self) -> float:
        """Time of all questions, seconds."""
        return sum(self.seconds.values())


def tune(store: Store, *, rounds: int = 3, clock: Callable[[], float] = time.perf_counter) -> list[Trial]:
    """Ask typical questions of the largest run under several settings.

    Args:
        store: the lake.
        rounds: how often each is asked.
        clock: a time that goes on, seconds.

    Returns:
        The trials; the proposed one is the least of the machine that is within a tenth of the fastest.

    Raises:
        NotFoundError: the lake holds no requests to ask about.
    """
    parts = store.parts("requests")
    if not parts:
        raise NotFoundError("the lake holds no requests to measure with; simulate something first")
    largest = max(parts, key=lambda part: part.rows).run_id
    cores = os.cpu_count() or 1
    threads = sorted({1, 2, cores // 2 or 1, cores})
    everything = [part.run_id for part in store.parts("histograms")]
    trials = [
        _trial(
            store.settings.model_copy(update={"duckdb_threads": count, "duckdb_memory": memory}),
            largest,
            everything=everything,
            rounds=rounds,
            clock=clock,
        )
        for count in threads
        for memory in _MEMORIES
    ]
    usable = [trial for trial in trials if not trial.failed]
    if not usable:
        return trials
    fastest = min(trial.total for trial in usable)
    best = next(trial for trial in usable if trial.total <= _WITHIN * fastest)
    return [Trial(**{**vars(trial), "proposed": trial is best}) for trial in trials]


def _trial(
    settings: Settings, run_id: int, *, everything: list[int], rounds: int, clock: Callable[[], float]
) -> Trial:
    questions: dict[str, Callable[[Store], object]] = {
        "exact percentiles": lambda opened: queries.latency(opened, run_id=run_id),
        "over time": lambda opened: queries.latency_over_time(opened, run_id=run_id),
        "all runs": lambda opened: queries.percentiles(opened, run_ids=everything, by="strategy"),
    }
    seconds: dict[str, float] = {}
    try:
        with Store(settings) as opened:
            for name, ask in questions.items():
                seconds[name] = _median(partial(ask, opened), rounds, clock)
    except StoreError as error:
        return Trial(settings.duckdb_threads, settings.duckdb_memory, seconds, str(error).splitlines()[0])
    return Trial(settings.duckdb_threads, settings.duckdb_memory, seconds)


def _median(ask: Callable[[], object], rounds: int, clock: Callable[[], float]) -> float:
    taken = []
    for _ in range(rounds):
        begun = clock()
        ask()
        taken.append(clock() - begun)
    return statistics.median(taken)
