"""Another arrival rate."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, ValidationError

from workbench.errors import InputError
from workbench.monitor.live.commands._base import COMMANDS, Command, said
from workbench.simulate.engines.reference import Steering


@COMMANDS.register
class SetRate(Command):
    """Let requests come faster or slower than the scenario says.

    The draws do not change: the same requests come, closer together or further apart, so that a run
    under the same seed and the same commands at the same times is the same run.
    """

    summary: ClassVar[str] = "let requests come so many times as fast as the scenario says"
    usage: ClassVar[str] = "rate 1.5"
    kind: Literal["rate"] = "rate"
    times: float = Field(ge=0.001, le=1000)
    """Of the scenario's own rate, 0.001 to 1,000; 1 is as it says."""

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Read a number."""
        try:
            return cls.model_validate({"times": rest.strip().removeprefix("x").removesuffix("x")})
        except ValidationError as error:
            raise InputError(f"rate: {said(error)}") from None

    @property
    def text(self) -> str:
        """The line."""
        return f"rate {self.times:g}"

    def apply(self, steering: Steering, now: float, *, forced: bool = False) -> str:
        """Stretch the arrivals that are to come."""
        before = steering.rate
        steering.set_rate(self.times, now)
        return f"rate {before:g} -> {self.times:g} times the scenario's"
