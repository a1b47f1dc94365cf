"""A scenario with other settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workbench.documents import check
from workbench.errors import DocumentError, InputError, Problem
from workbench.experiments.sweeps.dials import DIALS
from workbench.experiments.sweeps.paths import STRATEGY, set_path
from workbench.simulate import Scenario

Setting = tuple[str, Any]
"""A path of a scenario, or a dial, and what is set there."""


def with_settings(scenario: Scenario, settings: Sequence[Setting], *, name: str = "scenario") -> Scenario:
    """Give a scenario with other settings; first whole strategies are set, then paths, dials last.

    Args:
        scenario: what is changed.
        settings: paths and dials with their values; of a path given twice the last counts.
        name: what to call the result in messages.

    Raises:
        InputError: a path leads nowhere, or the result is no scenario.
    """
    if not settings:
        return scenario
    document = scenario.model_dump(mode="json") | {"comparison": None}
    paths = [setting for setting in settings if setting[0] not in DIALS]
    for path, value in sorted(paths, key=lambda setting: _order(setting[0])):
        set_path(document, path, value)
    dials = {path: value for path, value in settings if path in DIALS}
    try:
        for dial, turn in DIALS.items():
            if dial in dials:
                turn(document, dials[dial])
    except ValidationError as error:
        raise DocumentError(
            [
                Problem(name, 0, ".".join(map(str, item["loc"])), str(item["input"])[:60], item["msg"])
                for item in error.errors()
            ]
        ) from None
    changed = check(document, Scenario, name=name, folder=Path.cwd())
    try:
        changed.balancers.strategy.memory(changed.servers(), changed.keys.names() if changed.keys else [])
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    return changed


def _order(path: str) -> tuple[bool, int]:
    return path != STRATEGY, path.count(".")
