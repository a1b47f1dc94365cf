"""What the options of several commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.settings import Settings

File = Annotated[Path, typer.Argument(help="A scenario: a YAML file.", metavar="FILE")]
Strategies = Annotated[
    list[str] | None,
    typer.Option("--strategy", "-s", help="A strategy, such as 'power_of_two(choices=3)'; once for each."),
]
OneStrategy = Annotated[
    str | None, typer.Option("--strategy", "-s", help="In place of the scenario's own, such as round_robin.")
]
Seed = Annotated[int | None, typer.Option(help="In place of the scenario's own; 0 or more.")]
Engine = Annotated[
    str | None, typer.Option(help="What simulates: auto, reference or compiled; the records are the same.")
]
Replication = Annotated[int, typer.Option(min=0, help="Which replication; each has its own random numbers.")]
Replications = Annotated[int | None, typer.Option("--replications", "-n", help="Runs of each strategy.")]
MeasureName = Annotated[
    str | None, typer.Option("--measure", "-m", help="What to compare by, such as response_p99.")
]
Precision = Annotated[
    str | None,
    typer.Option(help="Add replications until the error is at most this share, such as 1%."),
]
Most = Annotated[
    int | None, typer.Option(help="With --precision: replications after which it stops; 1000 by default.")
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", help="Simulations at once; one a processor by default.")
]
Lake = Annotated[Path | None, typer.Option(help="Folder of the results; data/lake by default.")]
Records = Annotated[
    str | None,
    typer.Option(help="Requests stored one by one: all, none, or a share such as 5%; all by default."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; `workbench schema` describes it.")]


def settings(lake: Path | None, jobs: int | None = None, **given: Any) -> Settings:
    """Gather the settings that a command works under; what is None counts as not given.

    Raises:
        DocumentError: a setting is not allowed.
    """
    from workbench.settings import load_settings

    return load_settings(lake=lake, jobs=jobs, **given)


def share(what: str, text: str) -> float:
    """Read a share, such as 5% or 0.05.

    Raises:
        InputError: with the option's name, `what`.
    """
    from workbench.settings import parse_share

    try:
        return parse_share(text)
    except ValueError:
        raise InputError(f"{what}: given {text!r}; allowed: a share such as 1%") from None


def numbers(what: str, text: str) -> list[int]:
    """Read whole numbers with commas between.

    Raises:
        InputError: with the option's name, `what`.
    """
    try:
        return [int(part) for part in text.split(",") if part]
    except ValueError:
        raise InputError(f"{what}: given {text!r}; allowed: whole numbers with commas between") from None


def floats(what: str, text: str) -> list[float]:
    """Read numbers with commas between.

    Raises:
        InputError: with the option's name, `what`.
    """
    try:
        return [float(part) for part in text.split(",") if part]
    except ValueError:
        raise InputError(f"{what}: given {text!r}; allowed: numbers with commas between") from None
