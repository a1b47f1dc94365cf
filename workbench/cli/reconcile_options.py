"""What the options of the commands about decisions have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Proposals = Annotated[
    Path,
    typer.Argument(help="Proposals: a Parquet file, or the folder that `match` wrote.", metavar="PROPOSALS"),
]
BookFile = Annotated[
    Path | None,
    typer.Option("--book", help="SQLite file of configuration and review; in the lake by default."),
]
By = Annotated[str, typer.Option(help="Your name; it is kept with what you do.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept with the version.")]
