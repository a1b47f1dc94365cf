"""What is written can be replayed at once; what was refused never stands where a good recording would."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.errors import InputError, RecordingError
from workbench.traces import read_overhead, read_recording
from workbench.traces.recorder import Session, claim_place, judge, read_plan, write_recording
from workbench.traces.recorder.taken import NONE


@pytest.fixture
def session(run, idle, log) -> Session:
    return Session(
        taken=run(),
        overhead=idle,
        ports=[20001, 20002, 20003],
        events={"wall_minus_mono_s": 1.5, "t0_ns": 2_000_000_000},
        log=log,
        configuration="defaults\n",
        version="HAProxy version 2.6",
        took=4.0,
    )


def write(session: Session, plan, folder: Path, *, replace: bool = False) -> Path:
    place = claim_place(folder, plan.name, replace=replace)
    return write_recording(place, plan, session, judge(session.taken, plan, session.overhead, session.log))


def test_a_good_run_can_be_replayed(session, plan, idle, tmp_path: Path):
    file = write(session, plan, tmp_path / "new" / "folder")
    assert sorted(found.name for found in file.parent.iterdir()) == [
        "overhead_us.json",
        "recording.csv.gz",
        "recording.haproxy.cfg",
        "recording.log.gz",
        "recording.meta.json",
    ]
    recording = read_recording(file)
    assert recording.names == ["127.0.0.1:20002", "127.0.0.1:20003"]
    once_more = read_plan(recording.meta_file)
    assert once_more.model_dump(exclude={"factors"}) == plan.model_dump(exclude={"factors"})
    assert once_more.all_factors == plan.all_factors
    assert recording.wall_clock == pytest.approx(3.5)
    assert recording.latency == pytest.approx(np.full(200, 0.0105))
    assert read_overhead(file, "haproxy") == pytest.approx(idle)
    view = wb.replay(file)
    # Requests 20 ms apart at two servers never wait: 10 ms and 0.5 ms of overhead each.
    assert view.free.same_server == 1.0
    assert view.free.error.mean == pytest.approx(0.0, abs=1e-9)


def test_a_run_that_lagged_is_kept_apart_and_says_why(session, plan, tmp_path: Path):
    good = write(session, plan, tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    late = dataclasses.replace(session.taken, send=session.taken.send + 2000)
    lagging = dataclasses.replace(session, taken=late, overhead=session.overhead._replace(f1=1.0))
    file = write(lagging, plan, tmp_path, replace=True)
    assert file.name == "recording.refused.csv.gz"
    meta = json.loads((tmp_path / "recording.refused.meta.json").read_text())
    assert meta["good"] is False
    assert meta["reasons"][0] == "the client sends late: median 2 ms; allowed: 500 µs"
    assert good.exists()
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert json.loads((tmp_path / "recording.meta.json").read_text())["good"] is True


def test_requests_without_an_answer_have_empty_cells(session, plan, tmp_path: Path):
    killed = plan.model_copy(update={"kill_at": 1.0, "restart_at": 2.0})
    first = np.arange(200) == 0
    columns = {
        name: np.where(first, NONE, getattr(session.taken, name))
        for name in ("received", "start", "finish", "sent")
    }
    server, status = np.where(first, -1, session.taken.server), np.where(first, 502, 200)
    taken = dataclasses.replace(session.taken, server=server, status=status, **columns)
    events = session.events | {"kill": 1_000_000, "ready": 2_000_000}
    file = write(dataclasses.replace(session, taken=taken, events=events), killed, tmp_path)
    recording = read_recording(file)
    assert (recording.server[0], recording.status[0]) == (-1, 502)
    assert np.isnan(recording.received[0])
    assert (recording.killed, recording.ready, recording.setup.victim) == (1.0, 2.0, 0)


def test_the_overhead_of_another_proxy_stays(session, plan, tmp_path: Path):
    (tmp_path / "overhead_us.json").write_text('{"nginx": {"f1": 1, "f2": 2, "r1": 3, "r2": 4}}')
    file = write(session, plan, tmp_path)
    assert read_overhead(file, "nginx") == pytest.approx((1e-6, 2e-6, 3e-6, 4e-6))
    assert read_overhead(file, "haproxy") == pytest.approx(session.overhead)


def test_a_recording_is_not_written_over_unless_asked(session, plan, tmp_path: Path):
    write(session, plan, tmp_path)
    with pytest.raises(
        InputError, match="there is such a recording already; allowed: another name, or --rep"
    ):
        claim_place(tmp_path, plan.name, replace=False)
    write(session, plan, tmp_path, replace=True)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_overhead_is_said_before_time_is_spent(text: str, tmp_path: Path):
    (tmp_path / "overhead_us.json").write_text(text)
    with pytest.raises(InputError, match=r"overhead_us\.json: given .*; allowed: overheads by proxy"):
        claim_place(tmp_path, "a", replace=False)


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="no folder can be made there"):
        claim_place(tmp_path / "file", "a", replace=False)


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_no_part(session, plan, tmp_path: Path):
    (tmp_path / "recording.csv.gz").mkdir()
    with pytest.raises(RecordingError, match=r"recording\.csv\.gz: cannot be written"):
        write(session, plan, tmp_path, replace=True)
    assert not list(tmp_path.glob(".*.part"))
