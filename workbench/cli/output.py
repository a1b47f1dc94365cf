"""How results and progress reach a terminal, a file or a pipe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from workbench.workflows import View

_WIDTH = 120
"""Columns of a table that goes to a file or a pipe."""

_PROSE = 32
"""Characters beyond which a cell is prose, which may be broken into lines."""


def display(view: View, as_json: bool) -> None:
    """Print a result as a table with its title and remarks, or as JSON."""
    if as_json:
        typer.echo(view.model_dump_json())
        return
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDTH
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    rows = view.rows()
    for place, column in enumerate(view.columns()):
        prose = max((len(row[place]) for row in rows), default=0) > _PROSE
        table.add_column(column, justify="left" if place == 0 or prose else "right", no_wrap=not prose)
    console.print(view.title(), style="bold", soft_wrap=not console.is_terminal)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for remark in view.remarks():
        console.print(remark, soft_wrap=not console.is_terminal)
    console.print()


def warn(sentences: list[str], as_json: bool) -> None:
    """Say on standard error, before anything runs, what speaks against it; JSON has it in its notes."""
    for sentence in [] if as_json else sentences:
        typer.echo(f"warning: {sentence}", err=True)


@contextmanager
def progress(as_json: bool, title: str) -> Iterator[Callable[[float, float | None], None]]:
    """Show progress with the time that is left on a terminal's standard error.

    The file that WORKBENCH_PROGRESS names is told of it too, for who started the command as a job.
    """
    note = _noted(os.environ.get("WORKBENCH_PROGRESS"))
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=as_json or not console.is_terminal
    ) as bars:
        task = bars.add_task(title, total=None, count="")

        def report(done: float, total: float | None) -> None:
            bars.update(task, completed=done, total=total, count=f"{done:,.0f} requests")
            note(done, total)

        yield report


def _noted(file: str | None) -> Callable[[float, float | None], None]:
    if not file:
        return lambda done, total: None
    from workbench.workflows.jobs import note_progress

    return note_progress(Path(file))
