"""Sweeps: a question, what is varied, and what the cells say."""

from workbench.experiments.sweeps.answers import Place, Verdicts, judge
from workbench.experiments.sweeps.document import Sweep
from workbench.experiments.sweeps.measures import RESULTS, UNCOMPARED, SweepMeasure
from workbench.experiments.sweeps.simulation import Chunk, ChunkWork, simulate
from workbench.experiments.sweeps.space import Point, SweepCell, cells, points, resolve

__all__ = [
    "RESULTS",
    "UNCOMPARED",
    "Chunk",
    "ChunkWork",
    "Place",
    "Point",
    "Sweep",
    "SweepCell",
    "SweepMeasure",
    "Verdicts",
    "cells",
    "judge",
    "points",
    "resolve",
    "simulate",
]
