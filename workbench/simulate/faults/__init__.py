"""Faults, one a file; each is named by its `kind`."""

from workbench.simulate.faults._base import EVERY_BALANCER, FAULTS, Change, Changes, Effect, Fault

__all__ = ["EVERY_BALANCER", "FAULTS", "Change", "Changes", "Effect", "Fault"]
