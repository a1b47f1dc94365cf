"""Commands about alert rules: checks, backtests, advice and export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, Lake, settings
from workbench.cli.output import display, progress
from workbench.errors import InputError, WorkbenchError

app = typer.Typer(
    help="Check, try out, tune and deliver alerts.", no_args_is_help=True, rich_markup_mode=None
)

Rules = Annotated[Path, typer.Argument(help="A file of rules: YAML.", metavar="RULES")]
DrillFile = Annotated[
    Path, typer.Argument(help="A drill: YAML that says what goes wrong when.", metavar="DRILL")
]
Names = Annotated[list[str] | None, typer.Option("--rule", "-r", help="Only this rule; once for each.")]

Receivers = Annotated[
    Path | None, typer.Option(help="Whom to tell: the file that `workbench alerts run` takes.")
]


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Files of rules.", metavar="RULES...")],
    tests: Annotated[
        list[Path] | None,
        typer.Option("--tests", help="A file of tests, besides NAME_test.yaml beside NAME.yaml."),
    ] = None,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Also count how many wrong copies of a rule its tests notice.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read rules, say all that is wrong with them, and run their tests."""
    from workbench import workflows

    view = workflows.check_rules(files, tests=tests or [], mutate=mutate)
    display(view, as_json)
    if not view.passed:
        raise typer.Exit(WorkbenchError.exit_code)


@app.command()
def lint(
    file: Rules,
    drill: Annotated[
        Path | None, typer.Option(help="A drill; its healthy times show which rules fire for nothing.")
    ] = None,
    step: Annotated[
        str | None,
        typer.Option(help="Time between two samples, such as 15s; the rules' interval by default."),
    ] = None,
    receivers: Receivers = None,
    as_json: AsJson = False,
) -> None:
    """Find what is allowed in a file of rules and yet probably not meant."""
    from workbench import workflows

    with progress(as_json, file.stem) as report:
        view = workflows.lint_rules(
            file, drill=drill, step=_duration("step", step), receivers=receivers, report=report
        )
    display(view, as_json)
    if view.findings:
        raise typer.Exit(WorkbenchError.exit_code)


@app.command()
def backtest(
    file: Rules,
    drill: Annotated[
        Path | None, typer.Argument(help="A drill: YAML that says what goes wrong when.", metavar="DRILL")
    ] = None,
    run: Annotated[
        list[int] | None, typer.Option("--run", help="In place of a drill, a stored run; once for each.")
    ] = None,
    incident: Annotated[
        list[str] | None,
        typer.Option("--incident", help="What was wrong in stored runs: overload@10min+5min; once for each."),
    ] = None,
    rule: Names = None,
    step: Annotated[str, typer.Option(help="Time between two samples of stored runs.")] = "5s",
    receivers: Receivers = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show what rules would have done: false alarms, recall, delays, and who pages first."""
    from workbench import workflows

    if (drill is None) == (not run):
        raise InputError("backtest: given neither or both; allowed: a drill, or stored runs by --run")
    if drill is not None:
        if incident:
            raise InputError("incident: given with a drill; allowed: with --run, since a drill has its own")
        with progress(as_json, drill.stem) as report:
            view = workflows.backtest_drill(file, drill, only=rule or [], receivers=receivers, report=report)
    else:
        view = workflows.backtest_runs(
            file,
            run or [],
            incidents=incident or [],
            only=rule or [],
            step=_duration("step", step) or 5.0,
            receivers=receivers,
            settings=settings(lake),
        )
    display(view, as_json)


@app.command()
def advise(
    file: Rules,
    rule: Annotated[str, typer.Argument(help="The rule's name.", metavar="RULE")],
    drill: DrillFile,
    budget: Annotated[
        float, typer.Option(min=0, help="False alarms a day that may be, in the episodes it is chosen by.")
    ] = 1.0,
    threshold: Annotated[
        list[float] | None, typer.Option("--threshold", help="One to try; once for each. By default many.")
    ] = None,
    hold: Annotated[
        list[str] | None, typer.Option("--for", help="A `for` to try, such as 30s; once for each.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="A folder for the chosen rule as Prometheus rule, with its test.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Choose a threshold and `for` by what they would have done."""
    from workbench import workflows

    holds = [_duration("for", text) or 0.0 for text in hold or []]
    wanted = workflows.Wanted(budget=budget, thresholds=threshold or [])
    if holds:
        wanted = workflows.Wanted(budget=budget, thresholds=threshold or [], holds=holds)
    with progress(as_json, drill.stem) as report:
        view, written = workflows.advise_rule(file, rule, drill, wanted=wanted, export=export, report=report)
    display(view, as_json)
    if written and not as_json:
        typer.echo(written)


@app.command()
def export(
    file: Rules,
    rule: Names = None,
    tests: Annotated[
        Path | None, typer.Option(help="Tests to export with them; NAME_test.yaml by default.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", "-o", help="Where to write NAME.rules.yml and NAME.rules_test.yml."),
    ] = None,
) -> None:
    """Write rules, and their tests, as Prometheus reads them."""
    from workbench import workflows

    if tests is not None and folder is None:
        raise InputError("tests: given without --folder; allowed: with it, since there are two files")
    typer.echo(
        workflows.export_rules(file, rules=rule or [], tests=tests, folder=folder), nl=folder is not None
    )


def _duration(what: str, text: str | None) -> float | None:
    from workbench.quantities import parse_duration

    try:
        return None if text is None else parse_duration(text)
    except ValueError:
        raise InputError(f"{what}: given {text!r}; allowed: a duration such as 15s or 5min") from None
