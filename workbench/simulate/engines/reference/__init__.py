"""The SimPy engine."""

from workbench.simulate.engines.reference.engine import ReferenceEngine
from workbench.simulate.engines.reference.steered import SteeredRun
from workbench.simulate.engines.reference.steering import Steering
from workbench.simulate.engines.reference.watching import watch_decision

__all__ = ["ReferenceEngine", "SteeredRun", "Steering", "watch_decision"]
