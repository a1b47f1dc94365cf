"""Reading a recorded run: TAG.csv.gz, one row a request, and TAG.meta.json, what ran."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
from workbench.traces.proxy_logs import ProxyLog, read_log

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
    sextra: str = ""
    """Further words of the servers' lines, such as `check inter 500ms` or `max_fails=1`."""
    victim: int = Field(0, ge=0)
    """The server that was killed, where one was, from 0."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.factors) != len(self.weights):
            raise PydanticCustomError("factors", "one factor for each of the weights")
        if self.victim >= len(self.weights):
            raise PydanticCustomError("victim", "one of the servers")
        if not any(self.weights):
            raise PydanticCustomError("weights", "at least one weight above 0")
        return self


class _Events(BaseModel):
    kill: int | None = None
    """When the victim was killed, microseconds."""
    ready: int | None = None
    """When it took connections again, microseconds."""
    wall_minus_mono_s: float = 0.0
    t0_ns: int = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.kill is None) != (self.ready is None) or (self.kill or 0) > (self.ready or 0):
            raise PydanticCustomError("events", "`kill` and, not earlier, `ready`, or neither")
        return self


class _Meta(BaseModel):
    sc: Setup
    ports: list[int] = []
    """The proxy's port, then one a server."""
    ev: _Events = _Events()
    """When a server was killed and came back."""


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded run; arrays have one entry a request, in the order of scheduled arrival."""

    file: Path
    setup: Setup
    names: list[str]
    """The servers' addresses, which nginx's consistent hash hashes; server-0, ... where not known."""
    server: NDArray[np.int64]
    """The server that answered, from 0; -1 where none did."""
    status: NDArray[np.int64]
    """The answer's status, such as 200; -1 where there was none."""
    latency: NDArray[np.float64]
    """From the scheduled arrival to the answer, seconds."""
    received: NDArray[np.float64]
    """When the server had read the request, seconds."""
    answered: NDArray[np.float64]
    """When the client had the answer, seconds."""
    begin: float
    """When the first request was due, which is time 0 of a simulation, seconds."""
    killed: float | None
    """When the victim was killed, seconds; None where none was."""
    ready: float
    """When it took connections again, seconds."""
    wall_clock: float
    """What the wall clock showed at the start of the recording, seconds."""
    log: ProxyLog | None
    """What the proxy's own log says, where it lies beside the recording."""

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
        InputError: a request has no answer although no server was killed.
    """
    if not file.is_file():
        raise TraceError(f"{file}: no such file; allowed: a recording, TAG.csv.gz")
    meta = _read_meta(_meta_file(file))
    columns = read_trace(file, ("lat_us", "svc_us"), time_column="arr_us").columns
    arrival = read_trace(file, ("arr_us",)).columns["arr_us"]
    count = len(meta.sc.weights)
    status = _numbers(file, "status", tuple(range(-1, 1000)))
    server = _numbers(file, "server", tuple(range(count)))
    if meta.ev.kill is None and (bad := np.flatnonzero((server < 0) | (status < 100))).size:
        row = int(bad[0])
        raise InputError(
            f"{file}:{row + 2}: status: given {status[row]} at server {server[row]}; allowed: an answer of a "
            "server, since none was killed (`ev` of the meta file)"
        )
    names = _names(meta, count)
    wall_clock = meta.ev.wall_minus_mono_s + meta.ev.t0_ns / 1e9
    return Recording(
        file=file.resolve(),
        setup=meta.sc,
        names=names,
        server=server,
        status=status,
        latency=columns["lat_us"] / 1e6,
        received=_times(file, "b_recv_us"),
        answered=(arrival + columns["lat_us"]) / 1e6,
        begin=float(arrival[0]) / 1e6,
        killed=None if meta.ev.kill is None else meta.ev.kill / 1e6,
        ready=(meta.ev.ready or 0) / 1e6,
        wall_clock=wall_clock,
        log=read_log(
            file.with_name(f"{_tag(file)}.log.gz"), meta.sc.proxy, names=names, wall_clock=wall_clock
        ),
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


def _numbers(file: Path, column: str, allowed: Sequence[int]) -> NDArray[np.int64]:
    """Read whole numbers; -1 where a cell is empty."""
    known = {str(number): number for number in allowed} | {"": -1}
    texts = read_texts(file, column)
    for row, text in enumerate(texts):
        if text not in known:
            raise TraceError(
                f"{file}:{row + 2}: {column}: given {text!r}; allowed: a whole number from {allowed[0]} to "
                f"{allowed[-1]}"
            )
    return np.array([known[text] for text in texts], np.int64)


def _times(file: Path, column: str) -> NDArray[np.float64]:
    """Read microseconds as seconds; NaN where a cell is empty."""
    times = []
    for row, text in enumerate(read_texts(file, column)):
        try:
            times.append(float(text) / 1e6 if text else math.nan)
        except ValueError:
            raise TraceError(f"{file}:{row + 2}: {column}: given {text!r}; allowed: a number") from None
    return np.array(times)


def _names(meta: _Meta, count: int) -> list[str]:
    if len(meta.ports) == count + 1:
        return [f"127.0.0.1:{port}" for port in meta.ports[1:]]
    return [f"server-{number}" for number in range(count)]
