"""NGINX Plus by the JSON of its API, or of the status module before it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, ValidationInfo, model_validator

from workbench.errors import TargetError
from workbench.monitor.collectors._asking import Url, fetch_json
from workbench.monitor.collectors._base import COLLECTORS, Collector, Look, Reading

_WELL = ("up", "draining")
_TIMES = {"response": "response_time"}
"""Means of late in milliseconds; the time in the queue is not told."""


def _beside(file: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / file


@COLLECTORS.register
class NginxPlus(Collector):
    """NGINX Plus: the peers of its upstreams, of HTTP and of streams."""

    summary: ClassVar[str] = "nginx_plus: NGINX Plus's API (/api/9/http/upstreams) or /status, as JSON"
    kind: Literal["nginx_plus"] = "nginx_plus"
    url: Url | None = None
    """The API's `http/upstreams` or `stream/upstreams`, or the status module's page."""
    file: Annotated[Path, AfterValidator(_beside)] | None = None
    """Pages recorded earlier, one a line, each with its `timestamp`; in place of the address."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.url is None) == (self.file is None):
            raise ValueError("one of url and file")
        return self

    def look(self, *, timeout: float) -> Look:
        """Get the page."""
        if self.url is None:
            raise TargetError(f"{self.file}: is a recording, which nobody can ask anew")
        return read_page(fetch_json(self.url, timeout=timeout), self.url)

    def recorded(self) -> Iterator[tuple[float, Look]] | None:
        """Read the recorded pages, with their times."""
        return None if self.file is None else _recorded(self.file)


def _recorded(file: Path) -> Iterator[tuple[float, Look]]:
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    page = json.loads(line)
                    at = float(page["timestamp"]) / 1000.0
                except (ValueError, KeyError, TypeError):
                    raise TargetError(f"{file}:{number}: is no page of JSON with a timestamp") from None
                yield at, read_page(page, f"{file}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise TargetError(f"{file}: cannot be read ({reason})") from None


def read_page(page: Any, place: str) -> Look:
    """Read a page of either kind.

    Raises:
        TargetError: it is neither.
    """
    try:
        whole = "upstreams" in page
        upstreams = dict(page["upstreams"] if whole else page)
        streams = (page.get("stream") or {}).get("upstreams", {}) if whole else {}
        upstreams |= {f"stream/{name}": upstream for name, upstream in streams.items()}
        readings = tuple(
            reading for pool, upstream in upstreams.items() for reading in _peers(pool, upstream)
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise TargetError(f"{place}: answered JSON without upstreams and peers ({error!r})") from None
    return Look(readings)


def _peers(pool: str, upstream: Mapping[str, Any]) -> Iterator[Reading]:
    names: set[str] = set()
    for peer in upstream["peers"]:
        name = str(peer.get("name") or peer["server"])
        name = f"{name}#{peer['id']}" if name in names else name
        names.add(name)
        yield _peer(f"{pool}/{name}", pool, peer)
    if (queue := upstream.get("queue")) is not None:
        yield Reading(
            server=f"{pool}/queue",
            pool=pool,
            waiting=float(queue["size"]),
            queue_limit=float(queue["max_size"]),
            counters={"refused": float(queue["overflows"])},
        )


def _peer(name: str, pool: str, peer: Mapping[str, Any]) -> Reading:
    active = float(peer["active"])
    responses = peer.get("responses")
    arrivals = float(peer["requests"] if "requests" in peer else peer["connections"])
    counters = {
        "arrivals": arrivals,
        "completions": float(responses["total"]) if responses else arrivals - active,
        "errors": float(peer["fails"]),
    }
    if responses:
        counters["answers"] = float(responses["total"])
    means = {label: float(peer[key]) / 1000.0 for label, key in _TIMES.items() if key in peer}
    return Reading(
        server=name,
        pool=pool,
        in_service=active,
        slots=float(peer["max_conns"]) if peer.get("max_conns") else None,
        up=peer["state"] in _WELL,
        state=peer["state"],
        weight=float(peer["weight"]),
        counters=counters,
        means_s=means,
    )
