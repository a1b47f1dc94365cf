"""Experiments: many runs, and what may be concluded from them."""

from workbench.experiments.against_theory import CHECK_LEVEL, LITTLE, Agreement, Check, check, overall
from workbench.experiments.batch_means import batch_means, in_batches, ratio_interval
from workbench.experiments.cells import Cell, run_cells
from workbench.experiments.comparison import Method, Standing, Verdict, compare
from workbench.experiments.intervals import LEVEL, Interval, mean_interval
from workbench.experiments.quantiles import quantile_interval, section_quantile
from workbench.experiments.sliced import SlicedTimes

__all__ = [
    "CHECK_LEVEL",
    "LEVEL",
    "LITTLE",
    "Agreement",
    "Cell",
    "Check",
    "Interval",
    "Method",
    "SlicedTimes",
    "Standing",
    "Verdict",
    "batch_means",
    "check",
    "compare",
    "in_batches",
    "mean_interval",
    "overall",
    "quantile_interval",
    "ratio_interval",
    "run_cells",
    "section_quantile",
]
