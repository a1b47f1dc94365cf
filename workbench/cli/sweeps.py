"""Commands about sweeps: many simulations that answer one question."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, Lake, settings
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
