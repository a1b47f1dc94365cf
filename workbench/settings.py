"""Where data live and how much of the machine may be used.

A setting comes, in this order, from an argument, from the environment (`WORKBENCH_` and its name in
capitals, such as `WORKBENCH_DUCKDB_MEMORY`), from `workbench.toml` in the working folder, or from the
default.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from workbench.errors import DocumentError, Problem
from workbench.quantities import Duration, PositiveDuration

FILE_NAME = "workbench.toml"
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*(MB|GB|TB|MiB|GiB|TiB)")
_SHARE = re.compile(r"(\d+(?:\.\d*)?)\s*%")
_BYTES = {"MB": 1e6, "GB": 1e9, "TB": 1e12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def _memory(text: str) -> str:
    if not _MEMORY.fullmatch(text.strip()):
        raise ValueError("an amount of memory such as 512MB or 4GB")
    return text.strip()


def parse_bytes(text: str) -> int:
    """Turn `512MB` or `1.5 GiB` into bytes.

    Raises:
        ValueError: the text is no such amount.

    >>> parse_bytes("1.5 GiB")
    1610612736
    """
    found = _MEMORY.fullmatch(_memory(text))
    return int(float(found[1]) * _BYTES[found[2]]) if found else 0


def parse_share(value: object) -> float:
    """Turn `all`, `none`, `5%` or a number from 0 to 1 into a share.

    Raises:
        ValueError: it is none of these.

    >>> parse_share("5%")
    0.05
    """
    text = str(value).strip()
    if text in ("all", "none"):
        return 1.0 if text == "all" else 0.0
    percent = _SHARE.fullmatch(text)
    try:
        share = float(percent[1]) / 100 if percent else float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError("all, none, or a share such as 5%")
    return share


Memory = Annotated[str, AfterValidator(_memory)]
Share = Annotated[float, BeforeValidator(parse_share)]


def _addresses(value: object) -> object:
    """Split what a variable of the environment holds."""
    return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else value


Addresses = Annotated[tuple[str, ...], BeforeValidator(_addresses)]
SignIn = Literal["none", "password", "single_sign_on"]


class Settings(BaseModel):
    """The settings of one process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lake: Path = Path("data/lake")
    """Folder of the lake: Parquet parts, the catalogue and `workbench.duckdb`."""
    parts: str = ""
    """Address of an object store for the parts, such as `s3://bucket/lake`; by default the lake has them."""
    catalogue: str = ""
    """Address of the catalogue's Postgres, such as `postgresql://user@host/name`; by default SQLite."""
    records: Share = 1.0
    """Requests that are stored one by one: `all`, `none`, or a share such as `5%`.

    Histograms, samples and summaries are always stored, and are always of all requests.
    """
    jobs: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=1024)
    """Simulations run at once, 1 to 1024; by default one a processor."""
    duckdb_threads: int = Field(2, ge=1, le=1024)
    """Threads of one DuckDB, 1 to 1024."""
    duckdb_memory: Memory = "2GB"
    """Memory limit of one DuckDB, such as 512MB or 4GB."""
    duckdb_temporary: Path | None = None
    """Folder that DuckDB spills into what exceeds its memory; by default `tmp` in the lake."""
    duckdb_spill: Memory = "20GB"
    """The most that one DuckDB spills."""
    duckdb_cache: bool = True
    """Whether the footers of parts, and parts of an object store, are kept in memory."""
    sql_time: PositiveDuration = 30.0
    """How long a statement of `workbench sql` may run, seconds."""
    sql_memory: Memory = "1GB"
    """Memory that a statement of `workbench sql` may take."""
    sql_rows: int = Field(1_000_000, ge=1)
    """Rows that a statement of `workbench sql` may give, 1 or more."""
    keep_requests: PositiveDuration | None = None
    """Age from which `workbench store gc` removes single requests, seconds; for ever by default."""
    keep_size: Memory | None = None
    """Size of the lake above which `workbench store gc` removes the oldest single requests."""
    grace: Duration = 3600.0
    """How long a file that nobody needs any more is left to those who read it, seconds."""
    disk_free: Share = 0.02
    """Share of the lake's disk that stays free: what would not fit is not begun."""
    sign_in: SignIn = "none"
    """How people sign in to the dashboard: `none`, `password` or `single_sign_on` (docs/security.md)."""
    operators: Addresses = ()
    """E-mail addresses of those who may change something after single sign-on; all others read."""


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
