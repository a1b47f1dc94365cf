"""Running many cells, here and in other processes."""

from __future__ import annotations

import os
import signal

import pytest

from workbench.errors import SimulationError
from workbench.experiments import Cell, run_cells
from workbench.simulate import load_scenario

SCENARIO = load_scenario(
    {
        "name": "small",
        "arrivals": {"kind": "poisson", "rate": "10/s"},
        "service": {"kind": "deterministic", "value": "10ms"},
        "pool": {"count": 2},
        "balancers": {"strategy": "random"},
        "horizon": "10 requests",
    }
)
CELLS = [Cell(SCENARIO, number) for number in range(4)]


def process_id(cell: Cell) -> int:
    return os.getpid()


def square(cell: Cell) -> int:
    return cell.replication**2


def die(cell: Cell) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_cell_is_done_once_whatever_the_number_of_processes(jobs: int):
    results = {cell.replication: result for cell, result in run_cells(square, CELLS, jobs=jobs)}
    assert results == {0: 0, 1: 1, 2: 4, 3: 9}


def test_one_job_stays_in_this_process_and_two_do_not():
    assert {result for _, result in run_cells(process_id, CELLS, jobs=1)} == {os.getpid()}
    assert os.getpid() not in {result for _, result in run_cells(process_id, CELLS, jobs=2)}


def test_a_strategy_of_a_script_stays_in_this_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(type(SCENARIO.balancers.strategy), "__module__", "__main__")
    assert {result for _, result in run_cells(process_id, CELLS, jobs=2)} == {os.getpid()}


def test_a_killed_worker_is_said_to_be_killed():
    with pytest.raises(SimulationError, match="killed from outside"):
        list(run_cells(die, CELLS, jobs=2))
