"""One after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from workbench.errors import InputError
from workbench.experiments.executors._base import EXECUTORS, C, Executor, T


class Serial(Executor):
    """Does chunks in this process: the place to debug, and for strategies defined in a notebook."""

    name = "serial"
    workers = 1

    @classmethod
    def start(cls, address: str, *, workers: int) -> Serial:
        """Make it ready."""
        if address:
            raise InputError(f"on: given serial://{address}; allowed: serial, which has no address")
        return cls()

    def run(self, work: Callable[[C], T], chunks: Iterable[C]) -> Iterator[tuple[C, T]]:
        """Do the work for every chunk, in order."""
        for chunk in chunks:
            yield chunk, work(chunk)

    def close(self) -> None:
        """Let go of what it holds, which is nothing."""


EXECUTORS[Serial.name] = Serial
