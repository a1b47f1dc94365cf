"""What a stored scenario says, without what may be unknown here, such as a strategy of the user's own."""

from __future__ import annotations

import io
import json
from typing import Any

from ruamel.yaml import YAML

from workbench.simulate import Scenario
from workbench.simulate.pool import ServerGroup, Servers, expand
from workbench.store import Run
from workbench.workflows.running import check_simulated


def servers(run: Run) -> Servers:
    """List the pool that a run had.

    Raises:
        InputError: it was collected from real systems.
    """
    check_simulated(run)
    groups = json.loads(run.scenario_json)["pool"]
    return expand([ServerGroup.model_validate(group) for group in groups])


def scenario_yaml(run: Run) -> str:
    """Write a run's scenario as a YAML file that gives it again; times are in seconds."""
    document = json.loads(run.scenario_json)
    known = [name for name in Scenario.model_fields if name in document]
    stream = io.StringIO()
    yaml = YAML()
    yaml.width = 100
    yaml.dump({name: _given(document[name]) for name in known if document[name] is not None}, stream)
    return stream.getvalue()


def _given(value: Any) -> Any:
    """Leave out what was not set."""
    if isinstance(value, dict):
        return {key: _given(item) for key, item in value.items() if item is not None}
    return [_given(item) for item in value] if isinstance(value, list) else value
