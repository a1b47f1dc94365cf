"""The requests of a run, all drawn before it begins, or those of an earlier recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.errors import TraceError
from workbench.simulate.streams import Stream, generator
from workbench.simulate.traces import read_texts, read_trace
from workbench.traces.recorder.plan import META, MOST_REQUESTS, Plan

_MICRO = 1_000_000


@dataclass(frozen=True, eq=False)
class Load:
    """What the client sends; one entry a request, in the order of arrival."""

    arrival: NDArray[np.int64]
    """When each is due, microseconds from the start."""
    service: NDArray[np.int64]
    """Service time at a server of factor 1, microseconds."""
    key: list[str]

    def __len__(self) -> int:
        return len(self.arrival)


def draw_load(plan: Plan) -> Load:
    """Draw Poisson arrivals, service times and keys; the same plan gives the same requests."""

    def rng(stream: Stream) -> np.random.Generator:
        return generator(plan.seed, replication=0, stream=stream)

    gaps = rng(Stream.ARRIVALS).exponential(_MICRO / plan.rate, plan.n)
    service = plan.service.start(rng(Stream.SERVICE))(plan.n, None) * _MICRO
    names = plan.keys.names()
    numbers = plan.keys.start(rng(Stream.KEYS))(plan.n, None)
    return Load(
        arrival=np.cumsum(gaps).astype(np.int64),
        service=np.maximum(service, 1).astype(np.int64),
        key=[names[number] for number in numbers],
    )


def find_load(file: Path, plan: Plan) -> Load:
    """Give the requests of a plan: those that lie beside a meta file, otherwise drawn ones.

    Raises:
        TraceError: the requests beside the meta file are corrupt.
    """
    if not file.name.endswith(META):
        return draw_load(plan)
    tag = file.name.removesuffix(META)
    for ending in (".csv.gz", ".csv"):
        if (recorded := file.with_name(f"{tag}{ending}")).is_file():
            return _read(recorded)
    return draw_load(plan)


def _read(file: Path) -> Load:
    columns = read_trace(file, ("arr_us", "svc_us")).columns
    arrival, service, key = columns["arr_us"], columns["svc_us"], read_texts(file, "key")
    if len(arrival) > MOST_REQUESTS:
        raise TraceError(f"{file}: given {len(arrival)} requests; allowed: at most {MOST_REQUESTS}")
    if (np.diff(arrival) < 0).any():
        raise TraceError(f"{file}: arr_us: given times that go back; allowed: the order of arrival")
    for row, name in enumerate(key):
        if not (name.isascii() and name.isprintable() and " " not in name and len(name) <= 200):
            raise TraceError(f"{file}:{row + 2}: key: given {name!r}; allowed: 0 to 200 ASCII letters")
    return Load(arrival.astype(np.int64), service.astype(np.int64), key)
