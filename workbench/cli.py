"""The command line.

Exit codes: 0 done; 1 an error without a code of its own; 2 what was given cannot be used; 3 the
simulation cannot go on; 4 the store cannot be read or written; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from typer.exceptions import TyperException

from workbench.errors import DocumentError, InputError, WorkbenchError

if TYPE_CHECKING:
    from workbench.settings import Settings
    from workbench.workflows import View

app = typer.Typer(
    help="Try balancing strategies on your own traffic, and see why to believe the answer.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_WIDTH = 120
"""Columns of a table that goes to a file or a pipe."""

_PROSE = 32
"""Characters beyond which a cell is prose, which may be broken into lines."""

_STOPPED = 130
"""Exit code after Ctrl-C."""

File = Annotated[Path, typer.Argument(help="A scenario: a YAML file.", metavar="FILE")]
Strategies = Annotated[
    list[str] | None,
    typer.Option("--strategy", "-s", help="A strategy, such as 'power_of_two(choices=3)'; once for each."),
]
OneStrategy = Annotated[
    str | None, typer.Option("--strategy", "-s", help="In place of the scenario's own, such as round_robin.")
]
Seed = Annotated[int | None, typer.Option(help="In place of the scenario's own; 0 or more.")]
Replication = Annotated[int, typer.Option(min=0, help="Which replication; each has its own random numbers.")]
Replications = Annotated[int | None, typer.Option("--replications", "-n", help="Runs of each strategy.")]
MeasureName = Annotated[
    str | None, typer.Option("--measure", "-m", help="What to compare by, such as response_p99.")
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", help="Simulations at once; one a processor by default.")
]
Lake = Annotated[Path | None, typer.Option(help="Folder of the results; data/lake by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; `workbench schema` describes it.")]


def main() -> None:
    """Run the command line and end the process."""
    try:
        code = app(standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        code = _STOPPED
    except TyperException as error:
        code = _misused(error)
    except WorkbenchError as error:
        code = _failed(error)
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    if code == _STOPPED:
        typer.echo("stopped; what was finished is stored, and the same command goes on from there", err=True)
    sys.exit(code if isinstance(code, int) else 0)


def _misused(error: TyperException) -> int:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(f"{message}\nsee --help")
    return InputError.exit_code


def _failed(error: WorkbenchError) -> int:
    if "--json" in sys.argv:
        problems = [asdict(problem) for problem in error.problems] if isinstance(error, DocumentError) else []
        typer.echo(json.dumps({"schema": "workbench.error/1", "error": str(error), "problems": problems}))
    else:
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(str(error))
    return error.exit_code


@app.command()
def run(
    file: File,
    strategy: OneStrategy = None,
    seed: Seed = None,
    replication: Replication = 0,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a scenario, store the result and show it."""
    from workbench import workflows

    with _progress(as_json, file.stem) as report:
        view = workflows.run(
            file,
            strategy=strategy,
            seed=seed,
            replication=replication,
            settings=_settings(lake),
            report=report,
        )
    _show(view, as_json)


@app.command()
def compare(
    file: File,
    strategy: Strategies = None,
    replications: Replications = None,
    measure: MeasureName = None,
    seed: Seed = None,
    jobs: Jobs = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a scenario under several strategies on the same requests and rank them."""
    from workbench import workflows

    with _progress(as_json, file.stem) as report:
        view = workflows.compare_strategies(
            file,
            strategies=strategy,
            replications=replications,
            measure=measure,
            seed=seed,
            settings=_settings(lake, jobs),
            report=report,
        )
    _show(view, as_json)


@app.command()
def runs(
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    scenario: Annotated[str | None, typer.Option(help="Only those of the scenario of this name.")] = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """List the runs of the store, the newest first."""
    from workbench import workflows

    _show(workflows.list_runs(limit=limit, scenario=scenario, settings=_settings(lake)), as_json)


@app.command()
def show(
    run_id: Annotated[int, typer.Argument(help="The run's number, as `workbench runs` lists it.")],
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show a run of the store."""
    from workbench import workflows

    _show(workflows.show_run(run_id, settings=_settings(lake)), as_json)


@app.command()
def demo(jobs: Jobs = None, lake: Lake = None, as_json: AsJson = False) -> None:
    """Compare strategies on the recorded traffic that comes with the project."""
    from workbench import workflows

    views = []
    for file in workflows.demo_scenarios():
        with _progress(as_json, file.stem) as report:
            views.append(workflows.compare_strategies(file, settings=_settings(lake, jobs), report=report))
        if not as_json:
            _show(views[-1], as_json)
    if as_json:
        comparisons = [view.model_dump(mode="json") for view in views]
        typer.echo(json.dumps({"schema": "workbench.demo/1", "comparisons": comparisons}))
    else:
        typer.echo(f"stored in {views[-1].lake}; look at it with: workbench app")


@app.command()
def explain(
    run_id: Annotated[int, typer.Argument(help="The run's number, as `workbench runs` lists it.")],
    request: Annotated[int, typer.Argument(min=0, help="The request's number, from 0.")],
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Tell why a request of a stored run went where it went."""
    from workbench import workflows

    _show(workflows.explain(run_id, request, settings=_settings(lake)), as_json)


@app.command()
def picks(
    strategy: Annotated[str, typer.Argument(help="A strategy, such as nginx.round_robin.")],
    weights: Annotated[str, typer.Option(help="One a server, with commas between.")] = "1,1,1",
    count: Annotated[int, typer.Option(help="Number of picks.")] = 20,
    hold: Annotated[bool, typer.Option("--hold", help="Requests never finish.")] = False,
    keys: Annotated[str, typer.Option(help="Keys of the requests, such as hot, a,b,c or k0..k299.")] = "",
    down: Annotated[str, typer.Option(help="Servers, from 0, that are never usable.")] = "",
    limits: Annotated[str, typer.Option(help="Most in flight of each server; 0 is no limit.")] = "",
    names: Annotated[str, typer.Option(help="Servers' names, which consistent hashes hash.")] = "",
    param: Annotated[list[str] | None, typer.Option(help="A parameter of the strategy: name=value.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the balancer's own draws.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Print the order in which a fresh balancer picks, without a simulation."""
    from workbench import workflows

    label = f"{strategy}({', '.join(param)})" if param else strategy
    view = workflows.show_picks(
        label,
        weights=_numbers("weights", weights),
        count=count,
        names=[name for name in names.split(",") if name],
        limits=_numbers("limits", limits),
        keys=keys,
        hold=hold,
        down=_numbers("down", down),
        seed=seed,
    )
    _show(view, as_json)


@app.command()
def replay(
    recording: Annotated[
        Path, typer.Argument(help="TAG.csv.gz, with TAG.meta.json beside it.", metavar="RECORDING")
    ],
    strategy: Annotated[
        str | None, typer.Option("--strategy", "-s", help="In place of the configured one.")
    ] = None,
    overhead: Annotated[
        str | None,
        typer.Option(
            help="Microseconds from client to proxy, proxy to server, and back: 83,155,129,70; "
            "by default those of overhead_us.json beside the recording or one folder above."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the strategy's own draws.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Simulate a recorded run of a real balancer and show how far the simulator agrees."""
    from workbench import workflows

    given = None if overhead is None else _floats("overhead", overhead)
    _show(workflows.replay(recording, strategy=strategy, overhead=given, seed=seed), as_json)


@app.command()
def strategies(as_json: AsJson = False) -> None:
    """List the strategies with their parameters and what defines them."""
    from workbench import workflows

    _show(workflows.list_strategies(), as_json)


@app.command()
def schema(
    form: Annotated[
        str,
        typer.Argument(
            help="scenario, run, comparison, runs, picks, explanation, replay, strategies, demo or error."
        ),
    ] = "scenario",
) -> None:
    """Print the JSON schema of scenario files, for editors, or of what --json prints."""
    from workbench.workflows import json_schema

    typer.echo(json.dumps(json_schema(form), indent=2, sort_keys=True))


@app.command(name="app")
def dashboard(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")
    ] = 8501,
    lake: Lake = None,
) -> None:
    """Serve the dashboard to the browsers of this machine."""
    from workbench.workflows import serve_dashboard

    serve_dashboard(port=port, settings=_settings(lake))


def _numbers(what: str, text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part]
    except ValueError:
        raise InputError(f"{what}: given {text!r}; allowed: whole numbers with commas between") from None


def _floats(what: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part]
    except ValueError:
        raise InputError(f"{what}: given {text!r}; allowed: numbers with commas between") from None


def _settings(lake: Path | None, jobs: int | None = None) -> Settings:
    from workbench.settings import load_settings

    return load_settings(lake=lake, jobs=jobs)


def _show(view: View, as_json: bool) -> None:
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


@contextmanager
def _progress(as_json: bool, title: str) -> Iterator[Callable[[float, float | None], None]]:
    """Show progress with the time that is left on a terminal's standard error."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=as_json or not console.is_terminal
    ) as progress:
        task = progress.add_task(title, total=None, count="")

        def report(done: float, total: float | None) -> None:
            progress.update(task, completed=done, total=total, count=f"{done:,.0f} requests")

        yield report


if __name__ == "__main__":
    main()
