"""Commands about strategies and single decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, Lake, floats, numbers, settings
from workbench.cli.output import display

app = typer.Typer()


@app.command()
def strategies(as_json: AsJson = False) -> None:
    """List the strategies with their parameters and what defines them."""
    from workbench import workflows

    display(workflows.list_strategies(), as_json)


@app.command()
def picks(
    strategy: Annotated[str, typer.Argument(help="A strategy, such as nginx.round_robin.")],
    weights: Annotated[str, typer.Option(help="One a server, with commas between.")] = "1,1,1",
    count: Annotated[int, typer.Option(help="Number of picks.")] = 20,
    hold: Annotated[bool, typer.Option("--hold", help="Requests never finish.")] = False,
    keys: Annotated[str, typer.Option(help="Keys of the requests, such as hot, a,b,c or k0..k299.")] = "",
    down: Annotated[str, typer.Option(help="Servers, from 0, that are never in service.")] = "",
    fail: Annotated[
        list[str] | None,
        typer.Option(
            help="What fails: 0@5-9 is requests 5 to 9, from 0, if sent to server 0.",
            metavar="SERVER@FIRST-LAST",
        ),
    ] = None,
    max_fails: Annotated[
        int | None, typer.Option(help="Failures that put a server of nginx out; 1 by default.")
    ] = None,
    interval: Annotated[str, typer.Option(help="Time between requests, such as 100ms.")] = "1s",
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
        weights=numbers("weights", weights),
        count=count,
        names=[name for name in names.split(",") if name],
        limits=numbers("limits", limits),
        keys=keys,
        hold=hold,
        down=numbers("down", down),
        fail=fail or [],
        max_fails=max_fails,
        interval=interval,
        seed=seed,
    )
    display(view, as_json)


@app.command()
def explain(
    run_id: Annotated[int, typer.Argument(help="The run's number, as `workbench runs` lists it.")],
    request: Annotated[int, typer.Argument(min=0, help="The request's number, from 0.")],
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Tell why a request of a stored run went where it went."""
    from workbench import workflows

    display(workflows.explain(run_id, request, settings=settings(lake)), as_json)


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

    given = None if overhead is None else floats("overhead", overhead)
    display(workflows.replay(recording, strategy=strategy, overhead=given, seed=seed), as_json)
