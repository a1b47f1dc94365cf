"""Reading a recorded run: TAG.csv.gz, one row a request, and TAG.meta.json, what ran."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from workbench.errors import InputError, TraceError
from workbench.simulate.traces import read_texts, read_trace
from workbench.traces.products import Proxy

_ENDINGS = (".csv.gz", ".csv")

Weight = Annotated[int, Field(ge=0, le=65_535)]
Factor = Annotated[float, Field(ge=1e-9, le=1e9)]


class Setup(BaseModel):
    """What ran: `sc` of the meta file."""

    proxy: Proxy
    balance: str
    weights: list[Weight] = Field(min_length=1, max_length=10_000)
    factors: list[Factor]
    """What multiplies the service times of each server."""
    maxconn: int = Field(0, ge=0)
    """Most requests that HAProxy sends to a server at once; 0 is no limit."""
    k: int = Field(1, ge=1, le=1_000_000)
    """Slots of each server."""
    extra: str = ""
    """Further lines of the backend's configuration."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.factors) != len(self.weights):
            raise PydanticCustomError("factors", "one factor for each of the weights")
        if not any(self.weights):
            raise PydanticCustomError("weights", "at least one weight above 0")
        return self


class _Meta(BaseModel):
    sc: Setup
    ports: list[int] = []
    """The proxy's port, then one a server."""
    ev: dict[str, Any] = {}
    """When a server was killed and came back."""


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded run; arrays have one entry a request, in the order of scheduled arrival."""

    file: Path
    setup: Setup
    names: list[str]
    """The servers' addresses, which nginx's consistent hash hashes; server-0, ... where not known."""
    server: NDArray[np.int64]
    """The server that answered, from 0."""
    latency: NDArray[np.float64]
    """From the scheduled arrival to the answer, seconds."""
    received: NDArray[np.float64]
    """When the server had read the request, seconds."""
    answered: NDArray[np.float64]
    """When the client had the answer, seconds."""

    def __len__(self) -> int:
        return len(self.server)

    @property
    def tag(self) -> str:
        """The name of the run, such as `ha_rr_r70_1`."""
        return _tag(self.file)

    @property
    def meta_file(self) -> Path:
        """The file that says what ran."""
        return _meta_file(self.file)

    def request_keys(self) -> list[str]:
        """Give the key of each request.

        Raises:
            TraceError: the file has no column `key`.
        """
        return read_texts(self.file, "key")


def read_recording(file: Path) -> Recording:
    """Read a recorded run.

    Args:
        file: TAG.csv.gz or TAG.csv, beside which TAG.meta.json lies.

    Raises:
        TraceError: a file is missing or corrupt, lacks a column, or holds what is no number.
        InputError: the run needs what the simulator lacks; the message names it.
    """
    if not file.is_file():
        raise TraceError(f"{file}: no such file; allowed: a recording, TAG.csv.gz")
    meta = _read_meta(_meta_file(file))
    _check_simulable(_meta_file(file), meta)
    _check_answers(file)
    columns = read_trace(file, ("server", "lat_us", "b_recv_us", "svc_us"), time_column="arr_us").columns
    arrival = read_trace(file, ("arr_us",)).columns["arr_us"]
    count = len(meta.sc.weights)
    return Recording(
        file=file.resolve(),
        setup=meta.sc,
        names=_names(meta, count),
        server=_servers(file, columns["server"], count),
        latency=columns["lat_us"] / 1e6,
        received=columns["b_recv_us"] / 1e6,
        answered=(arrival + columns["lat_us"]) / 1e6,
    )


def _tag(file: Path) -> str:
    for ending in _ENDINGS:
        if file.name.endswith(ending) and file.name != ending:
            return file.name.removesuffix(ending)
    raise TraceError(f"{file}: given {file.name!r}; allowed: a recording, TAG.csv.gz")


def _meta_file(file: Path) -> Path:
    return file.with_name(f"{_tag(file)}.meta.json")


def _read_meta(file: Path) -> _Meta:
    try:
        return _Meta.model_validate_json(file.read_bytes())
    except OSError as error:
        raise TraceError(f"{file}: what ran cannot be read ({error.strerror})") from None
    except ValidationError as error:
        problems = [_problem(file, item) for item in error.errors()]
    raise TraceError("\n".join(problems))


def _problem(file: Path, item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "document"
    allowed = item["msg"].removeprefix("Input should be ")
    if item["type"] == "json_invalid":
        return f"{file}: not JSON ({allowed.removeprefix('Invalid JSON: ')})"
    if item["type"] == "missing":
        return f"{file}: {key}: given nothing; allowed: a value (it is required)"
    given = repr(item["input"])[:60]
    return f"{file}: {key}: given {given}; allowed: {allowed}"


def _check_simulable(file: Path, meta: _Meta) -> None:
    if meta.ev:
        raise InputError(
            f"{file}: ev: given a server that was killed; allowed: a run without failures, since the "
            "simulator has no faults yet (health checks, retries, servers that go down and come back)"
        )
    if meta.sc.maxconn:
        raise InputError(
            f"{file}: sc.maxconn: given {meta.sc.maxconn}; allowed: 0, since the simulator has no queue in "
            "the proxy yet, where requests wait for a server below its maxconn"
        )


def _check_answers(file: Path) -> None:
    for row, status in enumerate(read_texts(file, "status")):
        if len(status) != 3 or not status.isdecimal():
            raise InputError(
                f"{file}:{row + 2}: status: given {status!r}; allowed: an answer's status such as 200, "
                "since the simulator has no faults yet that leave a request without an answer"
            )


def _servers(file: Path, column: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    bad = np.flatnonzero((column >= count) | (column != np.floor(column)))
    if len(bad):
        row = int(bad[0])
        raise TraceError(
            f"{file}:{row + 2}: server: given {column[row]:g}; allowed: a whole number from 0 to {count - 1}"
        )
    return column.astype(np.int64)


def _names(meta: _Meta, count: int) -> list[str]:
    if len(meta.ports) == count + 1:
        return [f"127.0.0.1:{port}" for port in meta.ports[1:]]
    return [f"server-{number}" for number in range(count)]
