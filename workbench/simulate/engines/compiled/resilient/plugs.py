"""The kernel and what is plugged into it: functions of a strategy, a detector, a failover rule, a slow start.

The kernel takes them as arguments of known types, so it is compiled once, and each of them by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
from numba import typeof, types
from numpy.random import PCG64, Generator

from workbench.simulate.checks import CheckState
from workbench.simulate.detectors import DetectorState
from workbench.simulate.engines.compiled.binding import bind, plain
from workbench.simulate.engines.compiled.resilient.keeping import finder
from workbench.simulate.engines.compiled.resilient.loop import advance, put_event, tell
from workbench.simulate.engines.compiled.resilient.picking import Plugs, Rngs
from workbench.simulate.engines.compiled.resilient.tables import WorldType
from workbench.simulate.failover import GroupState
from workbench.simulate.scenario import Scenario
from workbench.simulate.strategies import View

_INTS: Any = np.zeros(0, np.int64)
_FLOATS: Any = np.zeros(0)
_VIEW = View(
    _INTS, _INTS, _INTS, _FLOATS, _INTS, _FLOATS, _FLOATS, _INTS, _FLOATS, _INTS, _INTS, _INTS, _INTS, _FLOATS
)
_CHECKS = CheckState(_INTS, _INTS, _FLOATS, _INTS, _FLOATS)
_LEARNT = DetectorState(_INTS, _FLOATS, _INTS, _FLOATS, _INTS, _FLOATS)
_GROUPS = GroupState(_INTS, _INTS, _INTS, _INTS, _FLOATS)

_typeof: Any = typeof


def given(*arguments: Any) -> Any:
    """Stand where a function of the scenario is put; where it has none, do nothing."""


def pick(view: View, rng: Generator) -> int:
    """Pick a server."""
    return int(given(view, rng))


def note(view: View, server: int) -> None:
    """Tell a strategy that a request was sent to a server, or has failed there."""
    given(view, server)


def note_end(view: View, server: int, seconds: float) -> None:
    """Tell a strategy that an attempt is over."""
    given(view, server, seconds)


def learns(
    state: DetectorState, checks: CheckState, server: int, outcome: int, seconds: float, rng: Generator
) -> int:
    """Tell a detector that an attempt is over."""
    return int(given(state, checks, server, outcome, seconds, rng))


def picked(state: DetectorState, server: int) -> int:
    """Tell a detector that a request is sent to a server."""
    return int(given(state, server))


def group(state: GroupState, last: int, rng: Generator) -> int:
    """Name the group to pick in."""
    return int(given(state, last, rng))


def share(numbers: Any, since: float) -> float:
    """Tell the share of its weight that a server in slow start has."""
    return float(given(numbers, since))


def no_note(view: View, server: int) -> None:
    """Note nothing."""


def no_note_of_end(view: View, server: int, seconds: float) -> None:
    """Note nothing."""


def nothing_picked(state: DetectorState, server: int) -> int:
    """Learn nothing."""
    return 0


def whole(numbers: Any, since: float) -> float:
    """Give the whole weight at once."""
    return 1.0


@dataclass(frozen=True)
class Kernel:
    """The compiled event loop, and the functions of one scenario for it."""

    compiled: Callable[[int, int, int], int]
    tell: Callable[..., None]
    put: Callable[[int, float, int, int], None]
    plugs: tuple[Any, ...]


@cache
def _rng() -> Generator:
    return Generator(PCG64(1))


def _signatures() -> tuple[Any, ...]:
    """Give the types of the plugs, in the order in which the kernel takes them."""
    view, rng, state = _typeof(_VIEW), _typeof(_rng()), _typeof(_LEARNT)
    note_type, end_type = types.none(view, types.int64), types.none(view, types.int64, types.float64)
    learns_type = types.int64(state, _typeof(_CHECKS), types.int64, types.int64, types.float64, rng)
    return (
        types.int64(view, rng),
        note_type,
        end_type,
        end_type,
        note_type,
        learns_type,
        types.int64(state, types.int64),
        types.int64(_typeof(_GROUPS), types.int64, rng),
        types.float64(_typeof(_FLOATS), types.float64),
    )


def kernel_for(scenario: Scenario) -> Kernel:
    """Compile the kernel and a scenario's functions, or find them compiled.

    Raises:
        NumbaError, TypeError: Numba cannot compile them.
    """
    balancers = scenario.balancers
    strategy, detector = type(balancers.strategy), type(balancers.holding_detector())
    failover, slow = type(balancers.holding_failover()), balancers.slow_start
    functions = (
        (pick, strategy.pick, None),
        (note, strategy.taken, no_note),
        (note_end, strategy.ended, no_note_of_end),
        (note_end, strategy.answered, no_note_of_end),
        (note, strategy.failed, no_note),
        (learns, detector.answered, None),
        (picked, detector.picked, nothing_picked),
        (group, failover.choose, None),
        (share, None if slow is None else type(slow).share, whole),
    )
    signatures = _signatures()
    foreign = bool(balancers.strategy.code())
    plugs = tuple(
        _plug(wrapper, own or nothing, signature, careful=foreign and own is not None)
        for (wrapper, own, nothing), signature in zip(functions, signatures, strict=True)
    )
    rngs = (_typeof(_rng()),) * 5
    taken = tuple(types.FunctionType(signature) for signature in signatures)
    all_plugs: Any = types.NamedTuple(taken, Plugs)  # type: ignore[no-untyped-call]
    all_rngs: Any = types.NamedUniTuple(rngs[0], len(rngs), Rngs)  # type: ignore[no-untyped-call]
    annotated = {
        "int": types.int64,
        "float": types.float64,
        "bool": types.boolean,
        "World": WorldType(),
        "Plugs": all_plugs,
        "Rngs": all_rngs,
        "Generator": rngs[0],
    }
    places = {"find_rngs": finder(all_rngs), "find_plugs": finder(all_plugs)}
    compiled = bind(advance, places, example=(types.int64,) * 3, annotated=annotated)
    told = bind(tell, {}, example=(types.int64, *rngs, *taken))
    put = bind(put_event, {}, example=(types.int64, types.float64, types.int64, types.int64))
    return Kernel(compiled, told, put, plugs)


def _plug(wrapper: Any, own: Any, signature: Any, *, careful: bool) -> Any:
    if not isinstance(plain(own), FunctionType):
        raise TypeError(f"{getattr(own, '__name__', own)} is no plain function")
    checked = frozenset([plain(own)]) if careful else frozenset()
    return bind(wrapper, {"given": own}, example=tuple(signature.args), careful=checked)
