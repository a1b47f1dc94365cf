"""A cluster of Dask distributed, or a local one."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

from workbench.errors import InputError, SimulationError, WorkbenchError
from workbench.experiments.executors._base import EXECUTORS, C, Executor, T
from workbench.simulate.scenario import ENGINE_VERSION

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
        try:
            distributed: Any = import_module("distributed")
        except ImportError:
            raise InputError(
                "on: given dask, which is not installed; pip install 'balancer-workbench[cluster]' brings it"
            ) from None
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
        return int(sum(self._client.nthreads().values()))

    def run(self, work: Callable[[C], T], chunks: Iterable[C]) -> Iterator[tuple[C, T]]:
        """Do the work for every chunk; where a worker dies, Dask gives what it was at to another."""
        distributed: Any = import_module("distributed")
        source = iter(chunks)
        waiting: dict[str, C] = {}
        done = distributed.as_completed(loop=self._client.loop)
        while True:
            wanted = 2 * max(1, self.workers) - len(waiting)
            for chunk in itertools.islice(source, max(0, wanted)):
                future = self._client.submit(work, chunk, pure=False, retries=2)
                waiting[future.key] = chunk
                done.add(future)
            if not waiting:
                return
            future = next(done)
            chunk = waiting.pop(future.key)
            yield chunk, self._result(future)

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except WorkbenchError:
            raise
        except Exception as error:
            if type(error).__name__ in ("CancelledError", "FutureCancelledError", "CommClosedError"):
                raise self._gone() from None
            if type(error).__name__ == "KilledWorker":
                raise SimulationError(
                    "workers died again and again at the same cells, most often for want of memory; what is "
                    "finished is kept: the same command goes on from there"
                ) from None
            raise

    def _gone(self) -> SimulationError:
        return SimulationError(
            "the Dask scheduler went away; what is finished is kept: the same command goes on from there"
        )

    def close(self) -> None:
        """Leave the cluster; one that was made here ends."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cluster = self._client.cluster
            self._client.close()
            if cluster is not None and hasattr(cluster, "close"):
                cluster.close()


def _engine_version() -> str:
    return ENGINE_VERSION


def _said(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


EXECUTORS[Dask.name] = Dask
