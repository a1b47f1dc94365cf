"""Compiling a kernel for a strategy: plain functions in, one compiled function out, kept on disk.

Numba keeps compiled code by file, name and line of a function and asks no more than whether the file
has changed. Here the name holds a hash of all that the code depends on, whatever file it stands in:
every function that is called, its constants, and what is put in its place. So a strategy defined in a
notebook is found again, too, where the bytecode of its functions and what they refer to is the same.
"""

from __future__ import annotations

import dis
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba import njit, typeof, types

_OURS = "workbench.simulate.engines.compiled."
Function = Any
"""A plain function, or one that Numba has compiled: it ships no types."""

_typeof: Any = typeof
_MEMORY: dict[str, Function] = {}


def bind(
    kernel: Function,
    places: Mapping[str, Any],
    *,
    example: tuple[Any, ...],
    careful: frozenset[Function] = frozenset(),
    annotated: Mapping[str, types.Type] | None = None,
) -> Function:
    """Compile a kernel and all plain functions that it calls.

    Args:
        kernel: a plain function.
        places: what is put in the place of global names of the kernel and of the functions of ours.
        example: arguments of the types that it will be called with, or those types.
        careful: functions in which every index is checked, for they are not ours.
        annotated: what annotations of arguments stand for; functions of ours all of whose arguments have such
            ones are compiled for them alone, and not anew for each width of whole numbers.

    Returns:
        The compiled function; for the same content the same one.

    Raises:
        NumbaError, TypeError: Numba cannot compile it.
    """
    name = f"{kernel.__name__}_{fingerprint(kernel, places)}"
    if name not in _MEMORY:
        compiler = _Compiler(places, careful, annotated or {})
        function = compiler.compile(kernel, name)
        signature = tuple(one if isinstance(one, types.Type) else _typeof(one) for one in example)
        if function._cache.load_overload(signature, function.targetctx) is None:
            compiler.compile_parts()
        function.compile(signature)
        function.disable_compile()
        _MEMORY[name] = function
    return _MEMORY[name]


class _Compiler:
    """Compiles functions that call each other, each once."""

    def __init__(
        self, places: Mapping[str, Any], careful: frozenset[Function], annotated: Mapping[str, types.Type]
    ) -> None:
        self.places = places
        self.careful = careful
        self.annotated = annotated
        self.done: dict[Function, Function] = {}
        self.begun: set[Function] = set()
        self.parts: list[tuple[Function, tuple[types.Type, ...]]] = []
        """Functions with known types, each after those that it calls."""

    def compile_parts(self) -> None:
        """Compile each function whose types are known for these alone."""
        for function, signature in self.parts:
            function.compile(signature)
            function.disable_compile()

    def compile(self, given: Function, name: str = "") -> Function:
        """Compile a function; only that with a name of its own is kept on disk, with all it calls."""
        function = plain(given)
        if function in self.begun:
            raise TypeError(f"{function.__name__} calls itself")
        if function not in self.done:
            self.begun.add(function)
            known = function.__globals__
            own = {key: self._value(value) for key, value in _named(function, self.places).items()}
            copy = FunctionType(
                function.__code__,
                {**known, **own},
                name or function.__name__,
                function.__defaults__,
                tuple(CellType(self._value(cell.cell_contents)) for cell in function.__closure__ or ()),
            )
            copy.__qualname__ = name or function.__name__
            copy.__module__ = function.__module__
            signature = () if name else self._signature(function)
            compiled = njit(
                copy,
                cache=bool(name),
                boundscheck=function in self.careful,
                error_model="numpy" if function.__module__.startswith(_OURS) else "python",
                forceinline=not name and not signature,
            )
            if signature:
                self.parts.append((compiled, signature))
            self.done[function] = compiled
            self.begun.remove(function)
        return self.done[function]

    def _signature(self, function: Function) -> tuple[types.Type, ...]:
        """Give the types that a function of ours is annotated with; none where one of them is not known."""
        count = function.__code__.co_argcount
        named = [function.__annotations__.get(name) for name in function.__code__.co_varnames[:count]]
        if not function.__module__.startswith(_OURS) or not all(name in self.annotated for name in named):
            return ()
        return tuple(self.annotated[name] for name in named)

    def _value(self, value: Any) -> Any:
        return self.compile(value) if isinstance(plain(value), FunctionType) else value


def reads(function: Function, attribute: str) -> bool:
    """Tell whether a plain function, or one that it calls, reads an attribute of anything."""
    content: set[Any] = set()
    _describe(plain(function), {}, [], content)
    return any(attribute in _attributes(one.__code__) for one in content)


def _attributes(code: CodeType) -> set[str]:
    inner = [_attributes(one) for one in code.co_consts if isinstance(one, CodeType)]
    return set(code.co_names).union(*inner)


def plain(function: Any) -> Any:
    """Give the plain function of one that Numba has compiled, any other as it is."""
    return getattr(function, "py_func", function)


@functools.cache
def _own_source() -> str:
    """Hash this folder, since what Numba is told in it is no plain function."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def fingerprint(function: Function, places: Mapping[str, Any]) -> str:
    """Hash all that a function's result depends on besides its arguments."""
    content = [_own_source()]
    _describe(plain(function), places, content, set())
    return hashlib.sha256("\n".join(content).encode()).hexdigest()[:24]


def _describe(function: Any, places: Mapping[str, Any], content: list[str], seen: set[Any]) -> None:
    if function in seen:
        return
    seen.add(function)
    enclosed = [cell.cell_contents for cell in function.__closure__ or ()]
    content.append(repr((function.__qualname__, _instructions(function.__code__), function.__defaults__)))
    named = list(_named(function, places).items()) + [(str(place), one) for place, one in enumerate(enclosed)]
    for name, value in named:
        if isinstance(plain(value), FunctionType):
            content.append(name)
            _describe(plain(value), places, content, seen)
        elif isinstance(value, ModuleType | type):
            content.append(f"{name} {value.__name__}")
        elif isinstance(value, np.ndarray):
            content.append(
                f"{name} {value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
            )
        else:
            content.append(f"{name} {value!r}")


def _named(function: Any, places: Mapping[str, Any]) -> dict[str, Any]:
    """The globals that a function's code names, with what is put in their place in functions of ours."""
    known = function.__globals__
    ours = function.__module__.startswith(_OURS)
    known = {**known, **places} if ours else known
    return {name: known[name] for name in sorted(_names(function.__code__)) if name in known}


def _names(code: CodeType) -> set[str]:
    inner = [_names(one) for one in code.co_consts if isinstance(one, CodeType)]
    own = {one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*inner)


def _instructions(code: CodeType) -> tuple[Any, ...]:
    constants = [_instructions(one) if isinstance(one, CodeType) else one for one in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames
