"""Simulating balancers over a pool of servers."""

from workbench.simulate.engines import Engine, Progress, ReferenceEngine
from workbench.simulate.histograms import histograms, kept_requests
from workbench.simulate.records import Records
from workbench.simulate.sampling import sample
from workbench.simulate.scenario import Measure, Scenario, load_scenario
from workbench.simulate.strategies import STRATEGIES, Strategy, read_strategy
from workbench.simulate.summary import measured_window, summarise
from workbench.simulate.workload import Workload

__all__ = [
    "STRATEGIES",
    "Engine",
    "Measure",
    "Progress",
    "Records",
    "ReferenceEngine",
    "Scenario",
    "Strategy",
    "Workload",
    "histograms",
    "kept_requests",
    "load_scenario",
    "measured_window",
    "read_strategy",
    "sample",
    "summarise",
]
