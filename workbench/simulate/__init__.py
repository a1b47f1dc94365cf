"""Simulating balancers over a pool of servers."""

from workbench.simulate.condensing import Condensed, condense
from workbench.simulate.engines import (
    Choice,
    CompiledEngine,
    Engine,
    Progress,
    ReferenceEngine,
    choose_engine,
    why_compiled,
    why_reference,
)
from workbench.simulate.events import events_table
from workbench.simulate.histograms import histograms, kept_requests
from workbench.simulate.outages import outages_table
from workbench.simulate.records import Records
from workbench.simulate.sampling import sample
from workbench.simulate.scenario import EngineName, Measure, Scenario, load_scenario
from workbench.simulate.strategies import STRATEGIES, Strategy, read_strategy
from workbench.simulate.summary import measured_window, summarise
from workbench.simulate.workload import Workload

__all__ = [
    "STRATEGIES",
    "Choice",
    "CompiledEngine",
    "Condensed",
    "Engine",
    "EngineName",
    "Measure",
    "Progress",
    "Records",
    "ReferenceEngine",
    "Scenario",
    "Strategy",
    "Workload",
    "choose_engine",
    "condense",
    "events_table",
    "histograms",
    "kept_requests",
    "load_scenario",
    "measured_window",
    "outages_table",
    "read_strategy",
    "sample",
    "summarise",
    "why_compiled",
    "why_reference",
]
