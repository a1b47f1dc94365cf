"""Commands that watch real systems, and show the metrics of what is stored."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, Lake, settings
from workbench.cli.output import display
from workbench.errors import InputError, TargetError

app = typer.Typer()

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@app.command()
def collect(
    config: Annotated[Path, typer.Argument(help="What to watch: a YAML file.", metavar="CONFIG")],
    duration: Annotated[
        str | None, typer.Option("--for", help="How long, such as 1h; without end by default.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Look once at each target and show what it tells; store nothing.")
    ] = False,
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve /metrics there meanwhile; 0 finds a free port.")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="The address to serve on.")] = "127.0.0.1",
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Watch real systems, and store their queues and counts as a run, until it is stopped."""
    from workbench import workflows

    if once:
        looks = workflows.look_once(config)
        display(looks, as_json)
        if looks.unreachable:
            raise typer.Exit(TargetError.exit_code)
        return
    with _stopped_by_signals() as stop:
        view = workflows.collect(
            config,
            seconds=None if duration is None else _seconds("for", duration),
            metrics_port=metrics_port,
            metrics_host=metrics_host,
            settings=settings(lake),
            stop=stop,
            say=lambda line: typer.echo(line, err=True),
        )
    display(view, as_json)


@app.command()
def metrics(
    run: Annotated[
        int | None, typer.Argument(help="The run's number; the newest complete one by default.")
    ] = None,
    text: Annotated[
        bool, typer.Option("--text", help="As a Prometheus would scrape it at the end of the run.")
    ] = False,
    openmetrics: Annotated[
        Path | None,
        typer.Option(help="Write every sample there, for `promtool tsdb create-blocks-from openmetrics`."),
    ] = None,
    definitions: Annotated[
        bool, typer.Option("--definitions", help="Show how each metric is defined instead.")
    ] = False,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show the queue metrics of a run of the store: simulated, live or collected."""
    from workbench import workflows

    if definitions:
        typer.echo(workflows.metric_definitions(), nl=False)
    elif text:
        typer.echo(workflows.metrics_text(run, settings=settings(lake)), nl=False)
    elif openmetrics is not None:
        display(workflows.write_openmetrics(openmetrics, run, settings=settings(lake)), as_json)
    else:
        display(workflows.show_metrics(run, settings=settings(lake)), as_json)


@app.command(name="roll-up")
def roll_up(
    rules: Annotated[
        list[str],
        typer.Argument(help="From which age on which step: 1d=1min 30d=10min.", metavar="AGE=STEP..."),
    ],
    run: Annotated[list[int] | None, typer.Option(help="Only this run; once for each.")] = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Bring old samples together at coarser steps; every count is kept."""
    from workbench import workflows

    pairs = [_pair(text) for text in rules]
    display(workflows.roll_up_samples(pairs, run_ids=run or [], settings=settings(lake)), as_json)


def _pair(text: str) -> tuple[float, float]:
    age, sign, step = text.partition("=")
    if not sign:
        raise InputError(f"roll-up: given {text!r}; allowed: an age and a step, such as 1d=1min")
    return _seconds("age", age), _seconds("step", step)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C and the request to end set, so that what is known is stored."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _seconds(what: str, text: str) -> float:
    from workbench.quantities import parse_duration

    try:
        return parse_duration(text)
    except ValueError:
        raise InputError(f"{what}: given {text!r}; allowed: a duration such as 15min or 2h") from None
