"""Commands about sweeps: many simulations that answer one question."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, File, Lake, MeasureName, Strategies, settings
from workbench.cli.output import display, progress

app = typer.Typer()

SweepFile = Annotated[Path, typer.Argument(help="A sweep: a YAML file.", metavar="FILE")]
On = Annotated[
    str | None, typer.Option("--on", help="What simulates: processes, serial, dask, or dask://HOST:PORT.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", "-w", min=1, help="Cells at once; one a processor by default.")
]
Count = Annotated[int | None, typer.Option("--replications", "-n", help="In place of the sweep's own.")]


@app.command()
def sweep(
    file: SweepFile,
    on: On = None,
    workers: Workers = None,
    replications: Count = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be run.")] = False,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Simulate what is missing of a sweep, and answer its question."""
    from workbench import workflows

    given = settings(lake)
    if dry_run:
        plan = workflows.plan_sweep(file, on=on, workers=workers, replications=replications, settings=given)
        display(plan, as_json)
        return
    with progress(as_json, file.stem) as report:
        view = workflows.sweep(
            file,
            on=on,
            workers=workers,
            replications=replications,
            settings=given,
            announce=None if as_json else lambda plan: typer.echo(plan.line(), err=True),
            report=report,
        )
    display(view, as_json)


@app.command()
def report(
    name: Annotated[str, typer.Argument(help="A sweep: its name, or its file.", metavar="SWEEP")],
    out: Annotated[Path | None, typer.Option(help="Where to; SWEEP.html in this folder by default.")] = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Write a sweep's question, answer, plots and manifest as one HTML file."""
    from workbench import workflows

    display(workflows.report_sweep(name, file=out, settings=settings(lake)), as_json)


@app.command()
def verify(
    name: Annotated[str, typer.Argument(help="A run's number, or a sweep's name.", metavar="RUN")],
    sample: Annotated[int, typer.Option(min=1, help="Cells of a sweep that are made again.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw of these cells.")] = 1,
    engine: Annotated[str | None, typer.Option(help="What makes them again; as before by default.")] = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a run, or some cells of a sweep, again and compare bytes; exit code 3 if they differ."""
    from workbench import workflows

    view = workflows.verify_run(name, sample=sample, seed=seed, engine=engine, settings=settings(lake))
    display(view, as_json)
    if not view.is_same:
        raise typer.Exit(3)


@app.command()
def robustness(
    file: File,
    strategy: Strategies = None,
    measure: MeasureName = None,
    replications: Count = None,
    dial: Annotated[
        list[str] | None, typer.Option("--dial", help="What is turned, such as load; once for each.")
    ] = None,
    over: Annotated[
        str | None, typer.Option("--map", help="Two dials to map, such as load,slow_share.")
    ] = None,
    on: On = None,
    workers: Workers = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Find the smallest change of circumstances at which another strategy is better."""
    from workbench import workflows

    with progress(as_json, file.stem) as report:
        view = workflows.robustness(
            file,
            strategies=strategy,
            measure=measure or "response_p99",
            replications=5 if replications is None else replications,
            dials=dial,
            over=None if over is None else over.split(","),
            on=on,
            workers=workers,
            settings=settings(lake),
            announce=None if as_json else lambda plan: typer.echo(f"{plan.name}: {plan.line()}", err=True),
            report=report,
        )
    display(view, as_json)


@app.command()
def sweeps(
    name: Annotated[
        str | None, typer.Argument(help="Show this one: its name, or its file.", metavar="[SWEEP]")
    ] = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """List the sweeps of the store, the newest first, or show one."""
    from workbench import workflows

    given = settings(lake)
    view = (
        workflows.list_sweeps(settings=given) if name is None else workflows.show_sweep(name, settings=given)
    )
    display(view, as_json)
