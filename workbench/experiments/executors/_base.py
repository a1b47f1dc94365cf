"""What every executor has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, TypeVar

from workbench.errors import InputError

C = TypeVar("C")
T = TypeVar("T")


class Executor(ABC):
    """Does work for many chunks; whatever it is, the results are the same.

    Chunks are taken one by one as there is somebody to do them, so that whoever makes them may still
    change their size.
    """

    name: ClassVar[str]
    far: ClassVar[bool] = False
    """Whether workers may be on machines that do not see this one's disk."""
    workers: int
    """How many chunks are done at once."""
    lost: int = 0
    """Workers that died so far, as far as it is known."""

    @classmethod
    @abstractmethod
    def start(cls, address: str, *, workers: int) -> Executor:
        """Make it ready.

        Args:
            address: what follows `://`; empty where nothing does.
            workers: how many to have, where that is ours to say.

        Raises:
            InputError: the address is none of its kind.
            SimulationError: it cannot be reached.
        """

    @abstractmethod
    def run(self, work: Callable[[C], T], chunks: Iterable[C]) -> Iterator[tuple[C, T]]:
        """Do the work for every chunk and give each result as it is done, in any order.

        Raises:
            SimulationError: so many workers died that it makes no sense to go on.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of what it holds."""


EXECUTORS: dict[str, type[Executor]] = {}
"""The executors by name."""


def choose_executor(text: str, *, workers: int) -> Executor:
    """Start the executor that a text such as `processes` or `dask://host:8786` names.

    Raises:
        InputError: there is no such executor.
        SimulationError: it cannot be reached.
    """
    name, _, address = text.partition("://")
    if name not in EXECUTORS:
        raise InputError(f"on: given {text!r}; allowed: {', '.join(EXECUTORS)}, dask://HOST:PORT")
    return EXECUTORS[name].start(address, workers=workers)
