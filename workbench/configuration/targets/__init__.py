"""Balancers that run, on which versions are applied; one kind a file."""

from workbench.configuration.targets._base import TARGETS, Observation, Target

__all__ = ["TARGETS", "Observation", "Target"]
