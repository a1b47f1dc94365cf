"""Small ledgers with known truth, written as files and read as a user's would be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.documents import check
from workbench.reconcile.plan import ReconciliationPlan
from workbench.reconcile.workspace import Workspace
from workbench.settings import Settings

COLUMNS = {"id": "id", "date": "day", "amount": "amount", "text": "memo"}
RULE = {"name": "memo", "prefix": {"text": 3}, "days": [0, 30], "amount": "15%"}

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class World:
    """Rows of both ledgers (id, day, amount, memo) and the true pairs of ids."""

    left: Rows
    right: Rows
    pairs: list[tuple[str, str]]


def make_world(count: int, *, seed: int, shared: float = 0.8) -> World:
    """Draw payments of which a share stands in both ledgers, a few days and cents apart.

    Names are drawn from few, so that payments have rivals.
    """
    rng = np.random.default_rng(seed)
    names = [f"{first} {last}" for first in ("ANNA", "ANTON", "BEA", "BEN") for last in ("LEE", "MAY", "POE")]
    left, right, pairs = [], [], []
    for number in range(count):
        name, cents, day = str(rng.choice(names)), int(rng.integers(1_000, 3_000)), int(rng.integers(0, 60))
        memo = f"{name} {rng.integers(1, 10)}"
        later, off = day + int(rng.integers(0, 5)), int(rng.integers(-60, 61)) if rng.random() < 0.6 else 0
        other = memo if rng.random() < 0.6 else f"{name} PAYMENT"
        in_left, in_right = rng.random() < shared**0.5, rng.random() < shared**0.5
        if in_left:
            left.append((f"L{number}", _day(day), _money(cents), memo))
        if in_right:
            right.append((f"R{number}", _day(later), _money(cents + off), other))
        if in_left and in_right:
            pairs.append((f"L{number}", f"R{number}"))
    return World(left, right, pairs)


def _day(number: int) -> str:
    return str(np.datetime64("2024-01-01") + number)


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def write_csv(file: Path, rows: Rows, header: tuple[str, ...] = ("id", "day", "amount", "memo")) -> Path:
    """Write rows as CSV; values are written as they are."""
    lines = [
        ",".join(header),
        *(",".join("" if value is None else str(value) for value in row) for row in rows),
    ]
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(lake=tmp_path / "lake")


@pytest.fixture
def workspace(settings: Settings) -> Iterator[Workspace]:
    with Workspace(settings) as opened:
        yield opened


@pytest.fixture
def plan_for(tmp_path: Path) -> Callable[..., ReconciliationPlan]:
    """Return a function from rows of both ledgers, and what differs from the usual plan, to a plan."""

    def make(left: Rows, right: Rows, /, **other: Any) -> ReconciliationPlan:
        header = other.pop("header", ("id", "day", "amount", "memo"))
        write_csv(tmp_path / "left.csv", left, header)
        write_csv(tmp_path / "right.csv", right, header)
        columns = other.pop("columns", COLUMNS)
        content = {
            "name": "test",
            "left": {"file": "left.csv", "columns": columns, **other.pop("left", {})},
            "right": {"file": "right.csv", "columns": columns, **other.pop("right", {})},
            "blocking": {"rules": [RULE]},
            **other,
        }
        return check(content, ReconciliationPlan, name="plan", folder=tmp_path)

    return make
