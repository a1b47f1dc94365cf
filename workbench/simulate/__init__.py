"""Simulating balancers over a pool of servers."""

from workbench.simulate.engines import Engine, Progress, ReferenceEngine
from workbench.simulate.events import events_table
from workbench.simulate.histograms import histograms, kept_requests
from workbench.simulate.outages import outages_table
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
    "events_table",
    "histograms",
    "kept_requests",
    "load_scenario",
    "measured_window",
    "outages_table",
    "read_strategy",
    "sample",
    "summarise",
]
