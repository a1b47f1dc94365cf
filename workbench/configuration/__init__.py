"""The configuration of a balancer: kept in versions, planned, applied, read from and written for proxies."""

from workbench.configuration.book import (
    FILE_NAME,
    ConfigurationBook,
    ConfigurationFile,
    Version,
    balancers,
    chosen_balancer,
)
from workbench.configuration.changes import changed, differences
from workbench.configuration.document import BalancerConfiguration, ServerSettings, check_usable
from workbench.configuration.importers import IMPORTERS
from workbench.configuration.standing import ServerStanding, ServerState, Standing, Step
from workbench.configuration.targets import TARGETS, Observation, Target
from workbench.configuration.writing import document_text
from workbench.configuration.writing import settings as settings_told

__all__ = [
    "FILE_NAME",
    "IMPORTERS",
    "TARGETS",
    "BalancerConfiguration",
    "ConfigurationBook",
    "ConfigurationFile",
    "Observation",
    "ServerSettings",
    "ServerStanding",
    "ServerState",
    "Standing",
    "Step",
    "Target",
    "Version",
    "balancers",
    "changed",
    "check_usable",
    "chosen_balancer",
    "differences",
    "document_text",
    "settings_told",
]
