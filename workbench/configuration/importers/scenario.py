"""A scenario's pool, balancers and clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from workbench.configuration.document import BalancerConfiguration
from workbench.configuration.importers._base import IMPORTERS, Imported, Importer
from workbench.documents import check, parse_document
from workbench.simulate.scenario import Scenario


@IMPORTERS.register
class ScenarioImporter(Importer):
    """Takes pool, balancers and clients; the scenario itself becomes the load to plan on."""

    summary: ClassVar[str] = "a scenario's YAML"
    kind: Literal["scenario"] = "scenario"

    def fits(self, file: Path, text: str) -> bool:
        """Tell by the ending; Envoy's YAML is asked before."""
        return file.suffix in (".yaml", ".yml", ".json")

    def read(self, text: str, *, file: Path, part: str | None) -> Imported:
        """Make one server of each that the groups stand for."""
        scenario = parse_document(text, Scenario, name=str(file), folder=file.parent)
        servers: dict[str, Any] = {}
        for group in scenario.pool:
            settings = group.model_dump(mode="json", exclude={"name", "count"})
            for number in range(group.count):
                servers[group.name if group.count == 1 else f"{group.name}-{number}"] = settings
        content = {
            "servers": servers,
            "balancers": scenario.balancers.model_dump(mode="json"),
            "clients": scenario.clients.model_dump(mode="json"),
            "load": str(file.resolve()),
        }
        configuration = check(content, BalancerConfiguration, name=str(file), folder=file.parent)
        return Imported(configuration, scenario.name, ())
