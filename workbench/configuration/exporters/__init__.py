"""Files that a configuration is written to, one kind a file."""

from workbench.configuration.exporters._base import EXPORTERS, Exported, Exporter
from workbench.configuration.exporters.envoy import EnvoyExporter
from workbench.configuration.exporters.haproxy import HaproxyExporter
from workbench.configuration.exporters.nginx import NginxExporter
from workbench.configuration.exporters.scenario import ScenarioExporter

__all__ = [
    "EXPORTERS",
    "EnvoyExporter",
    "Exported",
    "Exporter",
    "HaproxyExporter",
    "NginxExporter",
    "ScenarioExporter",
]
