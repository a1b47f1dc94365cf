"""Manifests: under what a sweep was run, so that somebody else can run it again."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from workbench.simulate.scenario import ENGINE_VERSION

_LIBRARIES = ("balancer-workbench", "numpy", "numba", "scipy", "simpy", "pyarrow", "distributed")


class GitState(BaseModel):
    """The state of a git repository."""

    model_config = ConfigDict(frozen=True)

    commit: str
    changed: bool
    """Whether files differ from the commit."""


class Manifest(BaseModel):
    """What a run of a sweep rested on, and what came out."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    started: datetime
    ended: datetime | None = None
    """Null while it runs, and where it was killed."""
    engine_version: str
    versions: dict[str, str]
    """Of Python and of the libraries that results pass through."""
    system: str
    processor: str
    processors: int
    git: GitState | None = None
    """Of the folder of the sweep's file; null where that is no repository."""
    seed: int
    replications: int
    inputs: dict[str, str]
    """SHA-256 of each file that was read, by its name."""
    executor: str
    workers: int
    cells: int
    reused: int
    simulated: int = 0
    elapsed_s: float = 0.0
    """Time by the clock that simulating took, seconds."""
    lost_workers: int = 0
    digest: str = ""
    """SHA-256 of all results, in the order of the cells; the same wherever they were simulated."""


def versions() -> dict[str, str]:
    """Give the versions of Python and of the libraries that results pass through."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_state(folder: Path) -> GitState | None:
    """Give the state of the repository that a folder is in; None where it is in none."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return GitState(commit=commit.strip(), changed=bool(changed.strip()))


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=20
    ).stdout


def file_hashes(files: Sequence[Path]) -> dict[str, str]:
    """Hash files, each under its name."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def table_digest(table: pa.Table) -> str:
    """Hash the values of a table, in order, however its columns lie in memory."""
    found = hashlib.sha256()
    for name in table.column_names:
        column = table[name].combine_chunks()
        found.update(f"{name} {column.type} {len(column)}\n".encode())
        found.update(column.is_null().to_numpy(zero_copy_only=False).tobytes())
        if pa.types.is_string(column.type):
            found.update("\0".join(str(value) for value in column.fill_null("").to_pylist()).encode())
        else:
            zero = pa.scalar(0, column.type) if not pa.types.is_boolean(column.type) else pa.scalar(False)
            found.update(column.fill_null(zero).to_numpy(zero_copy_only=False).tobytes())
    return found.hexdigest()


def begun(
    *,
    now: datetime,
    folder: Path,
    files: Sequence[Path],
    seed: int,
    replications: int,
    executor: str,
    workers: int,
    cells: int,
    reused: int,
) -> Manifest:
    """Write the manifest of a sweep that begins.

    Args:
        now: the time of day, in UTC.
        folder: whose git state is told.
        files: what was read.
        seed: of the scenario.
        replications: runs of each point.
        executor: what simulates.
        workers: how many at once.
        cells: all cells.
        reused: those that are there already.
    """
    return Manifest(
        started=now,
        engine_version=ENGINE_VERSION,
        versions=versions(),
        system=f"{platform.system()} {platform.release()}",
        processor=platform.machine(),
        processors=os.cpu_count() or 1,
        git=git_state(folder),
        seed=seed,
        replications=replications,
        inputs=file_hashes(files),
        executor=executor,
        workers=workers,
        cells=cells,
        reused=reused,
    )
