"""Commands that simulate and show what was simulated."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from workbench.cli.options import (
    AsJson,
    Engine,
    File,
    Jobs,
    Lake,
    MeasureName,
    Most,
    OneStrategy,
    Precision,
    Records,
    Replication,
    Replications,
    Seed,
    Strategies,
    settings,
    share,
)
from workbench.cli.output import display, progress, warn
from workbench.errors import InputError

app = typer.Typer()


@app.command()
def run(
    file: File,
    strategy: OneStrategy = None,
    seed: Seed = None,
    engine: Engine = None,
    replication: Replication = 0,
    precision: Precision = None,
    most: Most = None,
    measure: MeasureName = None,
    jobs: Jobs = None,
    records: Records = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a scenario, store the result and show it; or replications of it, until it is exact enough."""
    from workbench import workflows

    if precision is None and (most is not None or measure is not None):
        raise InputError("run: given --most or --measure alone; allowed: with --precision")
    if precision is not None and replication:
        raise InputError("run: given --replication with --precision; allowed: one of them")
    warn(workflows.outlook(file, strategies=[strategy] if strategy else None, seed=seed), as_json)
    if precision is not None:
        with progress(as_json, file.stem) as report:
            estimate = workflows.estimate(
                file,
                precision=share("precision", precision),
                measure=measure or "response_mean",
                most=workflows.MOST if most is None else most,
                strategy=strategy,
                seed=seed,
                engine=engine,
                settings=settings(lake, jobs, records=records),
                report=report,
            )
        display(estimate, as_json)
        return
    with progress(as_json, file.stem) as report:
        view = workflows.run(
            file,
            strategy=strategy,
            seed=seed,
            engine=engine,
            replication=replication,
            settings=settings(lake, records=records),
            report=report,
        )
    display(view, as_json)


@app.command()
def compare(
    file: File,
    strategy: Strategies = None,
    replications: Replications = None,
    measure: MeasureName = None,
    seed: Seed = None,
    engine: Engine = None,
    precision: Precision = None,
    most: Most = None,
    jobs: Jobs = None,
    records: Records = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a scenario under several strategies on the same requests and rank them."""
    from workbench import workflows

    if precision is None and most is not None:
        raise InputError("compare: given --most alone; allowed: with --precision")
    warn(workflows.outlook(file, strategies=strategy, seed=seed), as_json)
    with progress(as_json, file.stem) as report:
        view = workflows.compare_strategies(
            file,
            strategies=strategy,
            replications=replications,
            measure=measure,
            seed=seed,
            engine=engine,
            precision=None if precision is None else share("precision", precision),
            most=workflows.MOST if most is None else most,
            settings=settings(lake, jobs, records=records),
            report=report,
        )
    display(view, as_json)


@app.command()
def runs(
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    scenario: Annotated[str | None, typer.Option(help="Only those of the scenario of this name.")] = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """List the runs of the store, the newest first."""
    from workbench import workflows

    display(workflows.list_runs(limit=limit, scenario=scenario, settings=settings(lake)), as_json)


@app.command()
def show(
    run_id: Annotated[int, typer.Argument(help="The run's number, as `workbench runs` lists it.")],
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show a run of the store."""
    from workbench import workflows

    display(workflows.show_run(run_id, settings=settings(lake)), as_json)


@app.command()
def demo(jobs: Jobs = None, lake: Lake = None, as_json: AsJson = False) -> None:
    """Compare strategies on the recorded traffic that comes with the project."""
    from workbench import workflows

    views = []
    for file in workflows.demo_scenarios():
        with progress(as_json, file.stem) as report:
            views.append(workflows.compare_strategies(file, settings=settings(lake, jobs), report=report))
        if not as_json:
            display(views[-1], as_json)
    if as_json:
        comparisons = [view.model_dump(mode="json") for view in views]
        typer.echo(json.dumps({"schema": "workbench.demo/1", "comparisons": comparisons}))
    else:
        typer.echo(f"stored in {views[-1].lake}; look at it with: workbench app")
