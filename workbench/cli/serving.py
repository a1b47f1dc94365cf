"""Commands for other programs and for browsers."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from workbench.cli.options import Lake, settings

app = typer.Typer()


@app.command()
def schema(
    form: Annotated[
        str,
        typer.Argument(
            help="scenario, rules or drill for files, or what is printed, such as run or backtest."
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
    address: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 serves every machine that reaches this one.")
    ] = "127.0.0.1",
    lake: Lake = None,
) -> None:
    """Serve the dashboard to browsers, those of this machine unless told otherwise."""
    from workbench.workflows import serve_dashboard

    serve_dashboard(port=port, address=address, settings=settings(lake))
