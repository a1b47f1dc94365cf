"""Changes of a configuration as people write them, `servers.web-1.weight=3`, and how versions differ."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from workbench.configuration.document import BalancerConfiguration, ServerSettings
from workbench.documents import check
from workbench.errors import InputError
from workbench.simulate import read_strategy
from workbench.versions import Change, content_differences

_SERVERS = "servers"
_KEYS = frozenset(ServerSettings.model_fields)


def differences(before: BalancerConfiguration | None, after: BalancerConfiguration) -> list[Change]:
    """List the keys in which two configurations differ, in the order of the document.

    A server that comes or goes is one change; another order of the servers is one, too, since some
    strategies take turns by it.
    """
    old = before.content() if before else {}
    new = after.content()
    known, wanted = old.get(_SERVERS, {}), new[_SERVERS]
    changes = []
    for name in dict.fromkeys([*wanted, *known]):
        key = f"{_SERVERS}.{name}"
        if name in wanted and name in known:
            found = content_differences(known[name], wanted[name])
            changes += [Change(f"{key}.{one.key}", one.before, one.after) for one in found]
        else:
            changes.append(Change(key, known.get(name), wanted.get(name)))
    common = [[name for name in one if name in known and name in wanted] for one in (known, wanted)]
    if common[0] != common[1]:
        changes.append(Change("order of servers", ", ".join(known), ", ".join(wanted)))
    rest = [{key: value for key, value in one.items() if key != _SERVERS} for one in (old, new)]
    for content, configuration in ((rest[0], before), (rest[1], after)):
        if configuration is not None:
            label = configuration.balancers.strategy.label
            content["balancers"] = content["balancers"] | {"strategy": label}
    return [*changes, *content_differences(rest[0], rest[1])]


def changed(content: dict[str, Any], assignments: Sequence[str], *, name: str) -> BalancerConfiguration:
    """Apply changes to the content of a configuration.

    Args:
        content: of a configuration; it is changed.
        assignments: such as `servers.web-1.weight=3`, `servers.web-*.state=drain`,
            `balancers.strategy=power_of_two(choices=3)`; an empty value removes a server, or what has
            a default.
        name: stands for the document in messages.

    Raises:
        DocumentError: the configuration would not be allowed, with every problem.
        InputError: a change cannot be read, or is for a server that is not there.
    """
    for assignment in assignments:
        path, mark, text = assignment.partition("=")
        if not mark or not path.strip():
            raise InputError(
                f"change: given {assignment!r}; allowed: key=value, such as servers.web-1.weight=3"
            )
        value = _value(path.strip(), text.strip())
        for keys in _places(content, path.strip(), adds=isinstance(value, dict)):
            _assign(content, keys, value)
    return check(content, BalancerConfiguration, name=name, folder=Path.cwd())


def _value(path: str, text: str) -> Any:
    if path.rpartition(".")[2] == "strategy" and text and not text.startswith("{"):
        return read_strategy(text).model_dump(mode="json")
    try:
        return YAML(typ="safe").load(text)
    except YAMLError:
        raise InputError(f"{path}: given {text!r}; allowed: a value as in YAML") from None


def _places(content: dict[str, Any], path: str, *, adds: bool) -> list[list[str]]:
    """Find what a path means: names of servers may hold dots, and patterns stand for several.

    Args:
        content: of a configuration.
        path: with dots between keys.
        adds: whether the value could be a whole server, so that the path may name a new one.
    """
    first, _, rest = path.partition(".")
    if first != _SERVERS or not rest:
        return [path.split(".")]
    known = list(content.get(_SERVERS) or {})
    for name in sorted(known, key=len, reverse=True):
        if rest == name or rest.startswith(f"{name}."):
            return [[_SERVERS, name, *_split(rest[len(name) + 1 :])]]
    if not any(sign in rest for sign in "*?["):
        if adds:
            return [[_SERVERS, rest]]
        raise InputError(
            f"{path}: given a server that is not there; allowed: {_shown(known)}, or a new one as a whole, "
            "such as servers.NAME={weight: 1}"
        )
    # A key of a server has no dot in it, so what stands before the last one is the pattern.
    pattern, _, key = rest.rpartition(".") if rest.rpartition(".")[2] in _KEYS else (rest, "", "")
    chosen = [name for name in known if fnmatchcase(name, pattern)]
    if not chosen:
        raise InputError(f"{path}: given a pattern that fits no server; allowed: {_shown(known)}")
    return [[_SERVERS, name, *_split(key)] for name in chosen]


def _split(path: str) -> list[str]:
    return path.split(".") if path else []


def _shown(names: list[str]) -> str:
    return ", ".join(names[:8] or ["none yet"]) + (", ..." if len(names) > 8 else "")


def _assign(content: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        inner = content.get(key)
        if isinstance(inner, str):  # the bare kind of a member stands for the member
            inner = {"kind": inner}
        content[key] = inner = dict(inner) if isinstance(inner, dict) else {}
        content = inner
    if value is None:
        content.pop(keys[-1], None)
    else:
        content[keys[-1]] = value
