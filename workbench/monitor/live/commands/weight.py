"""Another weight for servers."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, ValidationError

from workbench.errors import InputError
from workbench.monitor.live.commands._base import COMMANDS, Command, said, server_number
from workbench.simulate.engines.reference import Steering

Weight = Annotated[int, Field(ge=0, le=65_535)]


@COMMANDS.register
class SetWeight(Command):
    """Give servers other weights, all at the same instant.

    Tables that a strategy makes of the weights, such as a ring, are made anew.
    """

    summary: ClassVar[str] = "give servers other weights"
    usage: ClassVar[str] = "weight 2=5 web-3=1"
    kind: Literal["weight"] = "weight"
    weights: dict[str, Weight] = Field(min_length=1)
    """The new weight of each server, by its number or name; 0 to 65,535."""

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Read pairs of a server and its weight."""
        pairs = [pair.rpartition("=") for pair in re.split(r"[\s,]+", rest.strip()) if pair]
        if not pairs or any(not (server and sign and weight) for server, sign, weight in pairs):
            raise InputError(f"weight: given {rest.strip()!r}; allowed: server=weight, such as {cls.usage}")
        try:
            return cls.model_validate({"weights": {server: weight for server, _, weight in pairs}})
        except ValidationError as error:
            raise InputError(f"weight: {said(error)}") from None

    @property
    def text(self) -> str:
        """The line."""
        return "weight " + " ".join(f"{server}={weight}" for server, weight in self.weights.items())

    @property
    def server(self) -> str | None:
        """The server, if there is one only."""
        return next(iter(self.weights)) if len(self.weights) == 1 else None

    def apply(self, steering: Steering, now: float, *, forced: bool = False) -> str:
        """Set the weights."""
        wanted = {server_number(server, steering): weight for server, weight in self.weights.items()}
        if not forced and steering.usable() and not steering.usable(weights=wanted):
            raise InputError(
                f"weight: given {self.text.partition(' ')[2]}, after which no server could be used; "
                "allowed: with --force"
            )
        before = list(steering.run.desks[0].servers.weight)
        names = steering.run.scenario.servers().names
        done = [f"{names[server]} {before[server]} -> {weight}" for server, weight in wanted.items()]
        for server, weight in wanted.items():
            steering.set_weight(server, weight, now)
        return f"weight {', '.join(done)}"
