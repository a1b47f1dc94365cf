"""Alerts by hand: what there is, silences, acknowledgements, history, and the outbox."""

from __future__ import annotations

import csv
import getpass
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from workbench.alerts.audit import Audit, Event
from workbench.alerts.database import Database
from workbench.alerts.deadman import GROUP
from workbench.alerts.evaluation import Memory
from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.matchers import Matcher, parse_matcher
from workbench.alerts.messages import resolved_at
from workbench.alerts.outbox import Letter, Outbox
from workbench.alerts.remembering import Remembered
from workbench.alerts.runner import remembered_memory
from workbench.alerts.silences import Hands, Mark, Silence
from workbench.alerts.stages import episode
from workbench.errors import InputError, NotFoundError
from workbench.settings import Settings
from workbench.workflows.handling_views import (
    AlertHistoryView,
    AlertLine,
    AlertsView,
    EventView,
    LettersView,
    LetterView,
    MarkedView,
    SilencesView,
    SilenceView,
)
from workbench.workflows.notifying import state_file
from workbench.workflows.trying import attempt_view

_ALL = -1
"""A limit that is none."""


def active_alerts(*, settings: Settings | None = None, state: Path | None = None) -> AlertsView:
    """Show the alerts that are pending, fire, or have resolved within the last 15 minutes.

    Raises:
        NotFoundError: no alerts were run yet.
    """
    now = time.time()
    with _opened(state, settings) as database:
        hands = Hands(database)
        marks = {(mark.fingerprint, mark.active_at, mark.kind): mark for mark in hands.marks()}
        silences = hands.silences(at=now)
        lines = [_line(alert, marks, silences, now) for alert in _alerts(database)]
        return AlertsView(state=str(database.file), now=now, alerts=lines)


def mark_alerts(
    alert: str,
    kind: str,
    *,
    author: str | None = None,
    comment: str = "",
    settings: Settings | None = None,
    state: Path | None = None,
) -> MarkedView:
    """Acknowledge alerts that fire, or resolve them by hand.

    Args:
        alert: an `alertname`, or the beginning of a fingerprint.
        kind: `acknowledged` or `resolved`.
        author: who says so; the user of the system by default.
        comment: why.
        settings: where the state lies by default.
        state: the file that everything is kept in.

    Raises:
        NotFoundError: no such alert fires.
    """
    now, who = time.time(), author or getpass.getuser()
    with _opened(state, settings) as database:
        firing = [one for one in _alerts(database) if one.state is State.FIRING]
        found = [one for one in firing if one.rule == alert or one.fingerprint.startswith(alert)]
        if not found or not alert:
            there = ", ".join(sorted({one.rule for one in firing})) or "none fires"
            raise NotFoundError(f"alert: given {alert!r}; allowed: one that fires: {there}")
        hands, audit = Hands(database), Audit(database)
        with database.writing():
            new = [
                one for one in found if hands.mark(episode(one), kind, at=now, author=who, comment=comment)
            ]
            audit.note([_said(one, kind, who, comment, now) for one in new])
        labels = {one.fingerprint: str(one.labels) for one in found}
        return MarkedView(kind=kind, alerts=labels, already=len(found) - len(new))


def silence_alerts(
    matchers: Sequence[str],
    *,
    seconds: float,
    starts_in: float = 0.0,
    author: str | None = None,
    comment: str = "",
    settings: Settings | None = None,
    state: Path | None = None,
) -> SilencesView:
    """Tell nobody of alerts that match, for a while.

    Args:
        matchers: such as `severity="ticket"`; all must hold.
        seconds: how long.
        starts_in: seconds from now.
        author: who says so; the user of the system by default.
        comment: why.
        settings: where the state lies by default.
        state: the file that everything is kept in; it is made where it is missing.

    Raises:
        InputError: a matcher cannot be read, or all of them hold for anything.
    """
    conditions = [_matcher(text) for text in matchers]
    now, who = time.time(), author or getpass.getuser()
    database = Database(state_file(state, settings))
    try:
        with database.writing():
            made = Hands(database).silence(
                conditions,
                starts_at=now + starts_in,
                ends_at=now + starts_in + seconds,
                author=who,
                comment=comment,
            )
            detail = f"silence {made.silence_id} by {who} of {' '.join(map(str, conditions))}"
            detail += f": {comment}" if comment else ""
            Audit(database).note([Event(now, "silenced", "", "", "", detail)])
        return SilencesView(now=now, silences=[_silence_view(made)])
    finally:
        database.close()


def list_silences(*, settings: Settings | None = None, state: Path | None = None) -> SilencesView:
    """List the silences that last or will.

    Raises:
        NotFoundError: no alerts were run yet.
    """
    now = time.time()
    with _opened(state, settings) as database:
        found = [_silence_view(one) for one in Hands(database).silences(at=now)]
        return SilencesView(now=now, silences=found)


def end_silence(
    silence_id: int, *, settings: Settings | None = None, state: Path | None = None
) -> SilencesView:
    """End a silence now.

    Raises:
        NotFoundError: there is no such silence that lasts or will.
    """
    now = time.time()
    with _opened(state, settings) as database:
        with database.writing():
            ended = Hands(database).expire(silence_id, now=now)
            who = getpass.getuser()
            Audit(database).note([Event(now, "silence ended", "", "", "", f"silence {silence_id} by {who}")])
        return SilencesView(now=now, silences=[_silence_view(ended).model_copy(update={"ends_at": now})])


def alert_history(
    alert: str | None = None,
    *,
    limit: int = 100,
    export: Path | None = None,
    settings: Settings | None = None,
    state: Path | None = None,
) -> AlertHistoryView:
    """Show what happened, newest first, and every attempt to deliver.

    Args:
        alert: only this: an `alertname`, or the beginning of a fingerprint; without it also the attempts.
        limit: most events, and most attempts, that are shown; of the dead man's switch only those in vain.
        export: a CSV file to write all of them to.
        settings: where the state lies by default.
        state: the file that everything is kept in.

    Raises:
        NotFoundError: no alerts were run yet.
        InputError: the file cannot be written.
    """
    with _opened(state, settings) as database:
        view = _history(Audit(database), alert, limit)
        if export is not None:
            _write_csv(export, _history(Audit(database), alert, _ALL))
    return view


def _history(audit: Audit, alert: str | None, limit: int) -> AlertHistoryView:
    events = [EventView(**asdict(one)) for one in audit.events(alert=alert, limit=limit)]
    beats = None if limit == _ALL else GROUP
    made = audit.attempts(but_for=beats, limit=limit) if alert is None else []
    attempts = [attempt_view(one) for one in made]
    return AlertHistoryView(alert=alert, events=events, attempts=attempts)


def list_letters(
    *,
    only: str | None = None,
    limit: int = 100,
    send_again: Sequence[int] | None = None,
    settings: Settings | None = None,
    state: Path | None = None,
) -> LettersView:
    """Show the outbox, and send dead letters again.

    Args:
        only: `waiting`, `delivered` or `dead`.
        limit: at most so many, the newest.
        send_again: numbers of dead letters to send again; empty: all of them.
        settings: where the state lies by default.
        state: the file that everything is kept in.

    Raises:
        NotFoundError: no alerts were run yet, or there is no such dead letter.
    """
    now = time.time()
    with _opened(state, settings) as database:
        outbox, again = Outbox(database), 0
        if send_again is not None:
            again = outbox.send_again(send_again or None, now=now)
        return LettersView(
            state=str(database.file),
            now=now,
            counts=outbox.counts(),
            letters=[_letter_view(one) for one in outbox.listed(state=only, limit=limit)],
            sent_again=again,
        )


@contextmanager
def _opened(given: Path | None, settings: Settings | None) -> Iterator[Database]:
    file = state_file(given, settings)
    if not file.exists():
        raise NotFoundError(f"{file}: there is no such file; `workbench alerts run` makes it")
    database = Database(file)
    try:
        yield database
    finally:
        database.close()


def _alerts(database: Database) -> list[AlertInstance]:
    memory: Memory = remembered_memory(Remembered(database), database.file)
    over = Hands(database).all(now=time.time()).resolved
    alerts = [one.alert for alerts in memory.alerts.values() for one in alerts.values()]
    alerts = [resolved_at(one, over[episode(one)]) if episode(one) in over else one for one in alerts]
    return sorted(alerts, key=lambda one: (str(one.state), one.labels))


def _line(
    alert: AlertInstance,
    marks: dict[tuple[str, float, str], Mark],
    silences: Sequence[Silence],
    now: float,
) -> AlertLine:
    def author(kind: str) -> str | None:
        mark = marks.get((*episode(alert), kind))
        return mark.author if mark else None

    return AlertLine(
        fingerprint=alert.fingerprint,
        alertname=alert.rule,
        severity=alert.severity,
        labels=dict(alert.labels),
        state=str(alert.state),
        active_at=alert.active_at,
        value=alert.value,
        acknowledged_by=author("acknowledged"),
        silenced_by=next((one.silence_id for one in silences if one.covers(alert, now)), None),
        resolved_by=author("resolved"),
    )


def _said(alert: AlertInstance, kind: str, who: str, comment: str, now: float) -> Event:
    detail = f"by {who}" + (f": {comment}" if comment else "")
    return Event(
        now, f"{kind} by hand" if kind == "resolved" else kind, alert.rule, alert.fingerprint, "", detail
    )


def _matcher(text: str) -> Matcher:
    try:
        return parse_matcher(text)
    except ValueError as error:
        raise InputError(f"matcher: given {text!r}; allowed: {error}") from None


def _silence_view(one: Silence) -> SilenceView:
    matchers = [str(matcher) for matcher in one.matchers]
    return SilenceView(**{**vars(one), "matchers": matchers})


def _letter_view(one: Letter) -> LetterView:
    return LetterView(
        letter_id=one.letter_id,
        key=one.key,
        receiver=one.message.receiver,
        channel=one.message.channel,
        group_key=one.message.group_key,
        status=one.message.status,
        alerts=len(one.message.alerts),
        created=one.created,
        due=one.due,
        attempts=one.attempts,
        state=one.state,
        reason=one.reason,
    )


def _write_csv(file: Path, view: AlertHistoryView) -> None:
    names = [
        "at",
        "kind",
        "alert",
        "fingerprint",
        "receiver",
        "detail",
        "channel",
        "address",
        "key",
        "number",
        "status",
    ]
    rows = [one.model_dump() for one in view.events]
    rows += [{**one.model_dump(), "at": one.started, "kind": one.verdict} for one in view.attempts]
    try:
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(sorted(rows, key=lambda row: row["at"]))
    except OSError as error:
        raise InputError(f"{file}: given a file that cannot be written ({error.strerror})") from None
