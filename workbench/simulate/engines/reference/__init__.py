"""The SimPy engine."""

from workbench.simulate.engines.reference.engine import ReferenceEngine
from workbench.simulate.engines.reference.watching import watch_decision

__all__ = ["ReferenceEngine", "watch_decision"]
