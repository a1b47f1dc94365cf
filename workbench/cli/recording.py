"""The command that records a run of a real proxy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson
from workbench.cli.output import display, progress

app = typer.Typer()

_REFUSED = 5
"""Exit code of a run that does not count as good, as of one that could not be made."""


@app.command()
def record(
    setup: Annotated[
        Path,
        typer.Argument(
            help="What to record: a YAML file, or TAG.meta.json of a recording to make once more.",
            metavar="SETUP",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("recordings"),
    name: Annotated[str | None, typer.Option(help="Of the files, in place of the setup's own.")] = None,
    scheduling: Annotated[
        str | None, typer.Option(help="normal, or fifo: before all ordinary processes, which needs root.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over a recording of the same name.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Record a run of the real haproxy or nginx on this machine, for `workbench replay`."""
    from workbench import workflows

    with progress(as_json, "recording") as report:
        view = workflows.record(
            setup, out=out, name=name, scheduling=scheduling, replace=replace, report=report
        )
    display(view, as_json)
    if not view.good:
        raise typer.Exit(_REFUSED)
