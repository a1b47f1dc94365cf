"""Stored runs as episodes for backtests of alert rules: what a scrape would have seen, and what was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.alerts.backtest import Episode, Incident
from workbench.alerts.series import MemorySource
from workbench.errors import InputError
from workbench.simulate import Scenario
from workbench.simulate.events import Event
from workbench.store import Store, queries
from workbench.tables import EventKind, Outcome
from workbench.workflows.queue_series import (
    TURNED_AWAY,
    Answers,
    Floats,
    Ints,
    Observed,
    Visits,
    down_times,
    queue_series,
)
from workbench.workflows.running import scenario_of


def stored_episode(
    store: Store, run_id: int, incidents: Sequence[Incident] | None, step: float, recovery: float
) -> Episode:
    """Make an episode of a stored run.

    Args:
        store: the lake.
        run_id: the run.
        incidents: what was wrong when; None stands for the run's own faults.
        step: time between two samples of the metrics, seconds.
        recovery: time after an incident in which an alarm is neither right nor false, seconds.

    Raises:
        InputError: an incident is not within the run.
        NotFoundError: there is no such run, or it is not complete, or it kept no requests.
    """
    scenario = scenario_of(store.run(run_id))
    observed = _observed(store, run_id, scenario)
    answered = observed.answers.answered
    until = float(answered.max()) if len(answered) else 0.0
    known = faults_of(store, run_id, until) if incidents is None else incidents
    late = [one for one in known if one.start > until]
    if late:
        raise InputError(f"incident: given one at {late[0].start:g}s; allowed: within the run's {until:.6g}s")
    ordered = tuple(sorted(known, key=lambda one: one.start))
    metrics = queue_series(observed, step=step, until=until)
    return Episode(MemorySource(metrics), 0.0, until, ordered, recovery, f"run {run_id}")


def faults_of(store: Store, run_id: int, until: float) -> list[Incident]:
    """Give the faults of a run as incidents; those that overlap or follow each other at once are one."""
    found: list[Incident] = []
    for row in queries.outages(store, run_id=run_id).to_pylist():
        end = until if row["end_s"] is None else min(row["end_s"], until)
        if found and row["begin_s"] <= found[-1].end:
            found[-1] = replace(found[-1], end=max(found[-1].end, end))
        elif row["begin_s"] < end:
            found.append(Incident(row["fault"], row["begin_s"], end))
    return found


def _observed(store: Store, run_id: int, scenario: Scenario) -> Observed:
    table = queries.requests_of_run(store, run_id=run_id)
    column = {name: table.column(name).to_numpy() for name in table.column_names}
    servers = scenario.servers()
    answers = Answers(
        server=column["server_id"].astype(np.int64),
        answered=column["arrival_s"] + column["response_s"],
        response=column["response_s"],
        wait=column["wait_s"],
        outcome=column["outcome"].astype(np.int64),
    )
    delay = np.array(servers.delay)
    visits = _attempts(store, run_id, delay)
    if visits is None:
        visits = _visits(answers, column["arrival_s"], column["service_s"], delay)
    return Observed(servers.names, servers.slots, visits, answers, down_times(_events(store, run_id)))


def _attempts(store: Store, run_id: int, delay: Floats) -> Visits | None:
    """Take what came to the servers from the attempts; None where every request was one."""
    table = queries.attempts_of_run(store, run_id=run_id)
    if not table.num_rows:
        return None
    column = {name: table.column(name).to_numpy() for name in table.column_names}
    stayed = ~np.isin(column["outcome"], TURNED_AWAY)
    server: Ints = column["server_id"].astype(np.int64)[stayed]
    # Null is NaN by now: never.
    sent, begin, finish, end = (column[f"{name}_s"][stayed] for name in ("sent", "begin", "finish", "end"))
    return Visits.gather(server, sent + delay[server], begin, finish, end)


def _visits(answers: Answers, arrival: Floats, service: Floats, delay: Floats) -> Visits:
    served = answers.outcome == Outcome.OK
    server = answers.server[served]
    reached = arrival[served] + delay[server]
    begin = reached + answers.wait[served]
    return Visits.gather(server, reached, begin, begin + service[served], answers.answered[served])


def _events(store: Store, run_id: int) -> list[Event]:
    kinds = {kind.label: kind for kind in EventKind}
    return [
        Event(
            row["at_s"],
            kinds[row["kind"]],
            -1 if row["server_id"] is None else row["server_id"],
            -1 if row["balancer_id"] is None else row["balancer_id"],
            row["detail"],
        )
        for row in queries.events_of_run(store, run_id=run_id).to_pylist()
    ]
