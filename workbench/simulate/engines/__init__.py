"""Engines: each runs a workload and gives its records."""

from workbench.simulate.engines._base import Engine, Progress
from workbench.simulate.engines.reference import ReferenceEngine

__all__ = ["Engine", "Progress", "ReferenceEngine"]
