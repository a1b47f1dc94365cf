"""The configuration of a balancer: kept in versions, planned, applied, read from and written for proxies."""

from workbench.configuration.applying import (
    Ending,
    Outcome,
    check_left,
    make_steps,
    take_back,
    watch,
)
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
from workbench.configuration.exporters import EXPORTERS
from workbench.configuration.guards import Guard, parse_guard
from workbench.configuration.importers import IMPORTERS
from workbench.configuration.journal import Application, ApplicationState, Journal, only_applier
from workbench.configuration.member_labels import read_label
from workbench.configuration.standing import ServerStanding, ServerState, Standing, Step, steps_between
from workbench.configuration.targets import TARGETS, Observation, Target, read_target
from workbench.configuration.writing import document_text
from workbench.configuration.writing import settings as settings_told

__all__ = [
    "EXPORTERS",
    "FILE_NAME",
    "IMPORTERS",
    "TARGETS",
    "Application",
    "ApplicationState",
    "BalancerConfiguration",
    "ConfigurationBook",
    "ConfigurationFile",
    "Ending",
    "Guard",
    "Journal",
    "Observation",
    "Outcome",
    "ServerSettings",
    "ServerStanding",
    "ServerState",
    "Standing",
    "Step",
    "Target",
    "Version",
    "balancers",
    "changed",
    "check_left",
    "check_usable",
    "chosen_balancer",
    "differences",
    "document_text",
    "make_steps",
    "only_applier",
    "parse_guard",
    "read_label",
    "read_target",
    "settings_told",
    "steps_between",
    "take_back",
    "watch",
]
