"""The command line.

Exit codes: 0 done; 1 an error without a code of its own; 2 what was given cannot be used; 3 the
simulation cannot go on; 4 the store cannot be read or written; 5 a recording could not be made or is
not good; 6 a balancer that runs could not be read or changed, or was put back; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

import typer
from rich.console import Console
from typer.exceptions import TyperException

from workbench.cli import (
    alerts,
    alerts_delivery,
    balancing,
    configuration,
    live,
    monitor,
    planning,
    reconcile,
    recording,
    serving,
    simulating,
    store,
    sweeps,
)
from workbench.errors import DocumentError, InputError, WorkbenchError

app = typer.Typer(
    help="Try balancing strategies on your own traffic, and see why to believe the answer.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for group in (simulating, planning, balancing, sweeps, recording, monitor, store, serving):
    app.add_typer(group.app)
app.add_typer(live.app, name="live")
app.add_typer(configuration.app, name="config")
app.add_typer(reconcile.app, name="reconcile")
alerts.app.add_typer(alerts_delivery.app)
app.add_typer(alerts.app, name="alerts")

_STOPPED = 130
"""Exit code after Ctrl-C."""


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
