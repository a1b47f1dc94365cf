"""Commands about the store: reading it by SQL, and keeping it in order."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from workbench.cli.options import AsJson, Lake, settings
from workbench.cli.output import display
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.workflows import RowsView

_WIDEST = 100_000
"""Columns of a line; rows of a statement are never cut."""

app = typer.Typer()
store = typer.Typer(help="Look into the lake of results, and keep it in order.", no_args_is_help=True)
app.add_typer(store, name="store")


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="A select, describe, show or summarize; - reads it.")],
    param: Annotated[
        list[str] | None, typer.Option(help="A value of the statement's $name: name=value.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the rows to a .csv, .parquet or .arrow file.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="Most that it may run, such as 5min.")] = None,
    memory: Annotated[str | None, typer.Option(help="Most that it may take, such as 2GB.")] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Most rows that it may give.")] = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Ask the store by a SQL statement that can only read it."""
    from workbench import workflows

    text = sys.stdin.read() if statement == "-" else statement
    chosen = settings(lake, sql_time=time, sql_memory=memory, sql_rows=rows)
    table = workflows.sql(text, _parameters(param or []), form="arrow", settings=chosen)
    if output is not None:
        workflows.write_rows(table, output)
        typer.echo(f"{table.num_rows:,} rows are in {output}", err=as_json)
    else:
        view = workflows.RowsView.of(table)
        display(view, as_json) if as_json else _show_whole(view)


@store.command()
def info(lake: Lake = None, as_json: AsJson = False) -> None:
    """Show the tables, files and sizes of the lake."""
    from workbench import workflows

    display(workflows.store_info(settings=settings(lake)), as_json)


@store.command()
def compact(lake: Lake = None, as_json: AsJson = False) -> None:
    """Put small files together; others may read and write meanwhile."""
    from workbench import workflows

    display(workflows.compact_store(settings=settings(lake)), as_json)


@store.command()
def gc(
    older_than: Annotated[
        str | None, typer.Option(help="Let go of single requests from this age on, such as 30d.")
    ] = None,
    larger_than: Annotated[
        str | None, typer.Option(help="Let go of the oldest single requests above this size, such as 20GB.")
    ] = None,
    grace: Annotated[
        str | None, typer.Option(help="Leave files that nobody needs for so long; 1h by default.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Remove what nobody needs; histograms, samples and summaries always stay."""
    from workbench import workflows

    chosen = settings(lake, keep_requests=older_than, keep_size=larger_than, grace=grace)
    display(workflows.collect_store(dry=dry_run, settings=chosen), as_json)


@store.command()
def verify(
    quick: Annotated[bool, typer.Option("--quick", help="Compare sizes only; read no content.")] = False,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Find missing, damaged, extra and old files, and say how each is mended; exit code 4 on damage."""
    from workbench import workflows

    view = workflows.verify_store(content=not quick, settings=settings(lake))
    display(view, as_json)
    if not view.is_sound:
        raise typer.Exit(4)


@store.command()
def migrate(lake: Lake = None, as_json: AsJson = False) -> None:
    """Bring runs of earlier versions to the present schema."""
    from workbench import workflows

    display(workflows.migrate_store(settings=settings(lake)), as_json)


@store.command()
def export(
    file: Annotated[Path, typer.Argument(help="File that is written.", metavar="FILE")],
    run: Annotated[list[int] | None, typer.Option(help="A run; once for each. All by default.")] = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Write runs to one file that another lake imports."""
    from workbench import workflows

    display(workflows.export_store(file, run_ids=run or None, settings=settings(lake)), as_json)


@store.command(name="import")
def import_file(
    file: Annotated[Path, typer.Argument(help="What `workbench store export` wrote.", metavar="FILE")],
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Bring the runs of an exported file into the lake."""
    from workbench import workflows

    display(workflows.import_store(file, settings=settings(lake)), as_json)


@store.command()
def publish(
    full: Annotated[
        Path | None, typer.Option(help="Write everything, single requests included, to this DuckDB file.")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Build the file anew rather than extend it.")] = False,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Bring workbench.duckdb in the lake up to date, for any DuckDB tool."""
    from workbench import workflows

    display(workflows.publish_store(anew=anew, whole=full, settings=settings(lake)), as_json)


@store.command()
def tune(lake: Lake = None, as_json: AsJson = False) -> None:
    """Measure a few settings of DuckDB on the lake's own data, and propose some."""
    from workbench import workflows

    display(workflows.tune_store(settings=settings(lake)), as_json)


@store.command()
def dictionary() -> None:
    """Print the data dictionary: every table and column, as Markdown."""
    from workbench import workflows

    typer.echo(workflows.store_dictionary(), nl=False)


def _show_whole(view: RowsView) -> None:
    """Print rows with every value whole, however wide they are; a terminal breaks long lines."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in view.columns():
        table.add_column(column, no_wrap=True)
    for row in view.rows():
        table.add_row(*row)
    console = Console(width=_WIDEST, highlight=False, markup=False)
    for line in (view.title(), table, *view.remarks()):
        console.print(line, soft_wrap=True)


def _parameters(given: list[str]) -> dict[str, Any]:
    """Read name=value; what is JSON, such as 5 or [1, 2], is that, and the rest is text."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"param: given {text!r}; allowed: name=value")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
