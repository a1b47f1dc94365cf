"""HTTP as channels need it: one request with one deadline, and what its answer means."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from workbench.alerts.channels._base import Answer, Verdict
from workbench.alerts.secrets import HIDDEN, Secret, Vault

_SHOWN_BYTES = 200
_TRY_AGAIN = (408, 425, 429)
"""Codes below 500 that ask to come again: timeout, too early, too many requests."""


def _check_address(value: Any) -> str | Secret:
    if isinstance(value, Secret | dict):
        return Secret.read(value)
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        _ = parts.port  # it is checked when it is read
    except ValueError:
        parts = urlsplit("")
    if "@" in parts.netloc:
        raise _refused("for an address with a password, where it is: `env: NAME` or `file: PATH`")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refused("an address that begins with http:// or https://, or `env: NAME` or `file: PATH`")
    return str(value)


def _refused(allowed: str) -> ValidationError:
    """Do not repeat what was given: it may be a secret."""
    detail = PydanticCustomError("address", "{allowed}", {"allowed": allowed})
    return ValidationError.from_exception_data(
        "address", [InitErrorDetails(type=detail, loc=(), input=HIDDEN)]
    )


Address = Annotated[
    str | Secret,
    BeforeValidator(_check_address),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": "^https?://"}, {"type": "object"}]}),
]
"""An address of HTTP: written out where it holds no secret, else where the secret is."""


def shown_address(address: str | Secret) -> str:
    """Say where an address leads: a secret's place, or scheme, host and port, since paths may hold tokens."""
    if isinstance(address, Secret):
        return str(address)
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def post(
    address: str,
    body: bytes,
    *,
    headers: Mapping[str, str],
    timeout: float,
    vault: Vault,
    now: float,
) -> Answer:
    """Send one POST and judge its answer; redirections are not followed.

    2xx is delivered; 5xx, 408, 425, 429 and anything that goes wrong on the line is temporary; the
    rest is permanent.

    Args:
        address: beginning with http:// or https://.
        body: JSON.
        headers: beside those of the content.
        timeout: of all together, seconds.
        vault: hides its secrets in what the receiver says.
        now: time of day, in seconds, for a Retry-After that is a date.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return Answer(Verdict.PERMANENT, "the secret holds no address that begins with http:// or https://")
    try:
        connection = _connection(parts.scheme, parts.hostname, parts.port, timeout)
    except ValueError as error:
        return Answer(Verdict.PERMANENT, vault.hide(f"no address: {error}"))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    cut = _Deadline(connection, timeout)
    try:
        connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        text = " ".join(response.read(_SHOWN_BYTES).decode("utf-8", "replace").split())
        asked = response.headers.get("Retry-After")
    except ssl.SSLCertVerificationError as error:
        return Answer(Verdict.PERMANENT, vault.hide(f"certificate: {error.verify_message}"))
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = (
            f"no answer within {timeout:g} s"
            if cut.passed or isinstance(error, TimeoutError)
            else _say(error)
        )
        return Answer(Verdict.TEMPORARY, vault.hide(why))
    finally:
        cut.cancel()
        connection.close()
    detail = vault.hide(f"{response.status} {response.reason}" + (f": {text}" if text else ""))
    return Answer(_judge(response.status), detail, response.status, _seconds(asked, now))


def _connection(scheme: str, host: str, port: int | None, timeout: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=timeout)


class _Deadline:
    """Cuts a connection when its time is over, also where the other side sends a byte now and then."""

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self.passed = False
        self._connection = connection
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.passed = True
        if (line := self._connection.sock) is not None:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has just closed by itself


def _say(error: Exception) -> str:
    return str(error) or type(error).__name__


def _judge(status: int) -> Verdict:
    if 200 <= status < 300:
        return Verdict.DELIVERED
    return Verdict.TEMPORARY if status >= 500 or status in _TRY_AGAIN else Verdict.PERMANENT


def _seconds(asked: str | None, now: float) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110, 10.2.3); None for what is neither."""
    if asked is None:
        return None
    if asked.strip().isascii() and asked.strip().isdigit():
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - now)
    except (ValueError, OverflowError):
        return None
