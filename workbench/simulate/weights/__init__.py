"""Rules of dynamic weights, one a file; each is named by its `kind`."""

from workbench.simulate.weights._base import WEIGHT_RULES, WeightRule, WeightState

__all__ = ["WEIGHT_RULES", "WeightRule", "WeightState"]
