"""Setting single values of a scenario by their path, such as `balancers.checks.inter`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from workbench.errors import InputError
from workbench.simulate import read_strategy

STRATEGY = "balancers.strategy"


class PathError(InputError):
    """A path that leads nowhere in its scenario."""

    def __init__(self, path: str, where: str, allowed: str) -> None:
        self.path = path
        self.allowed = f"a path that goes on, after {where or 'its beginning'}, with {allowed}"
        super().__init__(f"path: given {path!r}; allowed: {self.allowed}")


def set_path(document: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path of a scenario's document, whose keys are all there.

    A number in a path is a place of a list; a list of one item, such as a pool of one group, may do
    without. A strategy may be given by its label, `power_of_two(choices=3)`.

    Raises:
        PathError: the path leads nowhere; the message names what it could go on with.
    """
    keys = path.split(".")
    node: Any = document
    for depth, key in enumerate(keys[:-1]):
        node = _step(node, key, ".".join(keys[:depth]), path)
    node = _alone(node)
    where, last = ".".join(keys[:-1]), keys[-1]
    if path == STRATEGY and isinstance(value, str):
        value = read_strategy(value).model_dump(mode="json")
    if isinstance(node, list):
        node[_place(node, last, where, path)] = copy.deepcopy(value)
        return
    if not isinstance(node, dict):
        raise PathError(path, where, _asked(node))
    if last not in node and "kind" not in node:
        raise PathError(path, where, f"one of {', '.join(node)}")
    node[last] = copy.deepcopy(value)


def _step(node: Any, key: str, where: str, path: str) -> Any:
    node = _alone(node) if not key.isdecimal() else node
    if isinstance(node, list):
        return node[_place(node, key, where, path)]
    if not isinstance(node, dict):
        raise PathError(path, where, _asked(node))
    if key not in node:
        raise PathError(path, where, f"one of {', '.join(node)}")
    if isinstance(node[key], str) and key in _MEMBERS:
        node[key] = {"kind": node[key]}  # a member that is named only, with its defaults
    return node[key]


_MEMBERS = ("strategy", "arrivals", "service", "keys", "checks", "detector", "failover", "retries", "weights")


def _alone(node: Any) -> Any:
    return node[0] if isinstance(node, list) and len(node) == 1 and isinstance(node[0], dict) else node


def _place(node: Sequence[Any], key: str, where: str, path: str) -> int:
    if not key.isdecimal() or int(key) >= len(node):
        allowed = f"a place from 0 to {len(node) - 1}" if node else "an item in the scenario's list"
        raise PathError(path, where, allowed)
    return int(key)


def _asked(node: Any) -> str:
    return "a scenario that has something there" if node is None else "a shorter path"
