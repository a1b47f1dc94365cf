"""Cells: one scenario under one strategy and one replication, and running many of them."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TypeVar

from workbench.errors import SimulationError
from workbench.simulate import Scenario

T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """One simulation: the scenario with its strategy, and the number of the replication."""

    scenario: Scenario
    replication: int

    @property
    def strategy(self) -> str:
        """The strategy's label."""
        return self.scenario.balancers.strategy.label


def run_cells(work: Callable[[Cell], T], cells: Sequence[Cell], *, jobs: int) -> Iterator[tuple[Cell, T]]:
    """Do the work for every cell and give each result as it is done, in any order.

    Args:
        work: what to do; picklable when `jobs` is above 1.
        cells: what to do it for.
        jobs: processes at once. A strategy that a user defined in a script or a notebook cannot be
            sent to another process; such cells run in this one.

    Raises:
        SimulationError: a process was killed from outside, most often for want of memory.
    """
    if jobs == 1 or len(cells) < 2 or any(_only_here(cell) for cell in cells):
        for cell in cells:
            yield cell, work(cell)
        return
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        min(jobs, len(cells)), mp_context=context, initializer=_leave_interrupts_to_parent
    )
    try:
        waiting: dict[Future[T], Cell] = {pool.submit(work, cell): cell for cell in cells}
        for done in as_completed(waiting):
            yield waiting[done], done.result()
    except BrokenProcessPool:
        raise SimulationError(
            "a worker process was killed from outside, most often for want of memory; "
            "what is finished is kept: the same command again goes on, with --jobs 1 in less memory"
        ) from None
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _only_here(cell: Cell) -> bool:
    return type(cell.scenario.balancers.strategy).__module__ == "__main__"


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
