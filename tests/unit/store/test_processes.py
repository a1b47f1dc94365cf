"""A run is interrupted when its process is gone, and only then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from workbench.store import processes
from workbench.store.processes import process_start, this_process


def test_this_process_lives():
    assert not this_process().is_gone


def test_process_that_was_killed_is_gone_before_its_parent_collects_it():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = replace(this_process(), pid=child.pid, started=process_start(child.pid))
    assert not process.is_gone
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process.is_gone
    child.wait()
    child.stdin.close()
    assert process.is_gone


def test_later_process_of_the_same_number_is_another():
    assert replace(this_process(), started="another boot/1").is_gone


def test_process_of_another_host_is_not_known_to_be_gone():
    assert not replace(this_process(), host="elsewhere", started="").is_gone


@pytest.mark.skipif(shutil.which("ps") is None, reason="ps not found")
def test_without_proc_ps_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    assert not this_process().is_gone
    assert process_start(2**22 + 1) == ""
