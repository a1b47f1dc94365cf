"""Files that a configuration is read from, one kind a file."""

from workbench.configuration.importers._base import IMPORTERS, Imported, Importer, Note
from workbench.configuration.importers.envoy import EnvoyImporter
from workbench.configuration.importers.haproxy import HaproxyImporter
from workbench.configuration.importers.nginx import NginxImporter
from workbench.configuration.importers.scenario import ScenarioImporter

__all__ = [
    "IMPORTERS",
    "EnvoyImporter",
    "HaproxyImporter",
    "Imported",
    "Importer",
    "NginxImporter",
    "Note",
    "ScenarioImporter",
]
