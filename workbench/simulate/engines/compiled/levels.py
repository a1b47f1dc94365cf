"""How many requests are at each server, found out when somebody asks: what a pick sees as `in_flight`.

Without an agenda nobody is told that a service has ended. A request that is known to end at a time at
or before now is taken off when its server is looked at, so a pick costs as much as it looks at.
"""

from __future__ import annotations

import operator
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import (
    intrinsic,
    make_attribute_wrapper,
    models,
    overload,
    register_jitable,
    register_model,
)

from workbench.simulate.engines.compiled.borrowing import index
from workbench.simulate.engines.compiled.state import Count

_FLOATS = types.CPointer(types.float64)  # type: ignore[no-untyped-call]
_INTS = types.CPointer(types.int64)  # type: ignore[no-untyped-call]
_ARRAYS: dict[str, Any] = {
    "now": _FLOATS,
    "finish": _FLOATS,
    "behind": _INTS,
    "first": _INTS,
    "inside": _INTS,
    "counts": _INTS,
}
"""The time, and from window, pool and counts what `look` needs: addresses, whose arrays the run holds."""
_BASE = int(Count.BASE)


class LevelsType(types.Type):
    """Numba's type of the levels: read by index, and with a length."""

    def __init__(self) -> None:
        super().__init__("Levels")


@register_model(LevelsType)
class LevelsModel(models.StructModel):
    """The addresses that make up the levels, and how many servers there are."""

    def __init__(self, manager: Any, kind: LevelsType) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            manager, kind, [*_ARRAYS.items(), ("length", types.intp)]
        )


for _name in (*_ARRAYS, "length"):
    make_attribute_wrapper(LevelsType, _name, _name)


@intrinsic
def make_levels(
    context: Any, now: Any, finish: Any, behind: Any, first: Any, inside: Any, counts: Any
) -> Any:
    """Make levels out of arrays."""
    arrays = (now, finish, behind, first, inside, counts)

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        proxy = cgutils.create_struct_proxy(LevelsType())  # type: ignore[no-untyped-call]
        made = proxy(target, builder)
        for name, kind, value in zip(_ARRAYS, arrays, values, strict=True):
            array = target.make_array(kind)(target, builder, value)
            setattr(made, name, array.data)
            if name == "first":
                made.length = array.nitems
        return made._getvalue()

    return LevelsType()(*arrays), generate


def look(now: float, finish: Any, behind: Any, first: Any, inside: Any, base: int, server: int) -> int:
    """Take off a server what has ended by now, and count what is left."""
    left: int = inside[server]
    while left > 0 and finish[index(first[server] - base)] <= now:
        left -= 1
        if left > 0:
            first[server] = behind[index(first[server] - base)]
    inside[server] = left
    return left


_look = register_jitable(look)


@overload(operator.getitem)
def _get(levels: Any, server: Any) -> Any:
    if not isinstance(levels, LevelsType):
        return None

    def get(levels: Any, server: Any) -> int:
        base, now = levels.counts[_BASE], levels.now[0]
        return _look(now, levels.finish, levels.behind, levels.first, levels.inside, base, server)

    return get


@overload(len)
def _len(levels: Any) -> Any:
    if not isinstance(levels, LevelsType):
        return None

    def length(levels: Any) -> int:
        found: int = levels.length
        return found

    return length
