"""Choosing the best of several: with a stated probability, or within a budget."""

from workbench.experiments.selection.kim_nelson import FIRST, Screening, kim_nelson
from workbench.experiments.selection.ocba import allocate, chance_of_best

__all__ = ["FIRST", "Screening", "allocate", "chance_of_best", "kim_nelson"]
