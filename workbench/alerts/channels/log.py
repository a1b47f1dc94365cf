"""The log of the program that sends: standard error, or what a service manager makes of it."""

from __future__ import annotations

import sys
from typing import ClassVar, Literal

from workbench.alerts.channels import wording
from workbench.alerts.channels._base import CHANNELS, Answer, Channel, Verdict
from workbench.alerts.messages import Message
from workbench.alerts.secrets import Vault


@CHANNELS.register
class Log(Channel):
    """A line on standard error."""

    summary: ClassVar[str] = "log: a line on standard error"
    kind: Literal["log"] = "log"

    @property
    def address(self) -> str:
        """Where it leads, without anything that may be secret."""
        return "standard error"

    def send(self, message: Message, *, key: str, vault: Vault, now: float) -> Answer:
        """Try once to deliver."""
        try:
            print(wording.line(message, key=key), file=sys.stderr, flush=True)
        except (OSError, ValueError) as error:
            return Answer(Verdict.TEMPORARY, f"standard error cannot be written: {error}")
        return Answer(Verdict.DELIVERED, "written")
