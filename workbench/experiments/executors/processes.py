"""Processes of this machine."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from workbench.errors import InputError, SimulationError
from workbench.experiments.executors._base import EXECUTORS, C, Executor, T

_MOST_LOST = 3
"""Deaths in a row, without a chunk done between them, after which it makes no sense to go on."""


class Processes(Executor):
    """Does chunks in processes of this machine; where one is killed, fresh ones go on."""

    name = "processes"

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    @classmethod
    def start(cls, address: str, *, workers: int) -> Processes:
        """Make it ready; processes are started when there is work."""
        if address:
            raise InputError(f"on: given processes://{address}; allowed: processes, which has no address")
        return cls(workers)

    def run(self, work: Callable[[C], T], chunks: Iterable[C]) -> Iterator[tuple[C, T]]:
        """Do the work for every chunk; both must be picklable.

        A process that is killed takes the pool with it; what was under way is then done once more.
        """
        source = iter(chunks)
        left: deque[C] = deque()
        waiting: dict[Future[T], C] = {}
        deaths = 0
        while True:
            wanted = 2 * self.workers - len(waiting)
            fresh = [left.popleft() for _ in range(min(wanted, len(left)))]
            fresh += itertools.islice(source, wanted - len(fresh))
            left.extend(self._submit(work, fresh, waiting))
            if not waiting and not left:
                return
            done = wait(waiting, return_when=FIRST_COMPLETED).done
            broken = bool(left)
            for future in done:
                chunk = waiting.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    broken = True
                    left.append(chunk)
                    continue
                yield chunk, future.result()
                deaths = 0
            if broken:
                left.extend(waiting.values())
                waiting.clear()
                deaths += 1
                self._renew(deaths)

    def _submit(self, work: Callable[[C], T], chunks: list[C], waiting: dict[Future[T], C]) -> list[C]:
        """Hand chunks over; return those that a broken pool does not take."""
        refused = []
        for chunk in chunks:
            try:
                waiting[self._started().submit(work, chunk)] = chunk
            except BrokenProcessPool:
                refused.append(chunk)
        return refused

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_prepare)
        return self._pool

    def _renew(self, deaths: int) -> None:
        self.lost += 1
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        if deaths >= _MOST_LOST:
            raise SimulationError(
                f"a worker process was killed from outside {deaths} times in a row, most often for want of "
                "memory; what is finished is kept: the same command again goes on, with --workers 1 in less "
                "memory"
            )

    def close(self) -> None:
        """End the processes; what they are at is given up."""
        if self._pool is None:
            return
        children: dict[int, Any] = dict(self._pool._processes or {})
        self._pool.shutdown(wait=False, cancel_futures=True)
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.join()
        self._pool = None


def _prepare() -> None:
    """Leave Ctrl-C to the parent, and end when it is gone, however it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


EXECUTORS[Processes.name] = Processes
