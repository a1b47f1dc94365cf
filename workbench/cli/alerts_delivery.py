"""Commands that deliver alerts: real time, tests, and what people do by hand."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import AsJson, Lake, settings
from workbench.cli.output import display
from workbench.errors import InputError, WorkbenchError

if TYPE_CHECKING:
    from workbench.alerts.runner import Told

app = typer.Typer()

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

PlanFile = Annotated[
    Path, typer.Argument(help="Whom to tell: a YAML file of receivers.", metavar="RECEIVERS")
]
State = Annotated[
    Path | None,
    typer.Option("--state", help="File of the alerts' state; alerts.sqlite in the lake's folder."),
]
Alert = Annotated[
    str, typer.Argument(help="An alert's name, or how its fingerprint begins.", metavar="ALERT")
]
Author = Annotated[str | None, typer.Option("--by", help="Who says so; the user of the system by default.")]
Comment = Annotated[str, typer.Option("--comment", "-c", help="Why.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many, the newest.")]


@app.command()
def run(
    rules: Annotated[list[Path], typer.Argument(help="Files of rules.", metavar="RULES...")],
    to: Annotated[Path, typer.Option("--to", help="Whom to tell: a YAML file of receivers.")],
    prometheus: Annotated[
        str | None, typer.Option(help="Address of the Prometheus that has the series.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--for", help="How long, such as 1h; without end by default.")
    ] = None,
    state: State = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate rules in real time and tell receivers, until it is stopped."""
    from workbench import workflows

    with _stopped_by_signals() as stop:
        view = workflows.run_alerts(
            rules,
            to,
            prometheus=prometheus,
            settings=settings(lake),
            state=state,
            seconds=None if duration is None else _seconds("for", duration),
            stop=stop,
            started=lambda line: typer.echo(line, err=True),
            watch=_say,
        )
    display(view, as_json)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C and the request to end set, so that attempts under way are finished."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(told: Told) -> None:
    """Say on standard error what happens, a line each."""
    from workbench.alerts.messages import timestamp

    if told.evaluation is None:
        return
    at = timestamp(told.evaluation.at)[:19]
    for change in told.evaluation.transitions:
        alert = change.instance
        typer.echo(f"{at} {alert.state} {alert.labels}", err=True)
    for failure in told.failures:
        typer.echo(f"{at} {failure.alert} {failure.kind} {failure.detail}".rstrip(), err=True)


@app.command(name="test")
def try_channels(
    plan: PlanFile,
    labels: Annotated[
        list[str] | None, typer.Argument(help="Labels of an alert, whose receivers are tried: severity=page.")
    ] = None,
    receiver: Annotated[
        list[str] | None, typer.Option("--receiver", "-r", help="Try this receiver; once for each.")
    ] = None,
    attempts: Annotated[int, typer.Option(min=1, max=10, help="At most so many of each channel.")] = 3,
    state: State = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Send a marked test through the real channels, and report each attempt."""
    from workbench import workflows

    view = workflows.try_channels(
        plan,
        receivers=receiver or [],
        labels=_labels(labels or []),
        attempts=attempts,
        settings=settings(lake),
        state=state,
    )
    display(view, as_json)
    if not view.passed:
        raise typer.Exit(WorkbenchError.exit_code)


@app.command()
def receivers(
    plan: PlanFile,
    labels: Annotated[
        list[str] | None, typer.Argument(help="Labels of an alert, for whom it reaches: severity=page.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a file of receivers, and show whom an alert would reach, and when."""
    from workbench import workflows

    display(workflows.show_receivers(plan, labels=_labels(labels or [])), as_json)


@app.command()
def active(state: State = None, lake: Lake = None, as_json: AsJson = False) -> None:
    """Show the alerts that are pending, fire, or have resolved lately."""
    from workbench import workflows

    display(workflows.active_alerts(settings=settings(lake), state=state), as_json)


@app.command()
def ack(
    alert: Alert,
    by: Author = None,
    comment: Comment = "",
    state: State = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Acknowledge alerts that fire: they are neither escalated nor repeated."""
    from workbench import workflows

    view = workflows.mark_alerts(
        alert, "acknowledged", author=by, comment=comment, settings=settings(lake), state=state
    )
    display(view, as_json)


@app.command()
def resolve(
    alert: Alert,
    by: Author = None,
    comment: Comment = "",
    state: State = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Resolve alerts by hand: they count as over until they fire anew."""
    from workbench import workflows

    view = workflows.mark_alerts(
        alert, "resolved", author=by, comment=comment, settings=settings(lake), state=state
    )
    display(view, as_json)


@app.command()
def silence(
    matchers: Annotated[
        list[str], typer.Argument(help="Conditions that all must hold: severity=ticket pool=~'web|api'.")
    ],
    duration: Annotated[str, typer.Option("--for", help="How long, such as 2h.")],
    starts_in: Annotated[str, typer.Option("--in", help="How long from now it begins.")] = "0s",
    by: Author = None,
    comment: Comment = "",
    state: State = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Tell nobody of alerts that match, for a while."""
    from workbench import workflows

    view = workflows.silence_alerts(
        matchers,
        seconds=_seconds("for", duration),
        starts_in=_seconds("in", starts_in),
        author=by,
        comment=comment,
        settings=settings(lake),
        state=state,
    )
    display(view, as_json)


@app.command()
def silences(state: State = None, lake: Lake = None, as_json: AsJson = False) -> None:
    """List the silences that last or will."""
    from workbench import workflows

    display(workflows.list_silences(settings=settings(lake), state=state), as_json)


@app.command()
def unsilence(
    silence_id: Annotated[int, typer.Argument(help="Its number, as `workbench alerts silences` lists it.")],
    state: State = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """End a silence now."""
    from workbench import workflows

    display(workflows.end_silence(silence_id, settings=settings(lake), state=state), as_json)


@app.command()
def history(
    alert: Annotated[
        str | None, typer.Argument(help="Only this alert: its name, or how its fingerprint begins.")
    ] = None,
    limit: Limit = 50,
    export: Annotated[Path | None, typer.Option(help="Also write all of it to this CSV file.")] = None,
    state: State = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show what happened to alerts, who was told or not and why, and every attempt to deliver."""
    from workbench import workflows

    view = workflows.alert_history(alert, limit=limit, export=export, settings=settings(lake), state=state)
    display(view, as_json)


@app.command()
def outbox(
    only: Annotated[str | None, typer.Option("--only", help="Only those waiting, delivered or dead.")] = None,
    limit: Limit = 50,
    state: State = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show the messages that wait, were delivered or are dead."""
    from workbench import workflows

    if only not in (None, "waiting", "delivered", "dead"):
        raise InputError(f"only: given {only!r}; allowed: waiting, delivered, dead")
    display(workflows.list_letters(only=only, limit=limit, settings=settings(lake), state=state), as_json)


@app.command(name="dead-letters")
def dead_letters(
    numbers: Annotated[list[int] | None, typer.Argument(help="With --send-again: only these.")] = None,
    again: Annotated[bool, typer.Option("--send-again", help="Let them be sent again.")] = False,
    limit: Limit = 50,
    state: State = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show the messages that are given up, and send them again."""
    from workbench import workflows

    if numbers and not again:
        raise InputError("dead-letters: given numbers alone; allowed: with --send-again")
    view = workflows.list_letters(
        only="dead",
        limit=limit,
        send_again=(numbers or []) if again else None,
        settings=settings(lake),
        state=state,
    )
    display(view, as_json)


def _seconds(what: str, text: str) -> float:
    from workbench.quantities import parse_duration

    try:
        return parse_duration(text)
    except ValueError:
        raise InputError(f"{what}: given {text!r}; allowed: a duration such as 15min or 2h") from None


def _labels(pairs: list[str]) -> dict[str, str]:
    labels = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.isidentifier() or not value:
            raise InputError(f"labels: given {pair!r}; allowed: a name and a value, such as severity=page")
        labels[name] = value.strip('"')
    return labels
