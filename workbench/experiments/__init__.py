"""Experiments: many runs, and what may be concluded from them."""

from workbench.experiments.cells import Cell, run_cells
from workbench.experiments.comparison import LEVEL, Interval, Method, Standing, Verdict, compare

__all__ = ["LEVEL", "Cell", "Interval", "Method", "Standing", "Verdict", "compare", "run_cells"]
