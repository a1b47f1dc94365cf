"""Other settings of the health checks."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError

from workbench.errors import InputError
from workbench.monitor.live.commands._base import COMMANDS, Command, said
from workbench.simulate.checks import CHECKS, HealthCheck
from workbench.simulate.engines.reference import Steering


@COMMANDS.register
class SetChecks(Command):
    """Check servers in another way.

    Servers that are up or down stay so; what was counted in a row begins anew. `interval` also stands
    for HAProxy's `inter`. With `kind` other checks begin in place of those there are, or where there
    are none.
    """

    summary: ClassVar[str] = "change settings of the health checks"
    usage: ClassVar[str] = "checks interval=1s,rise=2"
    kind: Literal["checks"] = "checks"
    values: dict[str, str] = Field(min_length=1)
    """The settings that change, by their names in a scenario."""

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Read settings."""
        pairs = [pair.partition("=") for pair in re.split(r"[\s,]+", rest.strip()) if pair]
        if not pairs or any(not (name and sign and value) for name, sign, value in pairs):
            raise InputError(f"checks: given {rest.strip()!r}; allowed: name=value, such as {cls.usage}")
        return cls(values={name: value for name, _, value in pairs})

    @property
    def text(self) -> str:
        """The line."""
        return "checks " + ",".join(f"{name}={value}" for name, value in self.values.items())

    def apply(self, steering: Steering, now: float, *, forced: bool = False) -> str:
        """Check by the new settings."""
        checks = self._changed(steering.run.monitors[0].settings.checks)
        steering.set_checks(checks, now)
        return f"checks {', '.join(f'{name} {value}' for name, value in self.values.items())}"

    def _changed(self, present: HealthCheck | None) -> HealthCheck:
        given: dict[str, Any] = dict(self.values)
        kind = given.get("kind") or (present.kind if present is not None else None)
        if kind is None:
            kinds = ", ".join(CHECKS)
            raise InputError(f"checks: given a run without checks; allowed: with kind=, one of {kinds}")
        member = CHECKS[kind]
        if "interval" in given and "interval" not in member.model_fields and "inter" in member.model_fields:
            given["inter"] = given.pop("interval")
        before = present.model_dump() if present is not None and present.kind == kind else {}
        try:
            return member.model_validate(before | given | {"kind": kind})
        except ValidationError as error:
            raise InputError(f"checks: {said(error)}") from None
