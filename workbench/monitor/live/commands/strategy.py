"""Another strategy for all balancers."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from workbench.errors import InputError
from workbench.monitor.live.commands._base import COMMANDS, Command
from workbench.simulate import read_strategy
from workbench.simulate.engines.reference import Steering


@COMMANDS.register
class SetStrategy(Command):
    """Pick by another strategy from now on.

    It begins with what is in flight; the queue that comes with a product comes, other things that a
    product brings, such as its retries and its detector, stay as the run began.
    """

    summary: ClassVar[str] = "pick by another strategy"
    usage: ClassVar[str] = "strategy=least_connections"
    kind: Literal["strategy"] = "strategy"
    label: str
    """As on the command line, such as `power_of_two(choices=3)`."""

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Read a strategy's label."""
        return cls(label=read_strategy(rest.strip()).label)

    @property
    def text(self) -> str:
        """The line."""
        return f"strategy={self.label}"

    def apply(self, steering: Steering, now: float, *, forced: bool = False) -> str:
        """Let all balancers pick by it."""
        strategy = read_strategy(self.label)
        run = steering.run
        run.scenario.with_strategy(strategy)
        servers: Any = run.desks[0].servers
        strategy.memory(servers, run.desks[0].keys)
        if not forced and steering.usable() and not steering.usable(strategy=strategy):
            raise InputError(
                f"strategy: given {self.label}, under which no server could be used; allowed: with --force"
            )
        before = steering.strategy.label
        steering.use_strategy(strategy, now)
        return f"strategy {before} -> {self.label}"
