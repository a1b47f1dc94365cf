"""Another state for a server."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal, Self

from pydantic import Field, ValidationError

from workbench.errors import InputError
from workbench.monitor.live.commands._base import COMMANDS, Command, refuse_unusable, said, server_number
from workbench.simulate.engines.reference import Steering


class ServerState(StrEnum):
    """What a server is told to be."""

    READY = "ready"
    """It runs at its own speed and takes traffic: all earlier orders about its state are taken back."""
    DRAIN = "drain"
    """It gets nothing new; what it has it serves, and it is checked."""
    MAINT = "maint"
    """As drained, and not checked either."""
    KILL = "kill"
    """It crashes: what it has is lost, and it refuses connections until it is ready again."""
    SLOW = "slow"
    """It takes `factor` times as long for all its work."""


@COMMANDS.register
class SetServer(Command):
    """Change the state of a server."""

    summary: ClassVar[str] = "drain, stop, kill or slow down a server, or make it ready again"
    usage: ClassVar[str] = "server 2 ready|drain|maint|kill|slow=3"
    kind: Literal["server"] = "server"
    name: str
    """The server, by its number or name."""
    state: ServerState
    factor: float = Field(1.0, gt=0, le=1e6)
    """Of `slow`: how many times as long; above 0."""

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Read a server and its state."""
        words = rest.split()
        state, sign, factor = words[1].partition("=") if len(words) == 2 else ("", "", "")
        if (state == ServerState.SLOW) != bool(sign) or state not in list(ServerState):
            raise InputError(f"server: given {rest.strip()!r}; allowed: {cls.usage.partition(' ')[2]}")
        try:
            return cls.model_validate(
                {"name": words[0], "state": state} | ({"factor": factor} if sign else {})
            )
        except ValidationError as error:
            raise InputError(f"server: {said(error)}") from None

    @property
    def text(self) -> str:
        """The line."""
        factor = f"={self.factor:g}" if self.state is ServerState.SLOW else ""
        return f"server {self.name} {self.state}{factor}"

    @property
    def server(self) -> str | None:
        """The server."""
        return self.name

    def apply(self, steering: Steering, now: float, *, forced: bool = False) -> str:
        """Change the state."""
        server = server_number(self.name, steering)
        name = steering.run.scenario.servers().names[server]
        if self.state in (ServerState.DRAIN, ServerState.MAINT, ServerState.KILL):
            refuse_unusable(steering, [server], forced=forced)
        match self.state:
            case ServerState.READY:
                steering.make_ready(server, now)
            case ServerState.DRAIN:
                steering.drain(server, now)
            case ServerState.MAINT:
                steering.maintain(server, now)
            case ServerState.KILL:
                steering.kill(server, now)
            case ServerState.SLOW:
                steering.slow(server, self.factor, now)
                return f"{name} {self.factor:g} times as slow"
        return f"{name} {self.state}"
