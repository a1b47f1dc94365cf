"""Commands for live runs: start one, tell it something, look at it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from workbench.cli.options import AsJson, File, Lake, OneStrategy, Records, Seed, settings
from workbench.cli.output import display
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.workflows import CommandsView

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _StartsByDefault(TyperGroup):
    """A group in which what is no command's name is the scenario of a run to start."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `start` before what is neither a command nor a question for help."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["start", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_StartsByDefault,
    help="Live runs: `workbench live SCENARIO --speed 10` starts one; the commands below tell it something.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

RunId = Annotated[int, typer.Argument(help="The run's number, as `workbench live list` says.", metavar="RUN")]
Author = Annotated[str | None, typer.Option("--by", help="Who says so; the user of the system by default.")]
Rules = Annotated[Path | None, typer.Option(help="File of alert rules, evaluated in simulated time.")]
To = Annotated[
    Path | None, typer.Option(help="Whom to tell of alerts: a YAML file of receivers; nobody by default.")
]
MetricsPort = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Serve /metrics for a Prometheus on this port; 0 takes a free one."),
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why.")]
Wait = Annotated[str, typer.Option(help="How long to wait until it is obeyed.")]


@app.command()
def start(
    file: File,
    speed: Annotated[
        str, typer.Option(help="Simulated seconds in a second, or max for as fast as it goes.")
    ] = "1",
    until: Annotated[
        str | None, typer.Option(help="Simulated time at which arrivals end, such as 10min.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(help="Length of a sample interval in simulated time, such as 1s.")
    ] = None,
    strategy: OneStrategy = None,
    seed: Seed = None,
    rules: Rules = None,
    to: To = None,
    metrics_port: MetricsPort = None,
    records: Records = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Run a scenario in step with the clock until its end; `start` may be left out."""
    from workbench import workflows

    with _stopped_by_signals() as stop:
        view = workflows.live(
            file,
            speed=speed,
            until=_seconds("until", until),
            sample_every=_seconds("every", every),
            strategy=strategy,
            seed=seed,
            settings=settings(lake, records=records),
            rules=rules,
            to=to,
            metrics_port=metrics_port,
            stop=stop,
            started=lambda line: typer.echo(line, err=True),
        )
    display(view, as_json)


@app.command()
def command(
    run_id: RunId,
    words: Annotated[
        list[str],
        typer.Argument(
            help="strategy=NAME, weight 2=5, server 2 drain|ready|maint|kill|slow=3, rate 1.5, "
            "checks interval=1s,rise=2, speed 10, pause, resume, stop.",
            metavar="COMMAND...",
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="Even where it leaves no usable server.")] = False,
    by: Author = None,
    reason: Reason = "",
    wait: Wait = "10s",
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Tell a live run to do something, and say what became of it."""
    _tell(run_id, " ".join(words), force=force, by=by, reason=reason, wait=wait, lake=lake, as_json=as_json)


@app.command()
def pause(
    run_id: RunId,
    by: Author = None,
    reason: Reason = "",
    wait: Wait = "10s",
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Let a live run stand still."""
    _tell(run_id, "pause", by=by, reason=reason, wait=wait, lake=lake, as_json=as_json)


@app.command()
def stop(
    run_id: RunId,
    by: Author = None,
    reason: Reason = "",
    wait: Wait = "10s",
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """End a live run: no more requests come, those that are there are answered."""
    _tell(run_id, "stop", by=by, reason=reason, wait=wait, lake=lake, as_json=as_json)


@app.command()
def resume(
    run_id: RunId,
    rules: Rules = None,
    to: To = None,
    metrics_port: MetricsPort = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Let a paused run go on; go on, in this process, with one whose process is gone."""
    from workbench import workflows

    with _stopped_by_signals() as stopped:
        view = workflows.resume_live(
            run_id,
            settings=settings(lake),
            rules=rules,
            to=to,
            metrics_port=metrics_port,
            stop=stopped,
            started=lambda line: typer.echo(line, err=True),
        )
    display(view, as_json)


@app.command(name="list")
def list_(lake: Lake = None, as_json: AsJson = False) -> None:
    """List the live runs of the store, the newest first."""
    from workbench import workflows

    display(workflows.lives(settings=settings(lake)), as_json)


@app.command()
def show(run_id: RunId, lake: Lake = None, as_json: AsJson = False) -> None:
    """Show how a live run stands."""
    from workbench import workflows

    display(workflows.show_live(run_id, settings=settings(lake)), as_json)


@app.command()
def log(run_id: RunId, lake: Lake = None, as_json: AsJson = False) -> None:
    """List the commands that a live run was sent, with what became of each."""
    from workbench import workflows

    display(workflows.live_commands(run_id, settings=settings(lake)), as_json)


def _tell(
    run_id: int,
    text: str,
    *,
    force: bool = False,
    by: str | None,
    reason: str,
    wait: str,
    lake: Lake,
    as_json: bool,
) -> None:
    from workbench import workflows

    view: CommandsView = workflows.command(
        run_id,
        text,
        author=by,
        reason=reason,
        force=force,
        wait=_seconds("wait", wait) or 0.0,
        settings=settings(lake),
    )
    display(view, as_json)
    if view.refused:
        raise typer.Exit(InputError.exit_code)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C and the request to end set; a second one ends at once, as a crash does."""
    stop = threading.Event()
    before = {int(number): signal.getsignal(number) for number in _SIGNALS}

    def end(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, before[number])

    for number in _SIGNALS:
        signal.signal(number, end)
    try:
        yield stop
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _seconds(what: str, text: str | None) -> float | None:
    from workbench.quantities import parse_duration

    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError:
        raise InputError(f"{what}: given {text!r}; allowed: a duration such as 15min or 2h") from None
