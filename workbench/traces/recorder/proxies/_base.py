"""What the proxies that can be recorded have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from workbench.traces.recorder.plan import Plan


class RecordedProxy(ABC):
    """A proxy as a program: its configuration and its commands, all run in a folder of the run's own."""

    name: ClassVar[str]
    """The program, as Debian's package is called too."""
    configuration: ClassVar[str]
    """The ending of its configuration's name: TAG.haproxy.cfg."""
    logs_itself: ClassVar[bool]
    """Whether it writes `access.log`, or sends its log by UDP."""

    @abstractmethod
    def configure(self, plan: Plan, ports: Sequence[int], *, log_port: int) -> str:
        """Write the configuration.

        Args:
            plan: what runs.
            ports: the proxy's, then one a server.
            log_port: where the log is taken, if it is sent.
        """

    @abstractmethod
    def check(self, program: str, folder: Path) -> list[str]:
        """Give the command that says what is wrong with the configuration."""

    @abstractmethod
    def start(self, program: str, folder: Path) -> list[str]:
        """Give the command that runs it in the foreground."""
