"""Queueing theory: what is known of a scenario without simulating it."""

from workbench.simulate.theory.predictions import Prediction, Theory, predict
from workbench.simulate.theory.stability import Stability, stability

__all__ = ["Prediction", "Stability", "Theory", "predict", "stability"]
