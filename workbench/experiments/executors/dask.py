"""A cluster of Dask distributed, or a local one."""

from __future__ import annotations

import itertools
import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from workbench.errors import InputError, SimulationError, WorkbenchError
from workbench.experiments.executors._base import EXECUTORS, C, Executor, T
from workbench.simulate.scenario import ENGINE_VERSION

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:/\[\]]+):\d{1,5}")
_PATIENCE = "15s"
"""How long a scheduler may take to answer."""


class Dask(Executor):
    """Does chunks on the workers of a Dask cluster, which may come, go and die meanwhile.

    Args:
        client: a connected `distributed.Client`.
    """

    name = "dask"
    far = True

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def start(cls, address: str, *, workers: int) -> Dask:
        """Connect to a scheduler, or make a cluster of this machine's processes where no address is given."""
        if address and not _ADDRESS.fullmatch(address):
            raise InputError(f"on: given dask://{address}; allowed: dask://HOST:PORT, or dask alone")
        try:
            distributed: Any = import_module("distributed")
        except ImportError:
            raise InputError(
                "on: given dask, which is not installed; pip install 'balancer-workbench[cluster]' brings it"
            ) from None
        _be_quiet()
        try:
            if address:
                client = distributed.Client(f"tcp://{address}", timeout=_PATIENCE, set_as_default=False)
            else:
                cluster = distributed.LocalCluster(
                    n_workers=workers, threads_per_worker=1, dashboard_address=None
                )
                client = distributed.Client(cluster, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise SimulationError(
                f"no Dask scheduler answers at {address or 'this machine'} ({_said(error)}); start one with "
                "`dask scheduler` and workers with `dask worker`, or leave out --on: what is finished is "
                "kept, and the same command goes on from there"
            ) from None
        found = cls(client)
        found._check_versions(address)
        return found

    def _check_versions(self, address: str) -> None:
        if not self.workers:
            self.close()
            raise SimulationError(
                f"the Dask scheduler at {address} has no workers; start some with "
                f"`dask worker tcp://{address} --nthreads 1`"
            )
        try:
            versions = self._client.run(_engine_version)
        except Exception as error:
            self.close()
            raise SimulationError(f"a worker cannot load the workbench: {_said(error)}") from None
        other = {worker: version for worker, version in versions.items() if version != _engine_version()}
        if other:
            self.close()
            worker, version = next(iter(other.items()))
            raise SimulationError(
                f"worker {worker} has engine version {version}, this machine {_engine_version()}: "
                "the results would not be the same; install the same release of the workbench on all"
            )

    @property
    def workers(self) -> int:  # type: ignore[override]
        """How many chunks the workers that there are now do at once."""
        with _reaching():
            return int(sum(self._client.nthreads().values()))

    def run(self, work: Callable[[C], T], chunks: Iterable[C]) -> Iterator[tuple[C, T]]:
        """Do the work for every chunk; where a worker dies, Dask gives what it was at to another."""
        source = iter(chunks)
        waiting: dict[str, C] = {}
        with _reaching():
            done: Any = import_module("distributed").as_completed(loop=self._client.loop)
        while True:
            wanted = 2 * max(1, self.workers) - len(waiting)
            with _reaching():
                for chunk in itertools.islice(source, max(0, wanted)):
                    future = self._client.submit(work, chunk, pure=False, retries=2)
                    waiting[future.key] = chunk
                    done.add(future)
            if not waiting:
                return
            with _reaching():
                future = next(done)
                result = future.result()
            yield waiting.pop(future.key), result

    def close(self) -> None:
        """Leave the cluster; one that was made here ends."""
        cluster = self._client.cluster
        with warnings.catch_warnings(), suppress(OSError, TimeoutError):
            warnings.simplefilter("ignore")
            self._client.close(timeout=5)
            if cluster is not None and hasattr(cluster, "close"):
                cluster.close(timeout=5)


@contextmanager
def _reaching() -> Iterator[None]:
    """Turn what a lost scheduler or dying workers give into errors that say what to do."""
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as error:
        kind = type(error).__name__
        if kind == "KilledWorker":
            raise SimulationError(
                "workers died again and again at the same cells, most often for want of memory; what is "
                "finished is kept: the same command goes on from there"
            ) from None
        if kind in _GONE:
            raise SimulationError(
                "the Dask scheduler went away; what is finished is kept: the same command goes on from there"
            ) from None
        raise


_GONE = ("CancelledError", "FutureCancelledError", "CommClosedError", "TimeoutError", "StopIteration")
"""Errors of a client that has lost its scheduler."""


def _be_quiet() -> None:
    """Let the client log nothing: what matters is said in errors."""
    for name in ("asyncio", "tornado", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("asyncio", "distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _engine_version() -> str:
    return ENGINE_VERSION


def _said(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


EXECUTORS[Dask.name] = Dask
