"""Live runs from the command line: one process runs, others tell it something and look at it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
SCENARIO = PROJECT / "simulations" / "zone_loss.yaml"
PACED = ("--speed", "1", "--every", "200ms")
"""So slow that a busy machine does not come to the end of the scenario meanwhile."""
PROGRAM = [sys.executable, "-c", "from workbench.cli import main; main()"]

pytestmark = pytest.mark.slow


class Live:
    """A live run in a process of its own, with what it said on standard error."""

    def __init__(self, lake: Path, *arguments: str) -> None:
        self.lake = lake
        self.process = subprocess.Popen(
            [*PROGRAM, "live", *arguments, "--lake", lake],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
        )
        self.said: list[str] = []
        while not self.said or not self.said[-1].startswith("live run"):
            line = self.process.stderr.readline()
            assert line, self.process.communicate()
            self.said.append(line)

    def ask(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """Run another command over the same lake and read what it prints."""
        command = [*PROGRAM, "live", *arguments, "--lake", self.lake, "--json"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
        )
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def begin(tmp_path: Path):
    begun: list[Live] = []

    def start(*arguments: str) -> Live:
        begun.append(Live(tmp_path / "lake", *arguments))
        return begun[-1]

    yield start
    for one in begun:
        one.process.kill()
        one.process.communicate()


def test_one_process_runs_and_others_steer_it(begin: Callable[..., Live]):
    live = begin(str(SCENARIO), *PACED)
    told = live.ask("command", "1", "strategy=least_connections", "--by", "ann", "--reason", "one lags")
    (command,) = told["commands"]
    assert (command["state"], command["author"], command["reason"]) == ("applied", "ann", "one lags")
    refused = live.ask("command", "1", "server", "nobody", "drain", code=2)["commands"][0]
    assert refused["state"] == "refused"
    assert "allowed: 0 to" in refused["result"]
    assert "allowed" in live.ask("command", "1", "dance", code=2)["error"]
    (line,) = live.ask("list")["lives"]
    assert (line["state"], line["strategy"]) == ("running", "least_connections")
    live.ask("pause", "1")
    assert live.ask("show", "1")["live"]["state"] == "paused"
    live.ask("resume", "1")
    live.ask("stop", "1")
    output, errors = live.process.communicate(timeout=60)
    assert live.process.returncode == 0, errors
    assert "look at it with: workbench show 1" in output
    assert [one["state"] for one in live.ask("log", "1")["commands"]] == [
        "applied",
        "refused",
        "applied",
        "applied",
        "applied",
    ]


def test_ctrl_c_ends_a_run_in_good_order(begin: Callable[..., Live]):
    live = begin(str(SCENARIO), *PACED)
    time.sleep(0.5)
    live.process.send_signal(signal.SIGINT)
    output, errors = live.process.communicate(timeout=60)
    assert live.process.returncode == 0, errors
    assert "stopped" in output
    (command,) = live.ask("log", "1")["commands"]
    assert (command["command"], command["state"]) == ("stop", "applied")


def test_a_killed_run_is_said_to_be_crashed_and_goes_on(begin: Callable[..., Live]):
    live = begin(str(SCENARIO), *PACED)
    live.ask("command", "1", "rate", "1.2")
    live.process.kill()
    live.process.communicate()
    crashed = live.ask("show", "1")["live"]
    assert crashed["state"] == "crashed"
    assert "workbench live resume 1" in live.ask("command", "1", "pause", code=2)["error"]
    again = begin("resume", "1")
    again.ask("stop", "1")
    again.process.communicate(timeout=60)
    ended = live.ask("show", "1")["live"]
    assert (ended["state"], ended["at_s"] > crashed["at_s"]) == ("stopped", True)


def test_promtool_finds_nothing_wrong_with_the_metrics(
    begin: Callable[..., Live], program: Callable[[str], str]
):
    live = begin(str(SCENARIO), *PACED, "--metrics-port", "0")
    (address,) = re.findall(r"http://\S+", "".join(live.said))
    text = ""
    until = time.monotonic() + 30
    while "workbench_response_seconds_bucket" not in text:
        assert time.monotonic() < until
        time.sleep(0.2)
        text = urllib.request.urlopen(address, timeout=10).read().decode()
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_what_cannot_be_run_is_said_without_a_traceback(tmp_path: Path):
    for arguments in (["nowhere.yaml"], [str(SCENARIO), "--speed", "0"], [str(SCENARIO), "--until", "soon"]):
        done = subprocess.run(
            [*PROGRAM, "live", *arguments, "--lake", tmp_path / "lake"],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
        )
        assert done.returncode == 2
        assert "given" in done.stderr
        assert "allowed" in done.stderr
        assert "Traceback" not in done.stderr
