"""Live runs: simulations that go on in step with a clock and obey commands."""

from workbench.monitor.live.commands import COMMANDS, Command, Control, read_command, read_speed
from workbench.monitor.live.measures import LiveMetrics
from workbench.monitor.live.session import COMMIT, Batch, Journal, LiveSession, Order, Outcome
from workbench.monitor.live.simulation import LiveSimulation, Slice
from workbench.monitor.live.slices import tally

__all__ = [
    "COMMANDS",
    "COMMIT",
    "Batch",
    "Command",
    "Control",
    "Journal",
    "LiveMetrics",
    "LiveSession",
    "LiveSimulation",
    "Order",
    "Outcome",
    "Slice",
    "read_command",
    "read_speed",
    "tally",
]
