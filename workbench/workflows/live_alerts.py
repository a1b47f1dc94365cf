"""Alert rules over a live run, evaluated in its own simulated time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from workbench.alerts.courses import LOOK_BACK
from workbench.alerts.database import Database
from workbench.alerts.evaluation import Memory, evaluate
from workbench.alerts.instances import Evaluation
from workbench.alerts.labels import Labels
from workbench.alerts.lock import only_sender
from workbench.alerts.matchers import Matcher
from workbench.alerts.receivers import Plan, Receiver, Route, load_plan
from workbench.alerts.remembering import Remembered
from workbench.alerts.rules import Rule, load_rules
from workbench.alerts.runner import Runner, Told
from workbench.alerts.secrets import Vault
from workbench.alerts.sending import Sender
from workbench.alerts.series import Query, SeriesSet
from workbench.errors import InputError
from workbench.monitor import Point
from workbench.monitor.live import LiveMetrics, Slice
from workbench.store import Store
from workbench.workflows.notifying import places, store_query

_LIVE = "live"

NOBODY = Plan(receivers=[Receiver(name="nobody")], route=Route(receiver="nobody"))
"""Whom alerts are told where nobody is named: they are kept and shown."""


class Courses:
    """The series of a live run, as long as rules look back; a source for rules.

    Args:
        query: runs the SQL of rules.
        longest: how far rules look back, seconds.
    """

    def __init__(self, query: Query, longest: float) -> None:
        self._query, self._longest = query, longest
        self._series: dict[str, dict[Labels, tuple[list[float], list[float]]]] = {}

    def add(self, points: Sequence[Point], at: float) -> None:
        """Take in the values of a time, later than those before."""
        for point in points:
            times, values = self._series.setdefault(point.series, {}).setdefault(
                Labels(point.labels), ([], [])
            )
            times.append(at)
            values.append(point.value)
            if len(times) > 1000 and times[len(times) // 2] < at - self._longest:
                del times[: len(times) // 2], values[: len(values) // 2]

    def series(self, metric: str, matchers: Sequence[Matcher], *, start: float, end: float) -> SeriesSet:
        """Give the series of a metric that match."""
        found = self._series.get(metric, {})
        return SeriesSet.gather((labels, *kept) for labels, kept in found.items()).chosen(matchers)

    def query(self, sql: str, *, at: float) -> Sequence[tuple[Labels, float]]:
        """Run an SQL query over the store."""
        return self._query(sql, at)


class LiveAlerts:
    """Evaluates rules whenever a run's simulated time says so, and tells receivers.

    Args:
        rules: what is evaluated.
        every: time between two evaluations, simulated seconds.
        plan: whom to tell.
        database: where everything is kept.
        source: the run's series.
        metrics: the run's metrics.
        generator: what the alerts say has made them.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        every: float,
        plan: Plan,
        database: Database,
        source: Courses,
        metrics: LiveMetrics,
        generator: str,
    ) -> None:
        self.file = database.file
        self._metrics, self._source, self._began = metrics, source, _began(database)
        # On the grid of simulated time, whatever the time of day at which the run began.
        self._now = self._began
        self.transitions = 0
        rng = np.random.default_rng(int.from_bytes(os.urandom(8)))
        self._sender = Sender(
            database, places(plan), vault=Vault(os.environ), clock=lambda: self._now, rng=rng
        )

        def look(memory: Memory, at: float) -> tuple[Memory, Evaluation]:
            return evaluate(rules, memory, source, at, generator=generator)

        self._runner = Runner(
            look, plan, database, self._sender, every=every, clock=lambda: self._now, watch=self._count
        )
        # Nothing is known yet at the very beginning.
        self._runner.skip()

    def add(self, told: Slice) -> None:
        """Take in an interval, and do what is due at its end."""
        self._now = self._began + told.at_us / 1e6
        self._source.add(self._metrics.points(), self._now)
        self._runner.turn()
        self._sender.collect(0.0)

    def again(self, told: Slice) -> None:
        """Take in an interval over which an earlier process has evaluated the rules."""
        self._now = self._began + told.at_us / 1e6
        self._source.add(self._metrics.points(), self._now)
        self._runner.skip()

    def close(self) -> None:
        """Wait for the attempts under way."""
        self._sender.close()

    def _count(self, told: Told) -> None:
        if told.evaluation is not None:
            self.transitions += len(told.evaluation.transitions)


@contextmanager
def live_alerts(
    store: Store, metrics: LiveMetrics, *, run_id: int, rules: Path, to: Path | None
) -> Iterator[LiveAlerts]:
    """Evaluate a file of rules over a live run.

    The alerts of each run are kept in a file of their own, since their time is the run's.

    Args:
        store: the lake, in whose folder alerts are kept.
        metrics: of the run.
        run_id: number of the run.
        rules: the file of rules.
        to: the document that says whom to tell; alerts are only kept by default.

    Raises:
        DocumentError: a file holds what is not allowed.
        InputError: another process sends from the same file already.
        StoreError: the state cannot be used.
    """
    loaded = load_rules(rules)
    plan = NOBODY if to is None else load_plan(to)
    longest = max([LOOK_BACK, *(rule.condition.longest_window() for rule in loaded.every_rule)])
    file = alerts_file(store, run_id)
    with ExitStack() as stack:
        stack.enter_context(only_sender(file))
        database = Database(file)
        stack.callback(database.close)
        source = Courses(store_query(store), longest)
        alerts = LiveAlerts(
            loaded.every_rule,
            every=loaded.interval,
            plan=plan,
            database=database,
            source=source,
            metrics=metrics,
            generator=str(rules),
        )
        stack.callback(alerts.close)
        yield alerts


def alerts_file(store: Store, run_id: int) -> Path:
    """Say which file the alerts of a live run are kept in."""
    return store.lake / "live" / f"alerts-{run_id}.sqlite"


def _began(database: Database) -> float:
    """Give the time of day at which simulated time is 0, seconds: when the run's alerts were first kept."""
    remembered = Remembered(database)
    kept = remembered.load(_LIVE).get("began")
    if kept is None:
        kept = time.time()
        remembered.save(_LIVE, {"began": kept})
    return float(kept)


def check_files(rules: Path | None, to: Path | None) -> None:
    """Refuse files that cannot be used, before a run begins.

    Raises:
        DocumentError: a file holds what is not allowed.
        InputError: somebody is to be told, but of no rules.
    """
    if rules is not None:
        load_rules(rules)
    if to is not None:
        if rules is None:
            raise InputError("to: given receivers without rules; allowed: with --rules")
        load_plan(to)
