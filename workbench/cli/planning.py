"""Commands about how exact results are: how long to simulate, and which strategy to select."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.options import (
    AsJson,
    Engine,
    File,
    Jobs,
    Lake,
    MeasureName,
    OneStrategy,
    Records,
    Seed,
    Strategies,
    settings,
    share,
)
from workbench.cli.output import display, progress, warn

app = typer.Typer()


@app.command()
def plan(
    file: File,
    precision: Annotated[str, typer.Option(help="Half-width of the 95 % interval, such as 1%.")] = "1%",
    strategy: OneStrategy = None,
    seed: Seed = None,
    engine: Engine = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Say how many requests and how much time it takes to know a scenario to a precision."""
    from workbench import workflows

    with progress(as_json, file.stem):
        view = workflows.plan(
            file,
            precision=share("precision", precision),
            strategy=strategy,
            seed=seed,
            engine=engine,
            settings=settings(None, jobs),
        )
    display(view, as_json)


@app.command()
def select(
    file: File,
    strategy: Strategies = None,
    probability: Annotated[str, typer.Option(help="With which the best is selected.")] = "95%",
    indifference: Annotated[
        str, typer.Option(help="A difference that does not matter: 2% of the mean, or 5ms.")
    ] = "2%",
    budget: Annotated[
        int | None, typer.Option(help="Replications of all strategies together; selects by OCBA.")
    ] = None,
    most: Annotated[int | None, typer.Option(help="Replications of each; 1000 by default.")] = None,
    measure: MeasureName = None,
    seed: Seed = None,
    engine: Engine = None,
    jobs: Jobs = None,
    records: Records = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Select the best of several strategies, simulating no more than that takes."""
    from workbench import workflows

    warn(workflows.outlook(file, strategies=strategy, seed=seed), as_json)
    with progress(as_json, file.stem) as report:
        view = workflows.select_best(
            file,
            strategies=strategy,
            probability=share("probability", probability),
            indifference=indifference,
            budget=budget,
            most=workflows.MOST if most is None else most,
            measure=measure or "response_mean",
            seed=seed,
            engine=engine,
            settings=settings(lake, jobs, records=records),
            report=report,
        )
    display(view, as_json)
