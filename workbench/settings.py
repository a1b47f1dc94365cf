"""Where data live and how much of the machine may be used.

A setting comes, in this order, from an argument, from the environment (`WORKBENCH_LAKE`,
`WORKBENCH_JOBS`, `WORKBENCH_DUCKDB_THREADS`, `WORKBENCH_DUCKDB_MEMORY`), from `workbench.toml` in
the working folder, or from the default.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from workbench.errors import DocumentError, Problem

FILE_NAME = "workbench.toml"
_MEMORY = re.compile(r"\d+(\.\d+)?\s*(MB|GB|MiB|GiB)")


def _memory(text: str) -> str:
    if not _MEMORY.fullmatch(text.strip()):
        raise ValueError("an amount of memory such as 512MB or 4GB")
    return text.strip()


class Settings(BaseModel):
    """The settings of one process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lake: Path = Path("data/lake")
    """Folder of the lake: Parquet parts, the catalogue and `workbench.duckdb`."""
    jobs: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=1024)
    """Simulations run at once, 1 to 1024; by default one a processor."""
    duckdb_threads: int = Field(2, ge=1, le=1024)
    """Threads of one DuckDB, 1 to 1024."""
    duckdb_memory: Annotated[str, AfterValidator(_memory)] = "2GB"
    """Memory limit of one DuckDB, such as 512MB or 4GB."""


def load_settings(
    folder: Path | None = None, environment: Mapping[str, str] = os.environ, **given: Any
) -> Settings:
    """Gather the settings.

    Args:
        folder: where `workbench.toml` is looked for; the working folder by default.
        environment: the variables to read.
        given: arguments that win over the rest; those that are None count as not given.

    Raises:
        DocumentError: the file, a variable or an argument holds what is not allowed.
    """
    file = (folder or Path.cwd()) / FILE_NAME
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for source, found in (
        (str(file), _read_file(file)),
        ("environment", _read_environment(environment)),
        ("arguments", {key: value for key, value in given.items() if value is not None}),
    ):
        values |= found
        origin |= dict.fromkeys(found, source)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise DocumentError([_problem(item, origin) for item in error.errors()]) from None


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise DocumentError([Problem(str(file), 0, "", f"what cannot be read ({error})", "TOML")]) from None


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    names = {f"WORKBENCH_{key.upper()}": key for key in Settings.model_fields}
    return {key: environment[name] for name, key in names.items() if environment.get(name)}


def _problem(item: Any, origin: Mapping[str, str]) -> Problem:
    key = ".".join(str(part) for part in item["loc"])
    allowed = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        allowed = f"one of {', '.join(sorted(Settings.model_fields))}"
    return Problem(origin.get(key, "settings"), 0, key, repr(item["input"]), allowed)
