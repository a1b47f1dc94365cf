"""Executors: what simulates the chunks of a sweep."""

from workbench.experiments.executors import dask, processes, serial
from workbench.experiments.executors._base import EXECUTORS, Executor, choose_executor

__all__ = ["EXECUTORS", "Executor", "choose_executor", "dask", "processes", "serial"]
