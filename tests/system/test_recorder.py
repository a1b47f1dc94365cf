"""The recorder before Debian's haproxy and nginx: what it writes is replayed, what lagged is refused.

This machine may be busy, so bounds are wide where a run is to be good; each test says how wide. That
narrow ones refuse is certain where a process is stopped for longer than they allow.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import InputError
from workbench.traces import read_recording
from workbench.workflows import record

WIDE = {"median": "20ms", "p95": "100ms", "p99": "500ms", "most": "5s"}
Started = subprocess.Popen[str]


@pytest.fixture(params=["haproxy", "nginx"])
def proxy(request: pytest.FixtureRequest, program: Callable[[str], str]) -> str:
    program(request.param)
    return str(request.param)


@pytest.fixture
def scheduling() -> str:
    """`fifo` where this user may have it."""
    tried = subprocess.run(["chrt", "-f", "10", "true"], capture_output=True, check=False)
    return "fifo" if tried.returncode == 0 else "normal"


@pytest.fixture
def setup(tmp_path: Path, scheduling: str) -> Callable[..., Path]:
    """Give a function that writes a plan of few short requests: 1.5 s at 40/s of each of three servers."""

    def write(**given: Any) -> Path:
        plan = {
            "weights": [1, 1, 1],
            "n": 150,
            "rho": 0.5,
            "service": {"kind": "exponential", "mean": "15ms"},
        }
        file = tmp_path / "short.yaml"
        file.write_text(json.dumps(plan | {"scheduling": scheduling, "bounds": WIDE} | given))
        return file

    return write


def begin(setup: Path) -> Started:
    command = [sys.executable, "-m", "workbench.cli", "record", str(setup), "--out", "out", "--json"]
    return subprocess.Popen(
        command, cwd=setup.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def children(process: int) -> dict[int, list[str]]:
    """Give the descendants of a process with their command lines."""
    found: dict[int, list[str]] = {}
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found[child] = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            found |= children(child)
    return found


def wait_for(recorder: Started, wanted: Callable[[list[str]], bool]) -> tuple[int, list[str]]:
    """Wait for a process of the recorder's."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert recorder.poll() is None, recorder.communicate()
        try:
            found = [one for one in children(recorder.pid).items() if wanted(one[1])]
        except OSError:  # it has ended meanwhile
            continue
        if found:
            return found[0]
        time.sleep(0.02)
    raise AssertionError("no such process")


def sends_the_run(words: list[str]) -> bool:
    """The client of the run itself: its requests have no prefix."""
    return "client" in words and words[words.index("client") + 3] == ""


def wait_for_the_run(recorder: Started, seconds: float) -> int:
    """Wait until the run has gone on for some time; give the client's id."""
    client, words = wait_for(recorder, sends_the_run)
    zero = int(words[words.index("client") + 2])
    time.sleep(max(0, (zero - time.monotonic_ns()) / 1e9 + seconds))
    return client


def none_is_left(seen: dict[int, list[str]]) -> bool:
    """Whether all have ended, or ids are another program's."""
    left = []
    for process, words in seen.items():
        try:
            left.append(Path(f"/proc/{process}/cmdline").read_text().split("\0") == words)
        except OSError:
            left.append(False)
    return not any(left)


def test_a_good_run_is_replayed_with_the_same_servers_and_times(proxy: str, setup, tmp_path: Path):
    """Servers of weight 2:1:1 in turn: at least 95 % of the requests at the same one, times within 15 %."""
    view = record(setup(proxy=proxy, weights=[2, 1, 1], factors=[0.5, 1, 1]), out=tmp_path / "out")
    assert view.good, view.reasons
    assert proxy in view.version.lower()
    replayed = wb.replay(Path(view.file))
    assert replayed.free.same_server >= 0.95
    assert replayed.recorded_shares == pytest.approx([0.5, 0.25, 0.25], abs=0.02)
    assert replayed.forced is not None
    assert replayed.forced.error.mean == pytest.approx(0, abs=0.15)
    assert replayed.forced.error.p50 == pytest.approx(0, abs=0.15)
    recording = read_recording(Path(view.file))
    assert recording.log is not None
    assert recording.log.retried == 0
    configuration = "haproxy.cfg" if proxy == "haproxy" else "nginx.conf"
    assert (
        f"127.0.0.1:{recording.names[0].partition(':')[2]}"
        in (tmp_path / "out" / f"short.{configuration}").read_text()
    )


def test_a_run_can_be_made_once_more_with_the_same_requests(proxy: str, setup, tmp_path: Path):
    first = record(setup(proxy=proxy, n=60), out=tmp_path / "out")
    meta = Path(first.file).with_name("short.meta.json")
    again = record(meta, out=tmp_path / "out", name="again")
    assert again.good, again.reasons
    assert again.bounds == first.bounds
    one, other = read_recording(Path(first.file)), read_recording(Path(again.file))
    assert one.server.tolist() == other.server.tolist()
    assert len(one) == 60
    assert one.setup == other.setup


def test_a_killed_server_of_haproxy_goes_out_and_comes_back(program, setup, tmp_path: Path):
    """Checks every 200 ms: down after two that fail, up after one, each seen within 150 ms of its time.

    The simulation may be one check apart: HAProxy's come a millisecond later each time.
    """
    program("haproxy")
    plan = setup(
        proxy="haproxy",
        n=400,
        extra="option redispatch",
        sextra="check inter 200ms fall 2 rise 1",
        kill_at="1s",
        restart_at="2.5s",
        victim=1,
    )
    view = record(plan, out=tmp_path / "out")
    assert view.good, view.reasons
    recording = read_recording(Path(view.file))
    assert recording.killed == pytest.approx(1.0, abs=0.1)
    assert 2.5 <= recording.ready <= 3.5
    assert recording.log is not None
    ((down, victim),) = recording.log.downs
    ((up, same),) = recording.log.ups
    assert victim == same == 1
    assert 0.2 <= down - recording.killed <= 0.4 + 0.15
    assert 0 <= up - recording.ready <= 0.2 + 0.15
    assert sorted(recording.log.first_checks) == [0, 1, 2]
    served = recording.received[recording.server == 1]
    assert not ((served > recording.killed + 0.05) & (served < recording.ready)).any()
    # A request that was being served is told 502; one that a keep-alive had hidden would be -1.
    assert set(recording.status.tolist()) <= {200, 502}
    replayed = wb.replay(Path(view.file)).failover
    assert replayed is not None
    assert replayed.retried_recorded == pytest.approx(replayed.retried_simulated, abs=10)
    assert [turn.simulated for turn in replayed.turns] == pytest.approx([down, up], abs=0.2 + 0.15)


def test_a_killed_server_of_nginx_is_tried_again_elsewhere(program, setup, tmp_path: Path):
    program("nginx")
    plan = setup(
        proxy="nginx", n=400, sextra="max_fails=1 fail_timeout=1s", kill_at="1s", restart_at="2.5s", victim=2
    )
    view = record(plan, out=tmp_path / "out")
    assert view.good, view.reasons
    recording = read_recording(Path(view.file))
    assert recording.log is not None
    assert 1 <= recording.log.retried <= 6
    assert {server for _, server in recording.log.downs} == {2}
    assert np.mean(recording.status == 200) > 0.99


def test_a_run_whose_client_lagged_is_refused(proxy: str, setup, tmp_path: Path):
    """The client is stopped for 300 ms, of which 200 ms are allowed."""
    recorder = begin(setup(proxy=proxy, n=400, bounds=WIDE | {"most": "200ms"}))
    client = wait_for_the_run(recorder, 0.5)
    os.kill(client, signal.SIGSTOP)
    time.sleep(0.3)
    os.kill(client, signal.SIGCONT)
    out, err = recorder.communicate(timeout=120)
    assert recorder.returncode == 5, err
    view = json.loads(out)
    assert view["good"] is False
    assert any(reason.startswith("the client sends late: most ") for reason in view["reasons"])
    assert any(reason.startswith("the client did not run for ") for reason in view["reasons"])
    assert not (tmp_path / "out" / "short.csv.gz").exists()
    assert (tmp_path / "out" / "short.refused.csv.gz").exists()
    assert not (tmp_path / "out" / "overhead_us.json").exists()


def test_a_run_one_of_whose_servers_lagged_is_refused(program, setup, tmp_path: Path):
    program("haproxy")
    recorder = begin(setup(proxy="haproxy", n=400, bounds=WIDE | {"most": "200ms"}))
    wait_for_the_run(recorder, 0.5)
    server, _ = wait_for(
        recorder, lambda words: "server" in words and words[words.index("server") + 1] == "2"
    )
    os.kill(server, signal.SIGSTOP)
    time.sleep(0.4)
    os.kill(server, signal.SIGCONT)
    out, err = recorder.communicate(timeout=120)
    assert recorder.returncode == 5, err
    reasons = json.loads(out)["reasons"]
    late = ("the server finishes late: most ", "the server reads late: most ")
    assert any(reason.startswith(late) for reason in reasons)
    assert not any(reason.startswith("the client sends late") for reason in reasons)


@pytest.mark.parametrize(("proxy", "number"), [("haproxy", signal.SIGINT), ("nginx", signal.SIGTERM)])
def test_a_run_that_is_stopped_leaves_nothing_behind(
    program, setup, tmp_path: Path, *, proxy: str, number: signal.Signals
):
    program(proxy)
    recorder = begin(setup(proxy=proxy, n=2000))
    wait_for_the_run(recorder, 0.3)
    seen = children(recorder.pid)
    assert any(proxy in words[0] for words in seen.values())
    recorder.send_signal(number)
    _, err = recorder.communicate(timeout=60)
    assert recorder.returncode == 130
    assert "Traceback" not in err
    assert none_is_left(seen)
    assert not list((tmp_path / "out").iterdir())


def test_a_proxy_that_dies_ends_the_run_with_an_error(proxy: str, setup, tmp_path: Path):
    recorder = begin(setup(proxy=proxy, n=2000))
    wait_for_the_run(recorder, 0.3)
    seen = children(recorder.pid)
    os.kill(next(process for process, words in seen.items() if proxy in words[0]), signal.SIGKILL)
    out, _ = recorder.communicate(timeout=60)
    assert recorder.returncode == 5
    assert f"{proxy} ended with code -9 in the middle of the run" in json.loads(out)["error"]
    assert none_is_left(seen)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("haproxy", {"sextra": "chek"}, "unknown keyword 'chek'"),
        ("haproxy", {"weights": [1, 257]}, "weight of server s2 is not within 0 and 256"),
        ("nginx", {"sextra": "max_fail=1"}, 'invalid parameter "max_fail=1"'),
    ],
)
def test_what_a_proxy_says_of_its_configuration_is_shown(
    program, setup, tmp_path: Path, *, name: str, given: Any, said: str
):
    program(name)
    with pytest.raises(InputError, match=f"{name} does not accept balance") as error:
        record(setup(proxy=name, **given), out=tmp_path / "out")
    assert said in str(error.value)
