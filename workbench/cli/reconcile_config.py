"""Commands about the configuration of decisions and its versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.editing import edited
from workbench.cli.options import AsJson, Lake, settings
from workbench.cli.output import display
from workbench.cli.reconcile_options import BookFile, By, Why
from workbench.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Show and change what decides; every change is a version.")

Version = Annotated[int, typer.Argument(min=1, help="A version's number.")]


@app.command()
def show(
    version: Annotated[int | None, typer.Argument(min=1, help="By default the one that holds.")] = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print YAML that `set --file` takes.")] = False,
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show the configuration that holds, or another version."""
    from workbench.workflows import decision_configuration as configuration

    if as_yaml:
        typer.echo(configuration.show_text(version, book=book, settings=settings(lake)), nl=False)
        return
    display(configuration.show_configuration(version, book=book, settings=settings(lake)), as_json)


@app.command(name="set")
def set_(
    by: By,
    reason: Why,
    changes: Annotated[list[str] | None, typer.Argument(help="Such as costs.wrong=500.")] = None,
    file: Annotated[Path | None, typer.Option(help="A whole configuration: a YAML file.")] = None,
    based_on: Annotated[
        int | None,
        typer.Option(min=0, help="The version you looked at; a later one is then not overwritten."),
    ] = None,
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Change the configuration: one or several keys, or all of it from a file."""
    from workbench.workflows.decision_configuration import set_configuration

    if not changes and file is None:
        raise InputError("changes: given none; allowed: some such as costs.wrong=500, or --file")
    view = set_configuration(
        changes or (),
        file=file,
        based_on=based_on,
        author=by,
        reason=reason,
        book=book,
        settings=settings(lake),
    )
    display(view, as_json)


@app.command()
def edit(by: By, reason: Why, book: BookFile = None, lake: Lake = None, as_json: AsJson = False) -> None:
    """Change the configuration in your editor ($VISUAL or $EDITOR)."""
    from workbench.workflows import decision_configuration as configuration

    chosen = settings(lake)
    before = configuration.show_configuration(book=book, settings=chosen)
    text = configuration.show_text(before.version, book=book, settings=chosen)
    with edited(text, name="decisions.yaml") as file:
        if file is None:
            typer.echo("nothing was changed", err=True)
            return
        view = configuration.set_configuration(
            file=file, based_on=before.version, author=by, reason=reason, book=book, settings=chosen
        )
    display(view, as_json)


@app.command()
def history(book: BookFile = None, lake: Lake = None, as_json: AsJson = False) -> None:
    """List the versions, the newest first."""
    from workbench.workflows.decision_configuration import configuration_history

    display(configuration_history(book=book, settings=settings(lake)), as_json)


@app.command()
def diff(
    before: Version, after: Version, book: BookFile = None, lake: Lake = None, as_json: AsJson = False
) -> None:
    """Show what two versions differ in."""
    from workbench.workflows.decision_configuration import configuration_difference

    display(configuration_difference(before, after, book=book, settings=settings(lake)), as_json)


@app.command()
def rollback(
    to: Version, by: By, reason: Why, book: BookFile = None, lake: Lake = None, as_json: AsJson = False
) -> None:
    """Let an earlier version hold again, as a new version."""
    from workbench.workflows.decision_configuration import roll_back_configuration

    display(
        roll_back_configuration(to, author=by, reason=reason, book=book, settings=settings(lake)), as_json
    )
