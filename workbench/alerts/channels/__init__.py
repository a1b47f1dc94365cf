"""Channels, one a file; each is named by its `kind`."""

from workbench.alerts.channels._base import CHANNELS, Answer, Channel, Verdict
from workbench.alerts.channels.alertmanager import Alertmanager
from workbench.alerts.channels.apprise import Apprise
from workbench.alerts.channels.desktop import Desktop
from workbench.alerts.channels.file import File
from workbench.alerts.channels.log import Log
from workbench.alerts.channels.webhook import Webhook

__all__ = [
    "CHANNELS",
    "Alertmanager",
    "Answer",
    "Apprise",
    "Channel",
    "Desktop",
    "File",
    "Log",
    "Verdict",
    "Webhook",
]
