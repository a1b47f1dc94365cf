"""A notification on the desktop of whoever runs the program."""

from __future__ import annotations

import shutil
import subprocess
from typing import ClassVar, Literal

from workbench.alerts.channels import wording
from workbench.alerts.channels._base import CHANNELS, Answer, Channel, Verdict
from workbench.alerts.messages import Message
from workbench.alerts.secrets import Vault


@CHANNELS.register
class Desktop(Channel):
    """A notification by `notify-send` (freedesktop.org, package libnotify)."""

    summary: ClassVar[str] = "desktop: a notification by notify-send"
    kind: Literal["desktop"] = "desktop"

    @property
    def address(self) -> str:
        """Where it leads, without anything that may be secret."""
        return "notify-send"

    def send(self, message: Message, *, key: str, vault: Vault, now: float) -> Answer:
        """Try once to deliver."""
        program = shutil.which("notify-send")
        if program is None:
            return Answer(Verdict.PERMANENT, "notify-send not found; it comes with the package libnotify")
        urgency = "critical" if message.firing and not message.test else "normal"
        command = [program, "--app-name=workbench", f"--urgency={urgency}", "--"]
        command += [wording.title(message), wording.text(message, key=key)]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=self.timeout)
        except (OSError, subprocess.TimeoutExpired) as error:
            return Answer(Verdict.TEMPORARY, f"notify-send: {type(error).__name__}")
        if ended.returncode != 0:
            return Answer(
                Verdict.TEMPORARY, f"notify-send ended with {ended.returncode}: {ended.stderr[:200]}"
            )
        return Answer(Verdict.DELIVERED, "shown")
