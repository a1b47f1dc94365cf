"""The world as the kernel sees it: one pointer, to a table of where each array lies and how long it is.

What is passed between compiled functions is passed array by array, and with all arrays of the world that
would make compiling some minutes long. So a function gets the pointer alone, and finds an array when it
names it.
"""

from __future__ import annotations

from typing import Any, get_type_hints

import numpy as np
from numba import carray, types  # type: ignore[attr-defined]
from numba.core import cgutils
from numba.extending import intrinsic, make_attribute_wrapper, models, overload_attribute, register_model
from numpy.typing import NDArray

from workbench.simulate.engines.compiled.resilient import world
from workbench.simulate.engines.compiled.resilient.world import World

_DIMENSIONS = 3
_WIDTH = 1 + _DIMENSIONS
_RECORDS: dict[str, Any] = {
    "settings": world.SETTINGS,
    "rules": world.RULES,
    "requests": world.REQUEST,
    "calls": world.CALL,
    "attempts": world.ATTEMPT,
    "machines": world.MACHINE,
    "lists": world.LIST,
    "agenda": world.EVENT,
    "desks": world.DESK,
    "budgets": world.BUDGET,
    "booked": world.BOOKED,
}
_SHAPES = {
    "failing": 3,
    "stack": 2,
    "desk_ints": 3,
    "desk_floats": 3,
    "keys": 3,
    "times": 3,
    "pool": 2,
    "view_ints": 3,
    "free_at": 2,
    "groups": 3,
    "places": 3,
    "slots": 2,
    "cut": 2,
    "booked": 2,
    "strategy_bank": 2,
    "failover_bank": 2,
    "detector_bank": 2,
}
"""The dimensions of arrays that have more than one."""


def _kinds() -> dict[str, Any]:
    """Give the type of each array's entries."""
    hints = get_type_hints(World)
    plain = {name: np.dtype(hint.__args__[1].__args__[0]) for name, hint in hints.items() if hint is not Any}
    return {name: _RECORDS.get(name) or plain[name] for name in World._fields}


def table_of(w: World) -> NDArray[np.int64]:
    """Write down where each array lies; it holds as long as the arrays do."""
    table = np.zeros(_WIDTH * len(w), np.int64)
    for place, (name, rows, kind) in enumerate(zip(w._fields, w, _kinds().values(), strict=True)):
        if rows.dtype != kind or rows.ndim != _SHAPES.get(name, 1) or not rows.flags.c_contiguous:
            raise AssertionError(f"{name}: {rows.dtype}, {rows.ndim} dimensions")
        begin = _WIDTH * place
        table[begin] = rows.ctypes.data
        table[begin + 1 : begin + 1 + rows.ndim] = rows.shape
    return table


class WorldType(types.Type):
    """Numba's type of the world."""

    def __init__(self) -> None:
        super().__init__("World")


@register_model(WorldType)
class WorldModel(models.StructModel):
    """The address of the table."""

    def __init__(self, manager: Any, kind: WorldType) -> None:
        table = types.CPointer(types.int64)  # type: ignore[no-untyped-call]
        super().__init__(manager, kind, [("table", table)])  # type: ignore[no-untyped-call]


make_attribute_wrapper(WorldType, "table", "table")


@intrinsic
def world_at(context: Any, address: Any) -> Any:
    """Give the world whose table is at an address."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        made = cgutils.create_struct_proxy(WorldType())(target, builder)  # type: ignore[no-untyped-call]
        made.table = builder.inttoptr(values[0], cgutils.intp_t.as_pointer())
        return made._getvalue()

    return WorldType()(types.int64), generate


@intrinsic
def _pointer(context: Any, address: Any) -> Any:
    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


_at: Any = _pointer


def _getter(begin: int, dimensions: int, kind: Any) -> Any:
    """Give a function that makes an array out of what the table says."""
    if dimensions == 1:
        return lambda w: carray(_at(w.table[begin]), (w.table[begin + 1],), kind)
    if dimensions == 2:
        return lambda w: carray(_at(w.table[begin]), (w.table[begin + 1], w.table[begin + 2]), kind)
    return lambda w: carray(
        _at(w.table[begin]), (w.table[begin + 1], w.table[begin + 2], w.table[begin + 3]), kind
    )


def _make_readable(name: str, getter: Any) -> None:
    overload_attribute(WorldType, name)(lambda w: getter)


for _place, (_name, _kind) in enumerate(_kinds().items()):
    _make_readable(_name, _getter(_WIDTH * _place, _SHAPES.get(_name, 1), _kind))
