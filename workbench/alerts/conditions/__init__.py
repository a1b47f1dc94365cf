"""Conditions of rules, one a file; each is named by its `kind`."""

from workbench.alerts.conditions._base import CONDITIONS, Condition, NotExportableError, Verdicts
from workbench.alerts.conditions.absence import Absence
from workbench.alerts.conditions.burn_rate import BurnRate
from workbench.alerts.conditions.confidence import Confidence
from workbench.alerts.conditions.sql import Sql
from workbench.alerts.conditions.threshold import Threshold

__all__ = [
    "CONDITIONS",
    "Absence",
    "BurnRate",
    "Condition",
    "Confidence",
    "NotExportableError",
    "Sql",
    "Threshold",
    "Verdicts",
]
