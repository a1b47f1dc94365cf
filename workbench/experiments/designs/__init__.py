"""Designs: which points of a sweep's space are tried."""

from workbench.experiments.designs import grid, random, sobol
from workbench.experiments.designs._base import DESIGNS, Axis, Design, Option

__all__ = ["DESIGNS", "Axis", "Design", "Option", "grid", "random", "sobol"]
