"""The benchmark's ledgers as an open world: a fifth of each side is gone, and half of it is for training."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.reconcile.plan import ReconciliationPlan, read_plan

LEDGERS = Path(__file__).parents[1] / "data" / "ledgers"
DROPPED = 0.2


@dataclass(frozen=True)
class Part:
    """Some of the records of both ledgers, as a plan over files of their own."""

    folder: Path
    plan: ReconciliationPlan
    pairs: list[tuple[str, str]]
    """True matches of which both records are there."""


def open_world(seed: int, folder: Path) -> tuple[Part, Part]:
    """Drop a fifth of each side at random and split what is left by transaction.

    Returns:
        The part for training and the part for testing; no transaction is in both.
    """
    rng = np.random.default_rng(seed)
    pairs = [(row["left_id"], row["right_id"]) for row in _rows("true_matches")]
    gone = {name: rng.random(len(pairs)) < DROPPED for name in ("left", "right")}
    training = rng.random(len(pairs)) < 0.5
    parts = []
    for name, chosen in (("training", training), ("testing", ~training)):
        target = folder / name
        target.mkdir(parents=True)
        for side, place in (("left", 0), ("right", 1)):
            ids = {pairs[n][place] for n in np.flatnonzero(chosen & ~gone[side])}
            _write(target / f"{side}.csv", [row for row in _rows(side) if row["record_id"] in ids])
        (target / "plan.yaml").write_text((LEDGERS / "plan.yaml").read_text())
        kept = np.flatnonzero(chosen & ~gone["left"] & ~gone["right"])
        parts.append(Part(target, read_plan(target / "plan.yaml"), [pairs[n] for n in kept]))
    return parts[0], parts[1]


def joined(one: Part, other: Part, folder: Path) -> Part:
    """Put the records of two parts into one."""
    folder.mkdir(parents=True)
    for side in ("left", "right"):
        lines = [(part.folder / f"{side}.csv").read_text(encoding="utf-8") for part in (one, other)]
        (folder / f"{side}.csv").write_text(lines[0] + lines[1].split("\n", 1)[1], encoding="utf-8")
    (folder / "plan.yaml").write_text((LEDGERS / "plan.yaml").read_text())
    return Part(folder, read_plan(folder / "plan.yaml"), one.pairs + other.pairs)


def _rows(name: str) -> list[dict[str, str]]:
    with (LEDGERS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _write(file: Path, rows: list[dict[str, str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
