"""What a live run can be told to do, one command a file; each is named by its first word."""

import re

from workbench.errors import InputError
from workbench.monitor.live.commands._base import COMMANDS, Command
from workbench.monitor.live.commands.checks import SetChecks
from workbench.monitor.live.commands.control import Control, Pause, Resume, SetSpeed, Stop, read_speed
from workbench.monitor.live.commands.rate import SetRate
from workbench.monitor.live.commands.server import ServerState, SetServer
from workbench.monitor.live.commands.strategy import SetStrategy
from workbench.monitor.live.commands.weight import SetWeight

__all__ = [
    "COMMANDS",
    "Command",
    "Control",
    "Pause",
    "Resume",
    "ServerState",
    "SetChecks",
    "SetRate",
    "SetServer",
    "SetSpeed",
    "SetStrategy",
    "SetWeight",
    "Stop",
    "read_command",
    "read_speed",
]


def read_command(text: str) -> Command:
    """Read a command as it is written on the command line.

    Raises:
        InputError: there is no such command, or it is not written like that.

    >>> read_command("weight 2=5").text
    'weight 2=5'
    """
    match = re.fullmatch(r"\s*(\w+)\s*=?\s*(.*?)\s*", text, re.DOTALL)
    if match is None or match[1] not in COMMANDS:
        usages = "; ".join(member.usage for member in map(COMMANDS.__getitem__, COMMANDS))
        raise InputError(f"command: given {text.strip()!r}; allowed: {usages}")
    return COMMANDS[match[1]].parse(match[2])
