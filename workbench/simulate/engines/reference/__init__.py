"""The SimPy engine."""

from workbench.simulate.engines.reference.engine import ReferenceEngine

__all__ = ["ReferenceEngine"]
