"""What a proxy and the network around it add to every request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from workbench.errors import InputError

OVERHEAD_FILE = "overhead_us.json"
"""Beside a recording or one folder above it: for each proxy the medians of an idle system, microseconds."""


class Overhead(NamedTuple):
    """One-way delays of a request and its answer, seconds; each includes the work at its end."""

    f1: float = 0.0
    """From the client to the proxy."""
    f2: float = 0.0
    """From the proxy to the server."""
    r1: float = 0.0
    """Back from the server to the proxy."""
    r2: float = 0.0
    """Back from the proxy to the client."""

    @property
    def pool_delay(self) -> float:
        """One-way delay between balancer and server that is as long there and back, seconds.

        With one delay for all servers only the sum of both ways counts: another split moves what
        happens at the servers in time, but neither a pick nor a response time.
        """
        return (self.f2 + self.r1) / 2

    @property
    def client_delay(self) -> float:
        """What the way between client and proxy adds to a response, seconds."""
        return self.f1 + self.r2


class _Medians(BaseModel):
    f1: float = Field(ge=0, le=1e9)
    f2: float = Field(ge=0, le=1e9)
    r1: float = Field(ge=0, le=1e9)
    r2: float = Field(ge=0, le=1e9)


def read_overhead(recording: Path, proxy: str) -> Overhead:
    """Read a proxy's overhead from the file that lies near a recording; none where there is no file.

    Raises:
        InputError: the file is corrupt, or holds what is no time.
    """
    for folder in (recording.parent, recording.resolve().parent.parent):
        file = folder / OVERHEAD_FILE
        if file.is_file():
            return _read(file).get(proxy, Overhead())
    return Overhead()


def overhead_of(microseconds: Sequence[float]) -> Overhead:
    """Make an overhead of four times in microseconds: f1, f2, r1, r2.

    Raises:
        InputError: they are not four, or one is negative or no number.
    """
    if len(microseconds) != 4 or not all(0 <= value <= 1e9 for value in microseconds):
        given = ", ".join(f"{value:g}" for value in microseconds)
        raise InputError(
            f"overhead: given {given or 'nothing'}; allowed: four times of 0 to 1e9 microseconds: "
            "client to proxy, proxy to server, and back"
        )
    return Overhead(*(value / 1e6 for value in microseconds))


def _read(file: Path) -> dict[str, Overhead]:
    try:
        found = TypeAdapter(dict[str, _Medians]).validate_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        item = error.errors()[0]
        key = ".".join(str(part) for part in item["loc"]) or "document"
        raise InputError(f"{file}: {key}: {item['msg']}; allowed: microseconds of f1, f2, r1, r2") from None
    return {proxy: overhead_of([times.f1, times.f2, times.r1, times.r2]) for proxy, times in found.items()}
