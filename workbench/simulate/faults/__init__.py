"""Faults, one a file; each is named by its `kind`."""

from workbench.simulate.faults._base import (
    EVERY_BALANCER,
    FAULTS,
    Change,
    Changes,
    Effect,
    Fault,
    check_faults,
)
from workbench.simulate.faults._cold import ColdStart
from workbench.simulate.faults.crash import Crash
from workbench.simulate.faults.delay import Delay
from workbench.simulate.faults.drain import Drain
from workbench.simulate.faults.failing import Failing
from workbench.simulate.faults.hang import Hang
from workbench.simulate.faults.interrupt import Interrupt
from workbench.simulate.faults.partition import Partition
from workbench.simulate.faults.reload import Reload
from workbench.simulate.faults.rolling_restart import RollingRestart
from workbench.simulate.faults.slow import Slow

__all__ = [
    "EVERY_BALANCER",
    "FAULTS",
    "Change",
    "Changes",
    "ColdStart",
    "Crash",
    "Delay",
    "Drain",
    "Effect",
    "Failing",
    "Fault",
    "Hang",
    "Interrupt",
    "Partition",
    "Reload",
    "RollingRestart",
    "Slow",
    "check_faults",
]
