"""Making a live run again up to its last snapshot, from its seed and its journal."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from workbench.errors import SimulationError
from workbench.monitor.live import Control, LiveSimulation, Slice, read_command
from workbench.quantities import format_duration
from workbench.store import LiveCommand, LiveRun, Store
from workbench.tables import EVENTS
from workbench.workflows.live_journal import in_order


def repeat(
    store: Store, simulation: LiveSimulation, snapshot: LiveRun, *, watch: Callable[[Slice], None]
) -> bool:
    """Simulate a run again as far as it had come, and see that it is what is stored.

    Args:
        store: where it is stored.
        simulation: at its beginning; at the snapshot afterwards.
        snapshot: how far it had come.
        watch: told of each interval.

    Returns:
        Whether arrivals had been ended by a command.

    Raises:
        SimulationError: what is simulated again is not what is stored.
    """
    journal = [
        one
        for one in store.catalogue.lives.commands(snapshot.run_id, state="applied")
        if one.at_us is not None
    ]
    slices: list[Slice] = []
    ended = False
    while True:
        while journal and journal[0].at_us == simulation.at_us:
            ended = _again(simulation, journal.pop(0)) or ended
        if simulation.at_us >= snapshot.at_us:
            break
        slices.append(simulation.advance())
        watch(slices[-1])
    _compare(store, simulation, snapshot, slices)
    return ended


def _again(simulation: LiveSimulation, done: LiveCommand) -> bool:
    """Do a command again; say whether it ended arrivals."""
    command = read_command(done.command)
    if not isinstance(command, Control):
        simulation.obey(
            command, number=done.command_id, author=done.author, reason=done.reason, forced=done.forced
        )
    elif command.kind == "stop":
        simulation.end_arrivals()
        return True
    return False


def _compare(store: Store, simulation: LiveSimulation, snapshot: LiveRun, slices: list[Slice]) -> None:
    run_id = snapshot.run_id
    stored = in_order(store.read_table("samples", run_id=run_id))
    made = in_order(pa.concat_tables([one.samples for one in slices])) if slices else stored.slice(0, 0)
    events = _sorted(simulation.take_events())
    known = _sorted(store.read_table("events", run_id=run_id))
    different = [
        name
        for name, one, other in (("samples", stored, made), ("events", known, events))
        if not one.combine_chunks().equals(other.combine_chunks())
    ]
    counts = (simulation.arrived, simulation.answered)
    if counts != (snapshot.requests, snapshot.answered):
        different.append(f"requests ({counts[0]:,} for {snapshot.requests:,})")
    if different:
        raise SimulationError(
            f"live run {run_id} cannot be gone on with: simulated again up to "
            f"{format_duration(snapshot.at_us / 1e6)}, its {' and its '.join(different)} are not those "
            "stored; allowed: the version of the workbench, the trace and the strategies that it ran with"
        )


def _sorted(events: pa.Table) -> pa.Table:
    """Sort events by all that they say, since those of one instant may lie in several parts."""
    return events.sort_by([(name, "ascending") for name in EVENTS.names])
