"""Service disciplines, one a file; each is named by its `kind`."""

from workbench.simulate.disciplines._base import DISCIPLINES, Discipline
from workbench.simulate.disciplines.fifo import Fifo
from workbench.simulate.disciplines.ps import Ps

__all__ = ["DISCIPLINES", "Discipline", "Fifo", "Ps"]
