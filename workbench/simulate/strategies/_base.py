"""What every balancing strategy has in common.

A strategy is its settings, the memory that it starts with, and `pick`: one plain function over a
balancer's view and a random generator. It is written with indexing, `len` and plain arithmetic, so
that the same function takes lists when interpreted and arrays when compiled by Numba.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, MutableSequence, Sequence
from enum import Enum
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from numpy.random import Generator
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from workbench.documents import Family, Member
from workbench.errors import InputError
from workbench.simulate.pool import Servers

NO_HEALTHY_SERVER = -1
"""What a pick returns when no server is usable."""

Ints = MutableSequence[int]
Floats = MutableSequence[float]


class View(NamedTuple):
    """What a balancer knows when it picks; one entry a server where nothing else is said."""

    usable: Ints
    """1 where the server may be picked now: in service, below its limit, not ruled out for this request."""
    in_service: Ints
    """1 where the server takes traffic at all: healthy, not drained, weight above 0. Tables hold these."""
    weight: Ints
    ramp: Floats
    """Share of its weight that a server has while it is slowly started, above 0; else 1."""
    in_flight: Ints
    """Requests sent there and not yet answered, waiting or in service, as far as this view counts."""
    free_at: Floats
    """When a slot will be free for a request that comes there next, by the demands known now, seconds.

    Kept only for strategies that ask for it with `knows_demand`.
    """
    now: Floats
    """One entry: the time of the pick, seconds."""
    key: Ints
    """One entry: the number of the request's key; 0 where the scenario has no keys."""
    demand: Floats
    """One entry: the request's service demand, seconds; only for strategies with `knows_demand`."""
    tries: Ints
    """One entry: how often the request has been sent before."""
    avoid: Ints
    """One entry: the server that the request was last sent to in vain, better not picked again; or -1."""
    fails_allowed: Ints
    """Failures after which a server is out (nginx's max_fails); 0 where they are not counted."""
    ints: Ints
    """The strategy's own memory; its first entries as its settings say, the rest as it likes."""
    floats: Floats


Pick = Callable[[View, Generator], int]
"""Returns the index of a usable server, or `NO_HEALTHY_SERVER`.

A strategy with `waits_at_server` may return a server in service that is full: the request waits for it.
"""

if TYPE_CHECKING:
    StaticPick = staticmethod[[View, Generator], int]
    StaticTaken = staticmethod[[View, int], None]
    StaticEnded = staticmethod[[View, int, float], None]
    StaticFailed = staticmethod[[View, int], None]
else:
    StaticPick = StaticTaken = StaticEnded = StaticFailed = staticmethod


class Memory(NamedTuple):
    """What a strategy remembers from pick to pick, in its state at the start."""

    ints: list[int]
    floats: list[float]


class Fewest(Enum):
    """How a strategy tells those servers apart that have the fewest in flight, and does no more than that."""

    BY_CHANCE = "each is equally likely"
    """With one draw where there are several: the n-th of them, n being the draw times how many there are."""
    IN_TURN = "the next one in turn"
    """The first from `ints[0]` on, in a circle; `ints[0]` is then the one behind it. For equal weights."""


class Strategy(Member):
    """How a balancer picks the server for a request."""

    pick: ClassVar[StaticPick]
    taken: ClassVar[StaticTaken | None] = None
    """Called as `taken(view, server)` once a request is counted in flight."""
    ended: ClassVar[StaticEnded | None] = None
    """Called as `ended(view, server, seconds)` once an attempt is over, with the time that it took.

    It is no longer counted in flight; after one that failed, `failed` is called next.
    """
    answered: ClassVar[StaticEnded | None] = None
    """Called as `answered(view, server, seconds)` right after `ended`, only where the answer was good."""
    failed: ClassVar[StaticFailed | None] = None
    """Called as `failed(view, server)` once an attempt has failed there."""
    source: ClassVar[str] = ""
    """The product or paper that defines it."""
    knows_demand: ClassVar[bool] = False
    """Whether it is told the work at each server, which no real balancer knows exactly."""
    serves_weight_zero: ClassVar[bool] = False
    """Whether a server of weight 0 takes traffic all the same."""
    needs_keys: ClassVar[bool] = False
    """Whether requests must carry keys."""
    fewest: ClassVar[Fewest | None] = None
    """Says what `pick` comes to, so that an engine may look it up instead of at every server."""
    waits_at_server: ClassVar[bool] = False
    """Whether a request may be picked a full server, at which it then waits."""

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Give the memory of a fresh balancer.

        Args:
            servers: the pool.
            keys: the keys that requests may carry, in the order of their numbers; empty without keys.
        """
        return Memory([], [])

    @property
    def product(self) -> str:
        """The proxy that it belongs to, such as `nginx`; empty for those of theory and literature."""
        product, dot, _ = self.kind.partition(".")
        return product if dot else ""

    def code(self) -> str:
        """Hash the code of a user's own strategy, so that changed code is another run; built-in: empty."""
        if type(self).__module__.startswith("workbench."):
            return ""
        own = type(self)
        functions = (own.pick, own.memory, own.taken, own.ended, own.answered, own.failed)
        behaviour = [_behaviour(function) for function in functions if function is not None]
        return hashlib.sha256(repr(behaviour).encode()).hexdigest()

    @property
    def label(self) -> str:
        """How it is written on the command line, such as `power_of_two(choices=3)`."""
        given = self.model_dump(exclude_defaults=True, exclude={"kind"})
        return (
            f"{self.kind}({', '.join(f'{key}={value}' for key, value in given.items())})"
            if given
            else self.kind
        )


def _behaviour(function: Any) -> tuple[Any, ...]:
    """What a function does and works with: its instructions, defaults and enclosed values."""
    plain = getattr(function, "py_func", function)
    enclosed = [cell.cell_contents for cell in plain.__closure__ or ()]
    return _instructions(plain.__code__), plain.__defaults__, enclosed


def _instructions(code: CodeType) -> tuple[Any, ...]:
    """What a function does, inner functions included, whatever their addresses."""
    constants = [_instructions(one) if isinstance(one, CodeType) else one for one in code.co_consts]
    return code.co_code, constants, code.co_names


STRATEGIES: Family[Strategy] = Family("strategy", Strategy)

_LABEL = re.compile(r"\s*([\w.]+)\s*(?:\((.*)\))?\s*", re.DOTALL)


def read_strategy(label: str) -> Strategy:
    """Make the strategy that a label stands for.

    Raises:
        InputError: there is no such strategy, or a parameter is unknown or out of range.

    >>> read_strategy("power_of_two(choices=3)").choices
    3
    """
    match = _LABEL.fullmatch(label)
    if match is None:
        raise InputError(f"strategy: given {label!r}; allowed: a name, or name(parameter=value, ...)")
    member = STRATEGIES[match[1]]
    try:
        return member.model_validate(_parameters(match[2] or "", label))
    except ValidationError as error:
        raise InputError("\n".join(_parameter_problem(label, item) for item in error.errors())) from None


def _parameters(text: str, label: str) -> dict[str, Any]:
    try:
        content = YAML(typ="safe").load("{" + re.sub(r"\s*=\s*", ": ", text) + "}")
    except (YAMLError, RecursionError):
        raise InputError(
            f"strategy: given {label!r}; allowed: parameters as name=value, with commas between"
        ) from None
    return dict(content)


def _parameter_problem(label: str, item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "missing":
        return f"strategy {label}: {key}: given nothing; allowed: a value (the parameter is required)"
    allowed = item["msg"].removeprefix("Input should be ")
    return f"strategy {label}: {key}: given {item['input']!r}; allowed: {allowed}"
