"""Alert rules, their evaluation, their tests and their thresholds; `stages` and `channels` deliver."""

from workbench.alerts.instances import AlertInstance, Evaluation, Failure, State, Transition
from workbench.alerts.labels import Labels

__all__ = ["AlertInstance", "Evaluation", "Failure", "Labels", "State", "Transition"]
