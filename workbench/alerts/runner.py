"""Alerts in real time: evaluate, decide, send, and go on where an earlier process ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workbench.alerts.audit import Audit, Event
from workbench.alerts.database import Database
from workbench.alerts.deadman import BEAT, GROUP, beat_reason, beats
from workbench.alerts.evaluation import Memory
from workbench.alerts.instances import Evaluation, Transition
from workbench.alerts.outbox import Outbox
from workbench.alerts.pipeline import Pipeline
from workbench.alerts.receivers import Plan
from workbench.alerts.remembering import Remembered
from workbench.alerts.sending import Sender
from workbench.alerts.silences import Hands
from workbench.errors import InputError

LOOK = 1.0
"""Longest time until it looks again at what people have done meanwhile, seconds."""

KEEP_DELIVERED = 30 * 86_400.0
"""How long letters that were delivered are kept, seconds; the audit keeps their attempts."""

_EVALUATION, _GROUPS, _RUNNER = "evaluation", "groups", "runner"
_PATIENCE = 3.0
"""Intervals without an evaluation after which the dead man's switch stays silent."""

Evaluate = Callable[[Memory, float], tuple[Memory, Evaluation]]


class Told(NamedTuple):
    """What a turn of the loop did, for whoever watches."""

    evaluation: Evaluation | None
    messages: int
    failures: Sequence[Event] = ()
    """Rules that newly cannot be evaluated, and those that can be again."""


class Runner:
    """The loop of `workbench alerts run`.

    What an evaluation says, what is decided and what is put into the outbox are committed together, so
    that a process that is killed at any instant has done all of it or nothing.

    Args:
        evaluate: evaluates the rules at a time, given what it remembered.
        plan: whom to tell.
        database: where everything is kept.
        sender: sends what the outbox holds.
        every: time between two evaluations, seconds.
        clock: time of day, in seconds.
        watch: told of each turn in which something happened.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        plan: Plan,
        database: Database,
        sender: Sender,
        *,
        every: float,
        clock: Callable[[], float],
        watch: Callable[[Told], None] = lambda _: None,
    ) -> None:
        self._evaluate, self._plan, self._sender = evaluate, plan, sender
        self._every, self._clock, self._watch = every, clock, watch
        self._database, self._remembered = database, Remembered(database)
        self._audit, self._outbox, self._hands = Audit(database), Outbox(database), Hands(database)
        self._memory = remembered_memory(self._remembered, database.file)
        self._pipeline = Pipeline(plan, self._remembered.load(_GROUPS))
        kept = self._remembered.load(_RUNNER)
        self._last_beat: float | None = kept.get("last_beat")
        self._evaluated: float | None = None
        self._failing: dict[str, str] = {}
        self._news: list[Event] = []
        self._next = clock()
        self._cleaned = 0.0

    @property
    def lost(self) -> Sequence[str]:
        """Groups of an earlier process whose route the plan no longer has."""
        return self._pipeline.lost

    def run(self, stop: threading.Event, *, until: float | None = None) -> None:
        """Go on until it is told to stop, or a time comes; end the attempts that are under way."""
        try:
            while not stop.is_set() and (until is None or self._clock() < until):
                wait = self.turn()
                if until is not None:
                    wait = min(wait, max(0.0, until - self._clock()))
                if self._sender.busy:
                    self._sender.collect(min(wait, LOOK))
                else:
                    stop.wait(wait)
        finally:
            self._sender.close()

    def turn(self) -> float:
        """Do what is due, and say how long nothing else is, seconds."""
        now = self._clock()
        if self._next - now > self._every:  # the system's clock was put back
            self._next = now
        evaluation = None
        if now >= self._next:
            # On the grid, so that a rule's `for` is not missed by the millisecond that a turn takes.
            latest = self._next + self._every * ((now - self._next) // self._every)
            memory, evaluation = self._evaluate(self._memory, latest)
            self._next = latest + self._every
            told = self._decide(now, memory, evaluation)
            self._memory = memory
        elif (at := self._pipeline.next_at()) is not None and at <= now:
            told = self._decide(now, None, None)
        else:
            told = 0
        told += self._beat(now)
        if evaluation is not None or told:
            self._watch(Told(evaluation, told, self._news if evaluation is not None else ()))
        self._sender.start()
        self._clean(now)
        times = [self._next, self._pipeline.next_at(), self._sender.next_at(), now + LOOK]
        return max(0.0, min(time for time in times if time is not None) - self._clock())

    def skip(self) -> None:
        """Leave out what would have been evaluated until now: an earlier process has done it."""
        while self._next <= self._clock():
            self._next += self._every

    def _decide(self, now: float, memory: Memory | None, evaluation: Evaluation | None) -> int:
        by_hand = self._hands.all(now=now)
        with self._database.writing():
            if evaluation is not None and memory is not None:
                self._pipeline.receive(evaluation.instances, now=evaluation.at, by_hand=by_hand)
                self._audit.note([_changed(change) for change in evaluation.transitions])
                self._news = self._failures(evaluation)
                self._audit.note(self._news)
                self._remembered.save(_EVALUATION, {"memory": memory.to_json()})
            step = self._pipeline.advance(now=now, by_hand=by_hand)
            self._outbox.put(step.messages, now=now)
            self._audit.note(step.events)
            self._remembered.save(_GROUPS, self._pipeline.changes())
        return len(step.messages)

    def _failures(self, evaluation: Evaluation) -> list[Event]:
        """Say which rules cannot be evaluated, once, and which can be again."""
        failing = {one.rule: one.reason for one in evaluation.failures}
        events = [
            Event(evaluation.at, "failed", rule, "", "", " ".join(reason.split()))
            for rule, reason in failing.items()
            if self._failing.get(rule) != reason
        ]
        events += [
            Event(evaluation.at, "evaluated again", rule, "", "", "")
            for rule in self._failing.keys() - failing.keys()
        ]
        self._failing = failing
        if not failing:
            self._evaluated = evaluation.at
        return events

    def _beat(self, now: float) -> int:
        switch = self._plan.dead_mans_switch
        if switch is None:
            return 0
        waiting = any(
            self._outbox.waiting(place, group_key=GROUP)
            for place in self._outbox.places()
            if place.receiver == switch.receiver
        )
        reason = beat_reason(
            every=switch.every,
            last=self._last_beat,
            evaluated=self._evaluated,
            patience=_PATIENCE * self._every,
            waiting=waiting,
            now=now,
        )
        if reason != BEAT:
            return 0
        messages = beats(self._plan, now=now)
        with self._database.writing():
            self._outbox.put(messages, now=now)
            self._remembered.save(_RUNNER, {"last_beat": now})
        self._last_beat = now
        return len(messages)

    def _clean(self, now: float) -> None:
        if now - self._cleaned >= 86_400.0:
            self._outbox.forget_delivered(before=now - KEEP_DELIVERED)
            self._cleaned = now


def remembered_memory(remembered: Remembered, file: Path) -> Memory:
    """Return what the last evaluation remembered.

    Raises:
        InputError: it is not what this version writes; the message names the file.
    """
    kept: Any = remembered.load(_EVALUATION).get("memory")
    if kept is None:
        return Memory()
    try:
        return Memory.from_json(kept)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def _changed(change: Transition) -> Event:
    alert = change.instance
    detail = f"{alert.labels}, value {alert.value:g}, was {change.before}"
    return Event(change.at, str(alert.state), alert.rule, alert.fingerprint, "", detail)
