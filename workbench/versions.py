"""What all configurations that are kept in versions have in common.

A version is never changed. Whoever saves says on which version the change is based; if another was
saved since, nothing is written and the writer is told, so of two writers one wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from workbench.errors import ConflictError, InputError

C = TypeVar("C")


@dataclass(frozen=True)
class Version(Generic[C]):
    """One version of a configuration."""

    version: int
    """Its number, from 1 on."""
    configuration: C
    author: str
    at: datetime
    """When it was saved, UTC."""
    reason: str


@dataclass(frozen=True)
class Change:
    """One key of a configuration in which two versions differ."""

    key: str
    before: Any
    """None where the key was not there."""
    after: Any


def content_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """List the keys in which two contents differ, in the order of the document."""
    old, new = _flat(before), _flat(after)
    keys = list(dict.fromkeys([*new, *old]))
    return [Change(key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]


def check_signed(*, author: str, reason: str) -> None:
    """Refuse a version of which nobody would know who made it and why.

    Raises:
        InputError: no author or no reason.
    """
    for name, text in (("author", author), ("reason", reason)):
        if not text.strip():
            raise InputError(f"{name}: given nothing; allowed: a text, kept with the version")


def check_base(current: Version[C] | None, based_on: int) -> None:
    """Refuse a change of a version that does not hold any more.

    Raises:
        ConflictError: another version was saved since; the message says by whom and why.
    """
    if current is None:
        if based_on != 0:
            given = f"based on: given version {based_on}"
            raise ConflictError(f"{given}; allowed: 0, since there is no version yet")
    elif current.version != based_on:
        raise ConflictError(
            f"based on: given version {based_on}; allowed: {current.version}, saved by {current.author} at "
            f"{current.at:%Y-%m-%d %H:%M} ({current.reason}); look at what it changed, "
            "then make the change anew"
        )


def _flat(content: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{above}{key}.")
        else:
            flat[f"{above}{key}"] = value
    return flat
