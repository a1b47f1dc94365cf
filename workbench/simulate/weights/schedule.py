"""Weights that change at known times.

`ints` holds how many changes are done and where the next one begins, then for each change its value,
whether that is a percentage, the number of servers and the servers. `floats` holds the times.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Literal, Self

from numpy.random import Generator
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from workbench.documents import Section
from workbench.quantities import Duration
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.simulate.weights._base import WEIGHT_RULES, WeightRule, WeightState

_DONE, _NEXT, _CHANGES = range(3)
_GRACE = 1e-9


def reweigh(state: WeightState, rng: Generator) -> None:
    """Make the changes that are due."""
    ints = state.ints
    while ints[_DONE] < len(state.floats) and state.floats[ints[_DONE]] <= state.now[0] + _GRACE:
        start = ints[_NEXT]
        servers = ints[start + 2]
        for place in range(servers):
            server = ints[start + 3 + place]
            if state.configured[server] > 0:
                weight = ints[start]
                if ints[start + 1]:
                    weight = state.configured[server] * weight // 100
                state.weight[server] = weight
        ints[_NEXT] = start + 3 + servers
        ints[_DONE] += 1


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Patterns = Annotated[
    list[str],
    BeforeValidator(_one_or_many),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    ),
]


class WeightChange(Section):
    """A change of the weights of some servers."""

    at: Duration
    """When, seconds from the start of the run."""
    servers: Patterns = Field(["*"], min_length=1, max_length=30_000)
    """Names of servers, or patterns such as `web-*`; all of them without it."""
    weight: int | None = Field(None, ge=0, le=65_535)
    """The new weight, 0 to 65,535; 0 takes no new requests."""
    percent: int | None = Field(None, ge=0, le=100_000)
    """Or the new weight in percent of the pool's own, 0 to 100,000, rounded down as HAProxy does."""

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.weight is None) == (self.percent is None):
            raise PydanticCustomError("change", "either a weight or a percent")
        return self

    def chosen(self, servers: Servers) -> list[int]:
        """Find the servers; a pattern that fits none is refused.

        Raises:
            PydanticCustomError: no server is called so.
        """
        for pattern in self.servers:
            if not any(fnmatchcase(name, pattern) for name in servers.names):
                shown = ", ".join(servers.names[:5]) + (", ..." if servers.count > 5 else "")
                allowed = f"names of servers of the pool ({shown}), not {pattern}"
                raise PydanticCustomError("servers", allowed.replace("{", "(").replace("}", ")"))
        return [
            server
            for server, name in enumerate(servers.names)
            if any(fnmatchcase(name, pattern) for pattern in self.servers)
        ]


@WEIGHT_RULES.register
class Schedule(WeightRule):
    """Changes at given times, as by hand or by a deployment; each holds until the next one."""

    summary: ClassVar[str] = "weights that change at given times"
    kind: Literal["schedule"] = "schedule"
    reweigh = staticmethod(reweigh)
    changes: list[WeightChange] = Field(min_length=1, max_length=10_000)
    """The changes; of those at one time the later ones in the list come later."""

    def check_pool(self, servers: Servers) -> None:
        """Refuse names that no server has.

        Raises:
            PydanticCustomError: a change is for a server that does not exist.
        """
        for change in self.changes:
            change.chosen(servers)

    def times(self) -> tuple[float, float] | list[float]:
        """When there are changes, seconds."""
        return sorted({change.at for change in self.changes})

    def memory(self, servers: Servers) -> Memory:
        """Note the changes in the order of time."""
        ints = [0, _CHANGES]
        ordered = sorted(self.changes, key=lambda change: change.at)
        for change in ordered:
            chosen = change.chosen(servers)
            value = change.percent if change.weight is None else change.weight
            ints += [value or 0, int(change.weight is None), len(chosen), *chosen]
        return Memory(ints, [change.at for change in ordered])
