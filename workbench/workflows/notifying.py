"""Delivering alerts: in real time, as a test, and who would be told."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from workbench.alerts.audit import Audit
from workbench.alerts.channels import Channel
from workbench.alerts.database import Database
from workbench.alerts.evaluation import Memory, evaluate
from workbench.alerts.instances import Evaluation
from workbench.alerts.labels import Labels
from workbench.alerts.lock import only_sender
from workbench.alerts.outbox import Outbox, Place
from workbench.alerts.prometheus import PrometheusSource
from workbench.alerts.receivers import Plan, load_plan
from workbench.alerts.rules import Rule, load_rules
from workbench.alerts.runner import Runner, Told
from workbench.alerts.secrets import Secret, Vault
from workbench.alerts.sending import Sender
from workbench.alerts.series import MemorySource, Query, Source
from workbench.errors import InputError
from workbench.quantities import format_duration
from workbench.settings import Settings, load_settings
from workbench.store import Store
from workbench.workflows.notification_views import (
    AlertsRunView,
)

STATE_FILE = "alerts.sqlite"
"""The file in the lake's folder that delivery keeps its state in."""

_FEW = 3
"""Rules that a message names; it counts the others."""


def state_file(given: Path | None, settings: Settings | None) -> Path:
    """Say which file delivery keeps its state in."""
    return given or (settings or load_settings()).lake / STATE_FILE


def run_alerts(
    rules: Sequence[Path],
    plan: Path,
    *,
    prometheus: str | None = None,
    settings: Settings | None = None,
    state: Path | None = None,
    seconds: float | None = None,
    stop: threading.Event | None = None,
    started: Callable[[str], None] = lambda _: None,
    watch: Callable[[Told], None] = lambda _: None,
    environment: Mapping[str, str] = os.environ,
) -> AlertsRunView:
    """Evaluate rules in real time and tell receivers, until it is stopped.

    Args:
        rules: files of rules with the same interval.
        plan: the document that says whom to tell.
        prometheus: address of the Prometheus that has the series; without it all rules must be in SQL.
        settings: which lake SQL rules ask.
        state: the file that everything is kept in; `alerts.sqlite` in the lake's folder by default.
        seconds: how long to go on; without end by default.
        stop: ends it when set.
        started: told, in words, that it has begun.
        watch: told of each turn in which something happened.
        environment: the variables that secrets may be in.

    Raises:
        DocumentError: a file holds what is not allowed.
        InputError: another process sends from the same file already, a secret is not there, or rules over
            metrics have no Prometheus.
        StoreError: the state or the lake cannot be used.
    """
    every, chosen = _read_rules(rules)
    _check_source(chosen, prometheus)
    loaded, vault = load_plan(plan), Vault(environment)
    channels = places(loaded)
    _check_secrets(channels, vault)
    lake = settings or load_settings()
    counter = _Counter(watch)
    with _opened(state_file(state, lake), chosen, prometheus, lake) as (database, source):
        audit, outbox = Audit(database), Outbox(database)
        before = audit.last()
        rng = np.random.default_rng(int.from_bytes(os.urandom(8)))
        sender = Sender(database, channels, vault=vault, clock=time.time, rng=rng)

        def look(memory: Memory, at: float) -> tuple[Memory, Evaluation]:
            return evaluate(chosen, memory, source, at, generator=str(rules[0]))

        runner = Runner(look, loaded, database, sender, every=every, clock=time.time, watch=counter)
        started(f"rules: {len(chosen)}, every {format_duration(every)}; channels: {len(channels)}")
        started(f"kept in {database.file}; Ctrl-C ends it")
        for line in (*(f"doubtful: {doubt}" for doubt in loaded.doubts()), *map(_lost, runner.lost)):
            started(line)
        runner.run(stop or threading.Event(), until=None if seconds is None else time.time() + seconds)
        left = outbox.counts()
        return AlertsRunView(
            state=str(database.file),
            evaluations=counter.evaluations,
            messages=counter.messages,
            attempts=audit.last() - before,
            waiting=left["waiting"],
            delivered=left["delivered"],
            dead=left["dead"],
        )


class _Counter:
    """Counts what is told to whoever watches."""

    def __init__(self, watch: Callable[[Told], None]) -> None:
        self._watch = watch
        self.evaluations = self.messages = 0

    def __call__(self, told: Told) -> None:
        self.evaluations += told.evaluation is not None
        self.messages += told.messages
        self._watch(told)


@contextmanager
def _opened(
    file: Path, rules: Sequence[Rule], prometheus: str | None, settings: Settings
) -> Iterator[tuple[Database, Source]]:
    """Open the state, as its only sender, and where the rules get their data from."""
    with ExitStack() as stack:
        stack.enter_context(only_sender(file))
        database = Database(file)
        stack.callback(database.close)
        asks = any(not rule.condition.signals() for rule in rules)
        query = store_query(stack.enter_context(Store(settings))) if asks else None
        source: Source = MemorySource({}, query=query)
        yield database, source if prometheus is None else PrometheusSource(prometheus, query=query)


def _lost(group: str) -> str:
    return f"no route is left for {group}, whose alerts were told by an earlier run"


def store_query(store: Store) -> Query:
    """Let rules ask a store: text columns of a query are labels, its column `value` the value."""

    def ask(sql: str, at: float) -> list[tuple[Labels, float]]:
        table = store.query(sql, {"at": at} if "$at" in sql else None)
        if "value" not in table.column_names:
            there = ", ".join(table.column_names)
            raise InputError(
                f"sql: given a query with the columns {there}; allowed: one of them called value"
            )
        return [_row(row) for row in table.to_pylist()]

    return ask


def _row(row: Mapping[str, Any]) -> tuple[Labels, float]:
    value = row["value"]
    texts = {name: cell for name, cell in row.items() if isinstance(cell, str) and name != "value"}
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise InputError(f"sql: given the value {value!r}; allowed: a number in the column value")
    return Labels(texts), float(value)


def _read_rules(files: Sequence[Path]) -> tuple[float, tuple[Rule, ...]]:
    loaded = [load_rules(file) for file in files]
    intervals = sorted({one.interval for one in loaded})
    if len(intervals) != 1:
        given = ", ".join(map(format_duration, intervals)) or "no file of rules"
        raise InputError(f"rules: given intervals of {given}; allowed: files with the same interval")
    every = tuple(rule for one in loaded for rule in one.every_rule)
    names = [rule.name for rule in every]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"rules: given {', '.join(twice)} in two files; allowed: each name once")
    return intervals[0], every


def _check_source(rules: Sequence[Rule], prometheus: str | None) -> None:
    blind = [rule.name for rule in rules if rule.condition.signals()]
    if blind and prometheus is None:
        named = ", ".join(blind[:_FEW]) + (f" and {len(blind) - _FEW} more" if len(blind) > _FEW else "")
        raise InputError(f"rules: given {named} over metrics; allowed: with the address of a Prometheus")


def places(plan: Plan) -> dict[Place, Channel]:
    """Return all channels of a plan."""
    return {Place(*place): channel for place, channel in plan.channels().items()}


def _secrets(channel: Channel) -> list[Secret]:
    return [value for value in channel.__dict__.values() if isinstance(value, Secret)]


def _check_secrets(channels: Mapping[Place, Channel], vault: Vault) -> None:
    missing = []
    for place, channel in channels.items():
        if problem := secret_problem(channel, vault):
            missing.append(f"receiver {place.receiver}, channel {place.channel}: {problem}")
    if missing:
        raise InputError("\n".join(missing))


def secret_problem(channel: Channel, vault: Vault) -> str:
    """Say what keeps a channel from reading its secrets; empty where nothing does."""
    for secret in _secrets(channel):
        try:
            vault.reveal(secret)
        except InputError as error:
            return str(error)
    return ""
