"""Balancers that run, on which versions are applied; one kind a file."""

from workbench.configuration.targets._base import TARGETS, Observation, Target, read_target
from workbench.configuration.targets.haproxy import HaproxyTarget

__all__ = ["TARGETS", "HaproxyTarget", "Observation", "Target", "read_target"]
