"""Secrets: named in documents, read when they are used, never stored and never shown.

A document says where a secret is, `{env: NAME}` or `{file: PATH}`. What it is, is known to a
`Vault` alone, which also takes it out of any text that others have made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from workbench.errors import InputError

HIDDEN = "***"
"""What stands in the place of a secret."""

_LEAST_HIDDEN = 6
"""Characters from which on a part of a secret address, such as a token in its path, is hidden by itself."""

_ALLOWED = "where the secret is, `env: NAME` or `file: PATH`; itself it stands in no document"


@dataclass(frozen=True)
class Secret:
    """Where a secret is: in a variable of the environment, or in a file."""

    env: str | None = None
    file: Path | None = None

    def __str__(self) -> str:
        return f"${self.env}" if self.env else str(self.file)

    @classmethod
    def read(cls, value: Any, info: core_schema.ValidationInfo | None = None) -> Secret:
        """Make a reference of what a document says; an error does not repeat what was given."""
        if isinstance(value, Secret):
            return value
        if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= {"env", "file"}:
            raise _refused()
        ((kind, place),) = value.items()
        if not isinstance(place, str) or not place.strip():
            raise _refused()
        if kind == "env":
            return cls(env=place)
        folder = (info.context or {}).get("folder", Path()) if info else Path()
        return cls(file=folder / place)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda secret: {"env": secret.env} if secret.env else {"file": str(secret.file)}
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        place: JsonSchemaValue = {"type": "string"}
        return {
            "type": "object",
            "properties": {"env": place, "file": place},
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }


def _refused() -> ValidationError:
    detail = PydanticCustomError("secret", "{allowed}", {"allowed": _ALLOWED})
    error = InitErrorDetails(type=detail, loc=(), input=HIDDEN)
    return ValidationError.from_exception_data("secret", [error])


class Vault:
    """Reads secrets, and hides those that it has read from texts.

    Args:
        environment: the variables that secrets may be in.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._known: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return "Vault()"

    def reveal(self, secret: Secret) -> str:
        """Read a secret.

        Raises:
            InputError: it is not where it should be, or is empty; the message names the place only.
        """
        if secret.env is not None:
            value = self._environment.get(secret.env, "")
            if not value.strip():
                raise InputError(f"the variable {secret.env} is not set; allowed: the secret in it")
        else:
            value = _content(secret.file or Path())
        value = value.strip()
        self._known = self._known | _forms(value)  # put in place at once, since other threads hide meanwhile
        return value

    def hide(self, text: str) -> str:
        """Take every known secret, and every telling part of one, out of a text."""
        for known in sorted(self._known, key=len, reverse=True):
            text = text.replace(known, HIDDEN)
        return text


def _content(file: Path) -> str:
    try:
        value = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"the file {file} cannot be read ({reason}); allowed: the secret in it") from None
    if not value.strip():
        raise InputError(f"the file {file} is empty; allowed: the secret in it")
    return value


def _forms(value: str) -> frozenset[str]:
    """Spell a secret in every way in which an error may repeat it; of an address also its parts."""
    parts = {value, *(piece for piece in _pieces(value) if len(piece) >= _LEAST_HIDDEN)}
    return frozenset(parts | {quote(part, safe="") for part in parts} | {unquote(part) for part in parts})


def _pieces(value: str) -> list[str]:
    """Take an address apart into what may be secret by itself."""
    try:
        address = urlsplit(value)
    except ValueError:
        return []
    if "://" not in value:
        return []
    pieces = [address.username or "", address.password or "", *address.path.split("/")]
    pieces += [address.path, address.query, *_values(address.query)]
    if address.scheme not in ("http", "https"):
        pieces.append(address.netloc)  # of a service's own form of address, where tokens may be the host
    return pieces


def _values(query: str) -> list[str]:
    return [pair.partition("=")[2] for pair in query.split("&")]
