"""How collectors reach systems: over HTTP, and over sockets that take a command and answer."""

from __future__ import annotations

import http.client
import json
import os
import socket
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from workbench.errors import TargetError

_MOST_BYTES = 64_000_000


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise PydanticCustomError(
            "url", "a plain address of HTTP, such as http://127.0.0.1:8404/stats, with no password in it"
        )
    return url


Url = Annotated[str, AfterValidator(_address)]
"""An address of HTTP without user or password."""


def _socket(place: str) -> str:
    host, _, port = place.rpartition(":")
    if not place.startswith("/") and not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise PydanticCustomError("socket", "the path of a socket, or host:port, such as 127.0.0.1:9999")
    return place


SocketPlace = Annotated[str, AfterValidator(_socket)]
"""A socket of this machine by its path, or one by host and port."""


def fetch(url: str, *, timeout: float, headers: Mapping[str, str] | None = None) -> bytes:
    """Get a page.

    Raises:
        TargetError: there is no answer, or one that is an error.
    """
    request = urllib.request.Request(url, headers={"Cache-Control": "no-cache", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            content: bytes = answer.read(_MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        with error:
            raise TargetError(f"{url}: answered {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TargetError(f"{url}: {_reason(error, timeout)}") from None
    if len(content) > _MOST_BYTES:
        raise TargetError(f"{url}: answered more than {_MOST_BYTES // 1_000_000} MB")
    return content


def fetch_json(url: str, *, timeout: float, headers: Mapping[str, str] | None = None) -> Any:
    """Get a page of JSON.

    Raises:
        TargetError: there is no answer, or one that is not JSON.
    """
    content = fetch(url, timeout=timeout, headers=headers)
    try:
        return json.loads(content)
    except ValueError:
        raise TargetError(f"{url}: answered {_start(content)}, which is not JSON") from None


def basic(user: str, password_env: str) -> dict[str, str]:
    """Give the header by which a user says who he is.

    Raises:
        TargetError: the variable that has the password is not set.
    """
    return {"Authorization": f"Basic {b64encode(f'{user}:{secret(password_env)}'.encode()).decode()}"}


def secret(variable: str) -> str:
    """Read a password from the environment; no document holds it.

    Raises:
        TargetError: the variable is not set.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise TargetError(f"the variable {variable} is not set; allowed: the password in it")
    return value


@contextmanager
def connected(place: str, *, timeout: float) -> Iterator[socket.socket]:
    """Connect to a socket by its path or by host:port.

    Raises:
        TargetError: nobody takes the connection, or it breaks off while it is used.
    """
    try:
        if place.startswith("/"):
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(timeout)
        else:
            host, _, port = place.rpartition(":")
            line = socket.create_connection((host.strip("[]"), int(port)), timeout)
        with line:
            if place.startswith("/"):
                line.connect(str(Path(place)))
            yield line
    except OSError as error:
        raise TargetError(f"{place}: {_reason(error, timeout)}") from None


def ask_line(place: str, command: str, *, timeout: float) -> str:
    """Send a command and read until the other side closes, as HAProxy's stats socket does it.

    Raises:
        TargetError: there is no answer.
    """
    received = bytearray()
    with connected(place, timeout=timeout) as line:
        line.sendall(f"{command}\n".encode())
        while part := line.recv(65536):
            received += part
            if len(received) > _MOST_BYTES:
                raise TargetError(f"{place}: answered more than {_MOST_BYTES // 1_000_000} MB")
    return received.decode("utf-8", "replace")


def _reason(error: Exception, timeout: float) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"no answer within {timeout:g} s"
    return str(getattr(cause, "strerror", None) or cause or type(cause).__name__)


def _start(content: bytes) -> str:
    return repr(content[:40].decode("utf-8", "replace"))
