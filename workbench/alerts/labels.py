"""Labels: what tells one series, or one alert, from another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
"""What a label may be called."""

_OFFSET, _PRIME, _MASK, _SEPARATOR = 0xCBF29CE484222325, 0x100000001B3, 2**64 - 1, 0xFF


class Labels(Mapping[str, str]):
    """Names with their values: frozen, hashable, ordered by name. An empty value is no label.

    >>> labels = Labels({"server": "b", "pool": "web", "zone": ""})
    >>> str(labels)
    '{pool="web", server="b"}'
    """

    def __init__(self, pairs: Mapping[str, str] | None = None) -> None:
        self._pairs = tuple(sorted((name, value) for name, value in (pairs or {}).items() if value))
        self._hash = hash(self._pairs)

    @cached_property
    def _values(self) -> dict[str, str]:
        return dict(self._pairs)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._pairs)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Labels) and self._pairs == other._pairs

    def __lt__(self, other: Labels) -> bool:
        return self._pairs < other._pairs

    def __str__(self) -> str:
        return "{" + ", ".join(f'{name}="{escaped(value)}"' for name, value in self._pairs) + "}"

    def __repr__(self) -> str:
        return f"Labels({dict(self._pairs)!r})"

    def __reduce__(self) -> tuple[type[Labels], tuple[dict[str, str]]]:
        return type(self), (dict(self._pairs),)

    def merged(self, other: Mapping[str, str]) -> Labels:
        """Give these labels with others over them."""
        return Labels({**self._values, **other})

    def only(self, names: frozenset[str]) -> Labels:
        """Give those of the named labels that are here."""
        return Labels({name: value for name, value in self._pairs if name in names})

    def without(self, names: frozenset[str]) -> Labels:
        """Give these labels but for the named ones."""
        return Labels({name: value for name, value in self._pairs if name not in names})

    @cached_property
    def fingerprint(self) -> str:
        """The FNV-1a hash by which Alertmanager knows an alert, 16 hexadecimal digits.

        From: prometheus/common, model/signature.go.
        """
        value = _OFFSET
        for name, text in self._pairs:
            for byte in (*name.encode(), _SEPARATOR, *text.encode(), _SEPARATOR):
                value = ((value ^ byte) * _PRIME) & _MASK
        return f"{value:016x}"


def escaped(value: str) -> str:
    r"""Write a label's value as it stands between quotes in PromQL and the exposition format.

    >>> escaped('a "b"')
    'a \\"b\\"'
    """
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
