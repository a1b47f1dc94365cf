"""A live run as a target: its own process obeys what a version says, and is put back by a guard."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench as wb
from workbench import workflows

pytestmark = pytest.mark.slow
"""It runs in step with the clock in a process of its own."""

SIGNED = {"author": "anna", "reason": "test"}
SCENARIO = {
    "name": "steered",
    "arrivals": {"kind": "poisson", "rate": 100.0},
    "service": {"kind": "exponential", "mean": 0.010},
    "pool": {"name": "web", "count": 3},
    "balancers": {"strategy": "round_robin"},
    "horizon": "1h",
}


@pytest.fixture
def settings(tmp_path: Path) -> wb.Settings:
    return wb.Settings(lake=tmp_path / "lake")


@pytest.fixture
def run(tmp_path: Path, settings: wb.Settings) -> Iterator[int]:
    """Start a live run, with its pool as the configuration of `web`."""
    file = tmp_path / "steered.yaml"
    file.write_text(json.dumps(SCENARIO))
    workflows.import_configuration(file, balancer="web", settings=settings, **SIGNED)
    number = workflows.start_live(file, speed=5, settings=settings).live.run_id
    workflows.change_configuration([f"target={{kind: live, run: {number}}}"], settings=settings, **SIGNED)
    yield number
    workflows.command(number, "stop", settings=settings)
    until = time.monotonic() + 20
    while workflows.show_live(number, settings=settings).live.state != "stopped" and time.monotonic() < until:
        time.sleep(0.1)


def test_a_version_is_applied_to_a_live_run_and_a_guard_puts_it_back(run: int, settings: wb.Settings):
    assert workflows.apply_configuration(settings=settings, author="anna").state == "nothing to do"
    workflows.change_configuration(
        ["servers.web-0.weight=3", "servers.web-1.state=drain", "balancers.strategy=least_connections"],
        settings=settings,
        **SIGNED,
    )
    view = workflows.apply_configuration(settings=settings, author="anna", watch_for="1s")
    assert (view.state, view.after.usable) == ("kept", 2)
    told = [one.command for one in workflows.live_commands(run, settings=settings).commands]
    assert sorted(told) == ["server web-1 drain", "strategy=least_connections", "weight web-0=3"]
    assert workflows.compare_with_target(settings=settings).changes == []
    workflows.change_configuration(["servers.web-2.state=maint"], settings=settings, **SIGNED)
    fired = workflows.apply_configuration(
        settings=settings, author="anna", watch_for="20s", guards=["usable < 2"]
    )
    assert fired.state == "rolled_back"
    assert fired.told.startswith("guard usable < 2 fired")
    held = workflows.show_configuration(settings=settings)
    assert (held.version, held.configuration["servers"]["web-2"]["state"]) == (5, "ready")
    assert workflows.compare_with_target(settings=settings).changes == []
