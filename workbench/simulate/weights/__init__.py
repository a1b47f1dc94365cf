"""Rules of dynamic weights, one a file; each is named by its `kind`."""

from workbench.simulate.weights._base import WEIGHT_RULES, WeightRule, WeightState
from workbench.simulate.weights.feedback import Feedback
from workbench.simulate.weights.grpc import GrpcOrca
from workbench.simulate.weights.haproxy import HaproxyAgent
from workbench.simulate.weights.schedule import Schedule, WeightChange

__all__ = [
    "WEIGHT_RULES",
    "Feedback",
    "GrpcOrca",
    "HaproxyAgent",
    "Schedule",
    "WeightChange",
    "WeightRule",
    "WeightState",
]
