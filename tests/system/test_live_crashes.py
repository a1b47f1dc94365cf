"""SIGKILL at random instants: what a live run has acknowledged is stored once, and it can be gone on with.

Each of the tries starts or resumes a run in a process of its own and kills it at a random instant. After
`KILLS` kills the run goes on to its end, which must be that of a run that nobody has killed.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from workbench.errors import SimulationError
from workbench.monitor.live import Control, LiveSimulation, read_command
from workbench.settings import Settings
from workbench.simulate import Scenario
from workbench.store import LiveCommand, Store
from workbench.workflows import resume_live
from workbench.workflows.live_journal import in_order

PROGRAM = str(Path(__file__).parent / "programs" / "live_run.py")
TRIES = int(os.environ.get("WORKBENCH_LIVE_KILLS", "60"))
"""How often a process is killed in all; 200 were tried before this was first released."""
KILLS = 20
"""How often each run is."""
SAMPLE_US = 500_000
LONGEST_S = 0.12
"""From a process's first commit to its end, at most; half of them are killed before that commit."""

COMMANDS = (
    "rate 2",
    "strategy=least_connections",
    "server 1 slow=2",
    "weight 0=3",
    "server 0 drain",
    "server 0 ready",
    "pause",
    "resume",
)

SCENARIO: dict[str, Any] = {
    "name": "to be killed",
    "arrivals": {"kind": "poisson", "rate": "20/s"},
    "service": {"kind": "exponential", "mean": "40ms"},
    "pool": {"count": 2},
    "balancers": {"strategy": "round_robin", "checks": {"kind": "haproxy.check"}},
    "horizon": "10h",
}


class Killer:
    """Starts processes and kills them.

    They begin with everything imported, from a server that has no threads.
    """

    def __init__(self, lake: Path, seed: int) -> None:
        self.lake = lake
        self.rng = np.random.default_rng(seed)
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["workbench.workflows"])

    def kill_one(self, run_id: int) -> int:
        """Let a run, or a new one, go on for a random time; return the last time that it acknowledged."""
        listen, told = self.context.Pipe(duplex=False)
        given = {
            "lake": self.lake,
            "run_id": run_id,
            "told": told,
            "scenario": SCENARIO,
            "sample_s": SAMPLE_US / 1e6,
        }
        process = self.context.Process(target=runpy.run_path, args=(PROGRAM, given))
        process.start()
        told.close()
        last = struct.unpack("q", listen.recv_bytes())[0]
        if run_id == 0 or self.rng.random() < 0.5:
            last = struct.unpack("q", listen.recv_bytes())[0]
        time.sleep(self.rng.uniform(0.0, LONGEST_S))
        process.kill()
        process.join()
        try:
            while True:
                last = struct.unpack("q", listen.recv_bytes())[0]
        except EOFError:
            return last


def check(store: Store, run_id: int, acknowledged: int) -> None:
    """Everything until the snapshot is there once, and the snapshot is not before what was acknowledged."""
    live = store.catalogue.lives.one(run_id)
    assert live.state == "crashed"
    assert live.at_us >= acknowledged
    samples = in_order(store.read_table("samples", run_id=run_id))
    expected = np.arange(0, live.at_us, SAMPLE_US)
    assert samples["server_id"].to_numpy().tolist() == [0] * len(expected) + [1] * len(expected)
    assert samples["ts_us"].to_numpy().tolist() == expected.tolist() * 2
    requests = np.sort(store.read_table("requests", run_id=run_id)["req_id"].to_numpy())
    assert len(requests) == len(np.unique(requests)) == live.answered


def uninterrupted(scenario: Scenario, journal: Sequence[LiveCommand], run_id: int) -> pa.Table:
    """The samples of a run that nobody kills, under the same commands at the same times, until its end."""
    simulation = LiveSimulation(scenario, run_id=run_id, sample_us=SAMPLE_US)
    slices = []
    while not simulation.over:
        for one in journal:
            if one.at_us == simulation.at_us and one.state == "applied":
                command = read_command(one.command)
                if one.command == "stop":
                    simulation.end_arrivals()
                elif not isinstance(command, Control):
                    simulation.obey(
                        command,
                        number=one.command_id,
                        author=one.author,
                        reason=one.reason,
                        forced=one.forced,
                    )
        slices.append(simulation.advance().samples)
    return in_order(pa.concat_tables(slices))


def send(store: Store, run_id: int, text: str) -> None:
    """Put a command into the journal of a crashed run, as if its process had been killed right after."""
    with store.catalogue._connection.changing() as session:
        session.execute(
            "insert into live_commands (run_id, command, author, reason, forced, sent, state, result) "
            "values (?, ?, 'ann', '', 0, '2026-01-01T00:00:00+00:00', 'waiting', '')",
            (run_id, text),
        )


@pytest.mark.slow
def test_nothing_that_was_acknowledged_is_lost_or_there_twice(tmp_path: Path):
    killer = Killer(tmp_path / "lake", seed=1)
    settings = Settings(lake=tmp_path / "lake")
    with Store(settings) as store:
        for number in range(1, 1 + TRIES // KILLS):
            check(store, number, killer.kill_one(0))
            for _ in range(KILLS - 1):
                send(store, number, str(killer.rng.choice(COMMANDS)))
                check(store, number, killer.kill_one(number))
            finish_and_compare(store, number)


def finish_and_compare(store: Store, run_id: int) -> None:
    """Let a run end, and see that it is the run that nobody has killed."""
    send(store, run_id, "resume")
    send(store, run_id, "stop")
    assert resume_live(run_id, settings=store.settings).live.state == "stopped"
    journal = store.catalogue.lives.commands(run_id)
    assert {one.state for one in journal} == {"applied"}
    scenario = Scenario.model_validate_json(store.run(run_id).scenario_json)
    stored = in_order(store.read_table("samples", run_id=run_id))
    whole = uninterrupted(scenario, journal, run_id)
    assert stored.equals(whole)
    detail = [
        row for row in store.read_table("events", run_id=run_id)["detail"].to_pylist() if " of ann)" in row
    ]
    assert len(detail) == sum(not isinstance(read_command(one.command), Control) for one in journal)


def test_a_run_that_is_not_what_is_stored_is_not_gone_on_with(tmp_path: Path):
    killer = Killer(tmp_path / "lake", seed=2)
    killer.kill_one(0)
    with Store(Settings(lake=tmp_path / "lake")) as store:
        with store.catalogue._connection.changing() as session:
            session.execute("update runs set scenario_json = replace(scenario_json, '20.0', '21.0')")
        with pytest.raises(
            SimulationError, match=r"its samples.* are not those stored; allowed: the version"
        ):
            resume_live(1, settings=store.settings)
        assert store.catalogue.lives.one(1).state == "failed"
