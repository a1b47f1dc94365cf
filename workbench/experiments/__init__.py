"""Experiments: many runs, and what may be concluded from them."""

from workbench.experiments.against_theory import CHECK_LEVEL, LITTLE, Agreement, Check, check, overall
from workbench.experiments.batch_means import batch_means, in_batches, ratio_interval
from workbench.experiments.cells import Cell, run_cells
from workbench.experiments.comparison import Method, Standing, Verdict, compare
from workbench.experiments.intervals import LEVEL, Interval, mean_interval
from workbench.experiments.planning import Need, need_of_long_runs, need_of_replications
from workbench.experiments.precision import is_precise, needed_count, next_count
from workbench.experiments.quantiles import quantile_interval, section_quantile
from workbench.experiments.selection import Screening, allocate, chance_of_best, kim_nelson
from workbench.experiments.sliced import SlicedTimes
from workbench.experiments.warm_up import average, mser

__all__ = [
    "CHECK_LEVEL",
    "LEVEL",
    "LITTLE",
    "Agreement",
    "Cell",
    "Check",
    "Interval",
    "Method",
    "Need",
    "Screening",
    "SlicedTimes",
    "Standing",
    "Verdict",
    "allocate",
    "average",
    "batch_means",
    "chance_of_best",
    "check",
    "compare",
    "in_batches",
    "is_precise",
    "kim_nelson",
    "mean_interval",
    "mser",
    "need_of_long_runs",
    "need_of_replications",
    "needed_count",
    "next_count",
    "overall",
    "quantile_interval",
    "ratio_interval",
    "run_cells",
    "section_quantile",
]
