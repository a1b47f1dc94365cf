"""The text of Envoy's clusters: YAML or JSON, of which every key that is read is ticked off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from workbench.errors import DocumentError, Problem

_DURATION = re.compile(r"(\d+(?:\.\d*)?)s")


class Node:
    """A mapping of the document that remembers which of its keys were read.

    Args:
        content: the mapping.
        path: where it stands, such as `outlier_detection`.
        line: its line, from 1 on.
        problems: what is wrong is added here.
        file: the document's name.
    """

    def __init__(self, content: Any, path: str, line: int, problems: list[Problem], file: Path) -> None:
        self._content = content if isinstance(content, CommentedMap) else CommentedMap()
        self._path, self._line, self._problems, self._file = path, line, problems, file
        self._read: set[str] = set()
        self._nodes: dict[str, list[Node]] = {}
        if not isinstance(content, CommentedMap):
            self.wrong("", content, "keys with values")

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def node(self, key: str) -> Node:
        """Give an inner mapping, the same each time; an empty one where there is none."""
        if key not in self._nodes:
            self._read.add(key)
            content = self._content.get(key, CommentedMap())
            self._nodes[key] = [Node(content, self._place(key), self.line(key), self._problems, self._file)]
        return self._nodes[key][0]

    def nodes(self, key: str) -> list[Node]:
        """Give the mappings of a list, the same each time."""
        if key in self._nodes:
            return self._nodes[key]
        self._read.add(key)
        values = self._content.get(key, CommentedSeq())
        if not isinstance(values, CommentedSeq):
            self.wrong(key, values, "a list")
            return []
        self._nodes[key] = [
            Node(
                one, f"{self._place(key)}[{place}]", values.lc.item(place)[0] + 1, self._problems, self._file
            )
            for place, one in enumerate(values)
        ]
        return self._nodes[key]

    def text(self, key: str, default: str = "") -> str:
        """Give a text."""
        self._read.add(key)
        return str(self._content.get(key, default))

    def number(self, key: str) -> Any:
        """Give a number, also one that is wrapped as `{value: 5}`; None where there is none."""
        self._read.add(key)
        value = self._content.get(key)
        if isinstance(value, CommentedMap):
            value = value.get("value", value.get("default_value"))
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            self.wrong(key, value, "a number")
            return None
        return value

    def flag(self, key: str) -> bool | None:
        """Give a truth value."""
        self._read.add(key)
        value = self._content.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(key, value, "true or false")
        return None

    def seconds(self, key: str) -> float | None:
        """Give a duration such as `0.25s`."""
        self._read.add(key)
        value = self._content.get(key)
        if value is None:
            return None
        match = _DURATION.fullmatch(str(value))
        if match is None:
            self.wrong(key, value, "a duration such as 0.25s")
            return None
        return float(match[1])

    def skip(self, *keys: str) -> None:
        """Tick keys off that say nothing that a configuration could."""
        self._read.update(keys)

    def unread(self) -> Iterator[tuple[str, int]]:
        """Give the place and line of each key that nobody asked for."""
        for key in self._content:
            if key not in self._read:
                yield self._place(str(key)), self.line(key)
        for inner in self._nodes.values():
            for node in inner:
                yield from node.unread()

    def line(self, key: str) -> int:
        """Give the line of a key."""
        found = (self._content.lc.data or {}).get(key)
        return int(found[0]) + 1 if found else self._line

    def wrong(self, key: str, given: Any, allowed: str) -> None:
        """Note what is wrong."""
        self._problems.append(
            Problem(str(self._file), self.line(key), self._place(key), repr(given)[:60], allowed)
        )

    def _place(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path and key else self._path or key


def _line_of(values: CommentedSeq, place: int) -> int:
    return int(values.lc.item(place)[0]) + 1


def load(text: str, file: Path) -> Any:
    """Read the document.

    Raises:
        DocumentError: it is neither YAML nor JSON.
    """
    try:
        return YAML(typ="rt").load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) if isinstance(error, MarkedYAMLError) else None
        line = mark.line + 1 if mark else 0
        raise DocumentError([Problem(str(file), line, "", "what is not YAML", "YAML or JSON")]) from None


def find_clusters(tree: Any) -> dict[str, CommentedMap]:
    """Find the clusters of a bootstrap, of a cluster file (`resources`), of a list, or a single one."""
    if isinstance(tree, CommentedMap) and isinstance(tree.get("static_resources"), CommentedMap):
        tree = tree["static_resources"]
    if isinstance(tree, CommentedMap):
        tree = tree.get("clusters", tree.get("resources", [tree]))
    clusters = [one for one in tree if isinstance(one, CommentedMap)] if isinstance(tree, list) else []
    return {str(one["name"]): one for one in clusters if "name" in one and "load_assignment" in one}
