"""Files that a configuration is written to, one kind a file."""

from workbench.configuration.exporters._base import EXPORTERS, Exported, Exporter
from workbench.configuration.exporters.haproxy import HaproxyExporter
from workbench.configuration.exporters.scenario import ScenarioExporter

__all__ = ["EXPORTERS", "Exported", "Exporter", "HaproxyExporter", "ScenarioExporter"]
