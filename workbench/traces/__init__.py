"""Recorded runs of real balancers, and simulations of the same requests."""

from workbench.traces.overhead import Overhead, read_overhead
from workbench.traces.products import configured_strategy
from workbench.traces.recordings import Recording, read_recording
from workbench.traces.replays import (
    Replay,
    replay_forced,
    replay_free,
    replay_stepwise,
)

__all__ = [
    "Overhead",
    "Recording",
    "Replay",
    "configured_strategy",
    "read_overhead",
    "read_recording",
    "replay_forced",
    "replay_free",
    "replay_stepwise",
]
