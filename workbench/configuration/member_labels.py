"""Members of families as they are written on the command line: `haproxy(socket=/run/ha, backend=web)`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from workbench.documents import Family, Member, check
from workbench.errors import InputError

M = TypeVar("M", bound=Member)

_LABEL = re.compile(r"\s*([\w.]+)\s*(?:\((.*)\))?\s*", re.DOTALL)


def read_label(family: Family[M], label: str) -> M:
    """Make the member that a label stands for.

    Raises:
        InputError: there is no such member, or a setting is missing or not allowed.
    """
    match = _LABEL.fullmatch(label)
    if match is None:
        raise InputError(f"{family.noun}: given {label!r}; allowed: a kind, or kind(name=value, ...)")
    member = family[match[1]]
    try:
        settings = YAML(typ="safe").load("{" + re.sub(r"\s*=\s*", ": ", match[2] or "") + "}")
    except YAMLError:
        raise InputError(f"{family.noun}: given {label!r}; allowed: name=value with commas between") from None
    return check(dict(settings), member, name=f"{family.noun} {match[1]}", folder=Path.cwd())
