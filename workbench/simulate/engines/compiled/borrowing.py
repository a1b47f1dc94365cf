"""Arrays that a kernel borrows from its caller, and so need not be counted as references.

Numba counts references to an array whenever a function is given it, and each count is an atomic
operation; in a loop over requests they take as long as all the rest. The run holds its arrays until the
kernel has returned, so nobody need count within it: an array without an owner is not counted.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.types.npytypes import NumPyRandomGeneratorType
from numba.extending import intrinsic


def _borrow(context: Any, value: Any) -> Any:
    """Give arrays, tuples of them or a generator without their owners."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _without_owner(target, builder, value, values[0])

    return value(value), generate


def _without_owner(target: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.BaseTuple):
        inner: Any
        for place, inner in enumerate(iter(kind)):  # type: ignore[call-overload]
            own = _without_owner(target, builder, inner, builder.extract_value(value, place))
            value = builder.insert_value(value, own, place)
    elif isinstance(kind, types.Array | NumPyRandomGeneratorType):
        proxy = cgutils.create_struct_proxy(kind)  # type: ignore[no-untyped-call]
        made = proxy(target, builder, value=value)
        made.meminfo = cgutils.get_null_value(made.meminfo.type)  # type: ignore[no-untyped-call]
        value = made._getvalue()
    return value


def _index(context: Any, value: Any) -> Any:
    """Give a number that is never negative as an index, of which nobody need ask whether it is."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return values[0]

    return types.uint64(types.int64), generate


borrow: Any = intrinsic(_borrow)
index: Any = intrinsic(_index)
