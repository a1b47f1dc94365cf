"""A scenario: this pool, these balancers and clients under the load that the configuration names."""

from __future__ import annotations

import io
from pathlib import Path
from typing import ClassVar, Literal

from ruamel.yaml import YAML

from workbench.configuration.document import BalancerConfiguration
from workbench.configuration.exporters._base import EXPORTERS, Exported, Exporter
from workbench.configuration.importers import Note
from workbench.configuration.writing import short
from workbench.errors import InputError
from workbench.simulate import load_scenario


@EXPORTERS.register
class ScenarioExporter(Exporter):
    """Writes a scenario that `workbench run` takes."""

    summary: ClassVar[str] = "a scenario's YAML"
    kind: Literal["scenario"] = "scenario"
    load: str = ""
    """The scenario whose load it has; the configuration's own by default."""

    def write(self, configuration: BalancerConfiguration, *, name: str) -> Exported:
        """Put the configuration into the load's scenario; a server that takes no traffic has weight 0."""
        source = self.load or configuration.load
        if not source:
            raise InputError(
                "load: given none; allowed: 'scenario(load=FILE)', or `load` in the configuration"
            )
        scenario = configuration.scenario(load_scenario(Path(source)))
        content = short(scenario) | {"name": scenario.name, "pool": [short(one) for one in scenario.pool]}
        stream = io.StringIO()
        yaml = YAML()
        yaml.default_flow_style = None
        yaml.width = 160
        yaml.dump(content, stream)
        servers = configuration.servers.values()
        notes = [Note("address", "scenarios have none")] if any(one.address for one in servers) else []
        if any(one.state != "ready" for one in servers):
            notes.append(Note("state", "servers that take no traffic have weight 0, or are left out"))
        return Exported(stream.getvalue(), tuple(notes))
