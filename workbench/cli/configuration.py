"""Commands about the configuration of a balancer and its versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.editing import edited
from workbench.cli.options import AsJson, Engine, Jobs, Lake, Seed, settings
from workbench.cli.output import display, progress
from workbench.cli.reconcile_options import By, Why
from workbench.errors import InputError, TargetError

app = typer.Typer(
    no_args_is_help=True, help="Keep a balancer's configuration in versions; try changes, then make them."
)

VersionNumber = Annotated[int, typer.Argument(min=1, help="A version's number.")]
OneVersion = Annotated[int | None, typer.Argument(min=1, help="By default the one that holds.")]
Balancer = Annotated[
    str | None,
    typer.Option("--balancer", "-b", help="Whose configuration; the only one there is by default."),
]
TargetLabel = Annotated[
    str | None,
    typer.Option("--target", help="The balancer that runs: 'haproxy(socket=PATH, backend=NAME)'."),
]
Force = Annotated[bool, typer.Option("--force", help="Even if no usable server is left.")]


@app.command(name="list")
def list_(lake: Lake = None, as_json: AsJson = False) -> None:
    """List the balancers that have a configuration."""
    from workbench.workflows import list_configurations

    display(list_configurations(settings=settings(lake)), as_json)


@app.command()
def show(
    version: OneVersion = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print YAML that `set --file` takes.")] = False,
    balancer: Balancer = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show the configuration that holds, or another version."""
    from workbench import workflows

    if as_yaml:
        text = workflows.configuration_text(version, balancer=balancer, settings=settings(lake))
        typer.echo(text, nl=False)
        return
    display(workflows.show_configuration(version, balancer=balancer, settings=settings(lake)), as_json)


@app.command(name="set")
def set_(
    by: By,
    reason: Why,
    changes: Annotated[list[str] | None, typer.Argument(help="Such as servers.web-1.weight=3.")] = None,
    file: Annotated[Path | None, typer.Option(help="A whole configuration: a YAML file.")] = None,
    based_on: Annotated[
        int | None,
        typer.Option(min=0, help="The version you looked at; a later one is then not overwritten."),
    ] = None,
    force: Force = False,
    balancer: Balancer = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Change the configuration: one or several keys, or all of it from a file."""
    from workbench.workflows import change_configuration

    if not changes and file is None:
        raise InputError("changes: given none; allowed: some such as servers.web-1.weight=3, or --file")
    view = change_configuration(
        changes or (),
        file=file,
        based_on=based_on,
        author=by,
        reason=reason,
        force=force,
        balancer=balancer,
        settings=settings(lake),
    )
    display(view, as_json)


@app.command()
def edit(
    by: By,
    reason: Why,
    force: Force = False,
    balancer: Balancer = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Change the configuration in your editor ($VISUAL or $EDITOR)."""
    from workbench import workflows

    chosen = settings(lake)
    before = workflows.show_configuration(balancer=balancer, settings=chosen)
    text = workflows.configuration_text(before.version, balancer=before.balancer, settings=chosen)
    with edited(text, name="balancer.yaml") as file:
        if file is None:
            typer.echo("nothing was changed", err=True)
            return
        view = workflows.change_configuration(
            file=file,
            based_on=before.version,
            author=by,
            reason=reason,
            force=force,
            balancer=before.balancer,
            settings=chosen,
        )
    display(view, as_json)


@app.command()
def diff(
    before: OneVersion = None,
    after: OneVersion = None,
    live: Annotated[bool, typer.Option("--live", help="With the balancer that runs, before it.")] = False,
    target: TargetLabel = None,
    balancer: Balancer = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show what two versions differ in; with --live, a balancer that runs and a version."""
    from workbench import workflows

    chosen = settings(lake)
    if live:
        view = workflows.compare_with_target(before, target=target, balancer=balancer, settings=chosen)
    elif before is None or after is None:
        raise InputError("versions: given less than two; allowed: two of them, or --live with one or none")
    else:
        view = workflows.configuration_difference(before, after, balancer=balancer, settings=chosen)
    display(view, as_json)


@app.command()
def history(balancer: Balancer = None, lake: Lake = None, as_json: AsJson = False) -> None:
    """List the versions, the newest first, and what was applied."""
    from workbench.workflows import configuration_history

    display(configuration_history(balancer=balancer, settings=settings(lake)), as_json)


@app.command()
def rollback(
    to: VersionNumber,
    by: By,
    reason: Why,
    balancer: Balancer = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Let an earlier version hold again, as a new version; `apply` then makes it live."""
    from workbench.workflows import roll_back_configuration

    view = roll_back_configuration(to, author=by, reason=reason, balancer=balancer, settings=settings(lake))
    display(view, as_json)


@app.command()
def plan(
    changes: Annotated[
        list[str] | None,
        typer.Argument(help="Such as servers.web-1.weight=3; without any, two versions are compared."),
    ] = None,
    before: Annotated[int | None, typer.Option("--from", min=1, help="The version to start from.")] = None,
    after: Annotated[int | None, typer.Option("--to", min=1, help="Without changes: where to go.")] = None,
    load: Annotated[
        Path | None, typer.Option(help="A scenario whose load is simulated; the configuration's by default.")
    ] = None,
    run: Annotated[int | None, typer.Option(help="In place of it the scenario of a stored run.")] = None,
    replications: Annotated[int | None, typer.Option("--replications", "-n", help="Runs of each.")] = None,
    seed: Seed = None,
    engine: Engine = None,
    jobs: Jobs = None,
    balancer: Balancer = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a change and tell its effect with intervals; nothing is saved or applied."""
    from workbench.workflows import plan_configuration

    with progress(as_json, "plan") as report:
        view = plan_configuration(
            changes or (),
            before=before,
            after=after,
            load=load,
            run_id=run,
            replications=replications,
            seed=seed,
            engine=engine,
            balancer=balancer,
            settings=settings(lake, jobs),
            report=report,
        )
    display(view, as_json)


@app.command()
def apply(
    version: OneVersion = None,
    by: Annotated[str, typer.Option(help="Your name; needed unless --dry-run.")] = "",
    target: TargetLabel = None,
    watch: Annotated[
        str | None, typer.Option(help="How long to watch, such as 60s; a guard that fires rolls back.")
    ] = None,
    guard: Annotated[
        list[str] | None,
        typer.Option(help="What must not happen: 'errors > 2 %', 'usable < 2', 'response > 150 % for 5s'."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the steps and make none.")] = False,
    force: Force = False,
    balancer: Balancer = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Make a version live on a balancer that runs, read it back and watch it."""
    from workbench.workflows import apply_configuration

    view = apply_configuration(
        version,
        target=target,
        watch_for=watch,
        guards=guard,
        dry_run=dry_run,
        force=force,
        author=by,
        balancer=balancer,
        settings=settings(lake),
    )
    display(view, as_json)
    if not view.held:
        raise typer.Exit(TargetError.exit_code)


@app.command()
def recover(target: TargetLabel = None, balancer: Balancer = None, lake: Lake = None) -> None:
    """Put back what an `apply` left behind that was killed."""
    from workbench.workflows import recover_configuration

    told = recover_configuration(target=target, balancer=balancer, settings=settings(lake))
    typer.echo(told or "nothing was left behind")


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="A scenario, haproxy.cfg, nginx.conf or Envoy's YAML.")],
    kind: Annotated[
        str | None,
        typer.Option("--format", help="scenario, haproxy, nginx or envoy; by the file's look by default."),
    ] = None,
    part: Annotated[str | None, typer.Option(help="Which backend, upstream or cluster of the file.")] = None,
    save: Annotated[bool, typer.Option("--save", help="Save it as a version of --balancer.")] = False,
    by: Annotated[str, typer.Option(help="With --save: your name.")] = "",
    reason: Annotated[str, typer.Option(help="With --save: why.")] = "",
    force: Force = False,
    balancer: Balancer = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Read a configuration from a file; print it as YAML, or save it as a version."""
    from workbench import workflows

    if save:
        view = workflows.import_configuration(
            file,
            kind=kind,
            part=part,
            author=by,
            reason=reason,
            force=force,
            balancer=balancer,
            settings=settings(lake),
        )
        display(view, as_json)
        return
    read = workflows.read_configuration(file, kind=kind, part=part)
    if as_json:
        display(read, as_json)
        return
    typer.echo(read.text, nl=False)
    for note in read.notes:
        typer.echo(f"note: {note}", err=True)


@app.command()
def export(
    version: OneVersion = None,
    kind: Annotated[
        str, typer.Option("--format", help="haproxy, nginx, nginx(plus=true), envoy or scenario.")
    ] = "haproxy",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write it; printed by default.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What the backend, upstream or cluster is called; as the balancer.")
    ] = None,
    balancer: Balancer = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Write a version for a proxy, or as a scenario; what cannot be carried is noted."""
    from workbench.workflows import export_configuration

    view = export_configuration(
        version, kind=kind, file=output, name=name, balancer=balancer, settings=settings(lake)
    )
    if as_json:
        display(view, as_json)
        return
    if output is None:
        typer.echo(view.text, nl=False)
    for note in view.notes:
        typer.echo(f"note: {note}", err=True)
