"""Engines: each runs a workload and gives its records."""

from workbench.simulate.engines._base import Engine, Progress
from workbench.simulate.engines.choosing import Choice, choose_engine, why_compiled, why_reference
from workbench.simulate.engines.compiled import CompiledEngine
from workbench.simulate.engines.reference import ReferenceEngine

__all__ = [
    "Choice",
    "CompiledEngine",
    "Engine",
    "Progress",
    "ReferenceEngine",
    "choose_engine",
    "why_compiled",
    "why_reference",
]
