"""Live runs: started, told what to do, looked at, and gone on with after a crash."""

from __future__ import annotations

import getpass
import secrets
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.errors import InputError, WorkbenchError
from workbench.experiments import Cell
from workbench.monitor.live import COMMIT, LiveSession, LiveSimulation, read_command, read_speed
from workbench.settings import Settings, load_settings
from workbench.simulate import ReferenceEngine, Scenario, Strategy, Workload
from workbench.simulate.sampling import nice_width
from workbench.store import LiveRun, NewCommand, Store, publish
from workbench.workflows.live_alerts import check_files
from workbench.workflows.live_journal import StoreJournal, in_order
from workbench.workflows.live_processes import begin_process
from workbench.workflows.live_repetition import repeat
from workbench.workflows.live_views import CommandLine, CommandsView, LiveLine, LivesView, LiveView
from workbench.workflows.live_watching import Watchers, Watching, watching
from workbench.workflows.running import Source, resolve
from workbench.workflows.simulating import keep, new_run

_LOOK = 0.02
"""Time between two looks at whether a command was obeyed, seconds."""

_SLICES = 500
"""Intervals of a run that goes as fast as it can, where nobody says how long one is."""

Started = Callable[[str], None]
"""Told, in words, that a run has begun."""

Committed = Callable[[int], None]
"""Told of each simulated time until which everything is stored, microseconds."""


@dataclass(frozen=True)
class _Surroundings:
    """What a run goes on in, whatever it simulates."""

    watching: Watching
    commit_every: float
    stop: threading.Event
    started: Started
    committed: Committed


def live(
    source: Source,
    *,
    speed: float | str | None = 1.0,
    until: float | None = None,
    sample_every: float | None = None,
    strategy: Strategy | str | None = None,
    seed: int | None = None,
    settings: Settings | None = None,
    rules: Path | None = None,
    to: Path | None = None,
    metrics_port: int | None = None,
    commit_every: float = COMMIT,
    stop: threading.Event | None = None,
    started: Started = lambda _: None,
    committed: Committed = lambda _: None,
) -> LiveView:
    """Run a scenario in step with the clock, store what becomes of it, and obey commands, until its end.

    Args:
        source: a scenario, the path of its YAML file, or a dict with the same keys.
        speed: simulated seconds in a second; `max` or None for as fast as it goes.
        until: when arrivals end at the latest, simulated seconds; the scenario's horizon by default.
        sample_every: length of a sample interval, simulated seconds; the scenario's, or that of a second
            on the clock, by default.
        strategy: to begin with, in place of the scenario's own.
        seed: in place of the scenario's own, 0 or more.
        settings: where the lake is.
        rules: file of alert rules that are evaluated in simulated time.
        to: the document that says whom to tell of alerts; they are only kept by default.
        metrics_port: port of this machine under which a Prometheus finds /metrics; 0 for a free one.
        commit_every: time between two commits, seconds on the clock.
        stop: ends the run when set, as the command `stop` does.
        started: told, in words, that it has begun.
        committed: told of each simulated time until which everything is stored, microseconds.

    Raises:
        InputError: the scenario, the strategy, the speed or a time cannot be used.
        SimulationError: the simulation cannot go on; what came before it is stored.
        StoreError: the lake cannot be read or written.

    Example:
        >>> import workbench as wb
        >>> wb.live("simulations/mm1.yaml", speed="max", until=60).live.state  # doctest: +SKIP
        'stopped'
    """
    pace = (
        read_speed(speed) if isinstance(speed, str) else read_speed("max" if speed is None else f"{speed!r}")
    )
    check_files(rules, to)
    scenario = _resolved(source, strategy, seed)
    sample_us = _sample_us(scenario, pace, until, sample_every)
    scenario = scenario.model_copy(update={"sample_every": sample_us / 1e6})
    until_us = None if until is None else round(until * 1e6)
    with Store(settings or load_settings()) as store:
        cell = Cell(scenario, 0)
        # Commands make each live run one of its own, which no other scenario stands for.
        key = f"live:{secrets.token_hex(16)}"
        run_id = store.begin_run(replace(new_run(cell, ReferenceEngine.name), key=key))
        simulation = LiveSimulation(scenario, run_id=run_id, sample_us=sample_us, until_us=until_us)
        store.catalogue.lives.begin(run_id, speed=pace, sample_us=sample_us, until_us=until_us)
        around = _Surroundings(
            Watching(rules, to, metrics_port), commit_every, stop or threading.Event(), started, committed
        )
        with watching(store, simulation, around.watching, started=started) as watchers:
            return _go_on(store, cell, simulation, around, watchers, speed=pace, ending=False)


def start_live(
    source: Source,
    *,
    speed: float | str | None = 1.0,
    until: float | None = None,
    sample_every: float | None = None,
    strategy: Strategy | str | None = None,
    seed: int | None = None,
    settings: Settings | None = None,
) -> LiveView:
    """Start a live run in a process of its own, which outlives this one, and say how it stands.

    Args:
        source: a scenario, the path of its YAML file, or a dict with the same keys.
        speed: simulated seconds in a second; `max` or None for as fast as it goes.
        until: when arrivals end at the latest, simulated seconds; the scenario's horizon by default.
        sample_every: length of a sample interval, simulated seconds.
        strategy: to begin with, in place of the scenario's own.
        seed: in place of the scenario's own, 0 or more.
        settings: where the lake is.

    Raises:
        InputError: what is given cannot be used.
        StoreError: the lake cannot be used, or the process has ended before it began to simulate.
    """
    scenario = _resolved(source, strategy, seed)
    kept = settings or load_settings()
    with Store(kept) as store:
        pace = _speed(speed)
        _sample_us(scenario, pace, until, sample_every)
        request = {
            "scenario": scenario.model_dump(mode="json"),
            "settings": store.settings.model_dump(mode="json"),
            "given": {"speed": pace, "until": until, "sample_every": sample_every},
        }
    return show_live(begin_process(request), settings=kept)


def run_started(request: dict[str, Any], started: Started) -> LiveView:
    """Run what `start_live` asked for; called in the process that it began."""
    settings = Settings.model_validate(request["settings"])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    return live(request["scenario"], settings=settings, stop=stop, started=started, **request["given"])


def resume_live(
    run_id: int,
    *,
    settings: Settings | None = None,
    rules: Path | None = None,
    to: Path | None = None,
    metrics_port: int | None = None,
    commit_every: float = COMMIT,
    stop: threading.Event | None = None,
    started: Started = lambda _: None,
    committed: Committed = lambda _: None,
) -> LiveView:
    """Go on with a live run whose process is gone, until its end; one that is paused is told to resume.

    It is simulated again from its seed and its journal up to its last snapshot, and what comes out is
    compared with what is stored.

    Args:
        run_id: the run's number.
        settings: where the lake is.
        rules: file of alert rules that are evaluated in simulated time.
        to: the document that says whom to tell of alerts; they are only kept by default.
        metrics_port: port of this machine under which a Prometheus finds /metrics; 0 for a free one.
        commit_every: time between two commits, seconds on the clock.
        stop: ends the run when set, as the command `stop` does.
        started: told, in words, that it has begun.
        committed: told of each simulated time until which everything is stored, microseconds.

    Raises:
        ConflictError: its process lives and it is not paused.
        InputError: it has ended.
        SimulationError: what is simulated again is not what is stored.
        StoreError: the lake cannot be read or written.
    """
    with Store(settings or load_settings()) as store:
        if store.catalogue.lives.one(run_id).state == "paused":
            command(run_id, "resume", settings=store.settings)
            return show_live(run_id, settings=store.settings)
        check_files(rules, to)
        taken = store.catalogue.lives.take_over(run_id)
        scenario = Scenario.model_validate_json(store.run(run_id).scenario_json)
        simulation = LiveSimulation(
            scenario, run_id=run_id, sample_us=taken.sample_us, until_us=taken.until_us
        )
        around = _Surroundings(
            Watching(rules, to, metrics_port), commit_every, stop or threading.Event(), started, committed
        )
        with watching(store, simulation, around.watching, started=started) as watchers:
            try:
                ending = repeat(store, simulation, taken, watch=watchers.again)
            except WorkbenchError as error:
                store.fail_run(run_id, str(error))
                raise
            cell = Cell(scenario, 0)
            return _go_on(store, cell, simulation, around, watchers, speed=taken.speed, ending=ending)


def _go_on(
    store: Store,
    cell: Cell,
    simulation: LiveSimulation,
    around: _Surroundings,
    watchers: Watchers,
    *,
    speed: float | None,
    ending: bool,
) -> LiveView:
    run_id = simulation.run_id
    journal = StoreJournal(
        store,
        run_id,
        sample_us=simulation.sample_us,
        stop=around.stop,
        stopper=getpass.getuser(),
        committed=around.committed,
    )
    session = LiveSession(
        simulation,
        journal,
        speed,
        time.monotonic,
        around.stop,
        watch=watchers.add,
        commit_every=around.commit_every,
        ending=ending,
    )
    around.started(f"live run {run_id}: {cell.scenario.name} from {simulation.now:g} s on; Ctrl-C stops it")
    begun = time.process_time()
    try:
        session.run()
        samples = in_order(store.read_table("samples", run_id=run_id))
        keep(store, run_id, cell, simulation.records(), time.process_time() - begun, samples=samples)
    except WorkbenchError as error:
        store.fail_run(run_id, str(error))
        store.catalogue.lives.refuse_waiting(run_id)
        raise
    store.catalogue.lives.refuse_waiting(run_id)
    publish(store)
    return show_live(run_id, settings=store.settings)


def lives(*, settings: Settings | None = None) -> LivesView:
    """List the live runs of the store, the newest first.

    Raises:
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        found = [_line(store, one) for one in store.catalogue.lives.listed()]
        return LivesView(lake=str(store.lake), lives=found)


def show_live(run_id: int, *, settings: Settings | None = None) -> LiveView:
    """Show how a live run stands.

    Raises:
        NotFoundError: there is no such live run.
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        return LiveView(lake=str(store.lake), live=_line(store, store.catalogue.lives.one(run_id)))


def command(
    run_id: int,
    text: str,
    *,
    author: str | None = None,
    reason: str = "",
    force: bool = False,
    wait: float = 10.0,
    settings: Settings | None = None,
) -> CommandsView:
    """Tell a live run to do something, and say what became of it.

    Args:
        run_id: the run's number.
        text: the command, such as `weight 2=5` or `strategy=least_connections`.
        author: who says so; the user of the system by default.
        reason: why.
        force: do it even where it leaves no usable server.
        wait: how long to wait until it is obeyed, seconds; it waits in the journal after that.
        settings: where the lake is.

    Raises:
        InputError: it is no command, or the run has ended or crashed.
        NotFoundError: there is no such live run.
        StoreError: the lake cannot be read or written.
    """
    parsed = read_command(text)
    new = NewCommand(parsed.text, author or getpass.getuser(), reason, forced=force)
    with Store(settings or load_settings()) as store:
        journal = store.catalogue.lives
        number = journal.send(run_id, new)
        deadline = time.monotonic() + wait
        while True:
            found = next(one for one in journal.commands(run_id) if one.command_id == number)
            if found.state != "waiting" or time.monotonic() >= deadline:
                return CommandsView(run_id=run_id, commands=[CommandLine.of(found)])
            time.sleep(_LOOK)


def live_commands(run_id: int, *, settings: Settings | None = None) -> CommandsView:
    """List the commands that a live run was sent, with what became of each.

    Raises:
        NotFoundError: there is no such live run.
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        store.catalogue.lives.one(run_id)
        found = [CommandLine.of(one) for one in store.catalogue.lives.commands(run_id)]
        return CommandsView(run_id=run_id, commands=found)


def _line(store: Store, one: LiveRun) -> LiveLine:
    applied = store.catalogue.lives.commands(one.run_id, state="applied")
    strategies = [each.command for each in applied if each.command.startswith("strategy=")]
    strategy = strategies[-1].removeprefix("strategy=") if strategies else one.strategy
    return LiveLine.of(one, strategy=strategy)


def _resolved(source: Source, strategy: Strategy | str | None, seed: int | None) -> Scenario:
    """Load a scenario that can be run live.

    Raises:
        InputError: it cannot.
    """
    scenario = resolve(source, strategy=strategy, seed=seed)
    if any(scenario.servers().shares):
        raise InputError(
            "discipline: given servers that their requests share; allowed in a live run: `discipline: fifo`"
        )
    return scenario


def _speed(given: float | str | None) -> float | None:
    return read_speed(given if isinstance(given, str) else "max" if given is None else repr(given))


def _sample_us(scenario: Scenario, speed: float | None, until: float | None, given: float | None) -> int:
    """Say how long a sample interval is, microseconds.

    Raises:
        InputError: it, or the time at which arrivals end, cannot be used.
    """
    if until is not None and not until > 0:
        raise InputError(f"until: given {until:g}; allowed: a time above 0, in seconds")
    if given is not None:
        if not given >= 1e-6:
            raise InputError(f"every: given {given:g}; allowed: 1us or more")
        return round(given * 1e6)
    if scenario.sample_every is not None:
        return round(scenario.sample_every * 1e6)
    if speed is not None:
        return max(1000, round(speed * 1e6))
    return max(1000, round(nice_width(_expected_seconds(scenario, until) / _SLICES) * 1e6))


def _expected_seconds(scenario: Scenario, until: float | None) -> float:
    horizon = scenario.horizon
    if until is not None:
        return until
    if horizon is not None and horizon.seconds is not None:
        return horizon.seconds
    requests, rate = Workload(scenario).expected_requests(), scenario.arrivals.mean_rate()
    return requests / rate if requests and rate else float(_SLICES)
