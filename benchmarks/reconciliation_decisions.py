"""Do certificates hold, and is a cut match rate noticed and corrected? On ledgers no model was trained on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from benchmarks.open_world import Part, open_world
from workbench.reconcile.certificate import certify
from workbench.reconcile.labels import labels_table, resolve_labels
from workbench.reconcile.matching import match, read_and_block
from workbench.reconcile.model import ReconciliationModel
from workbench.reconcile.observed import observed_calibration
from workbench.reconcile.plan import ReconciliationPlan, read_plan
from workbench.reconcile.shift import PriorShift, prior_shift
from workbench.reconcile.training import train
from workbench.reconcile.workspace import Workspace
from workbench.settings import Settings

SEEDS = range(6)
KEPT = 0.2
"""Share of the matches that is left when the match rate is cut to a fifth."""
RESAMPLES = 200
TARGETS = (0.99, 0.995)
LABELS = (600, 2000)

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Told:
    """Confidences of proposals and whether they are right."""

    confidence: Floats
    right: Booleans


@dataclass(frozen=True, eq=False)
class World:
    """Proposals for one seed: as in training, and with four fifths of the matches taken out."""

    same: Told
    cut: Told

    @property
    def shift(self) -> PriorShift:
        """What the watch finds of the cut ledgers, the share being that of labels from the others."""
        return prior_shift(
            self.cut.confidence, trained=float(self.same.right.mean()), trained_on=len(self.same.right)
        )


def worlds() -> Iterator[World]:
    """Train and match for each seed."""
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            settings = Settings(lake=folder / "lake")
            training, testing = open_world(seed, folder)
            with Workspace(settings) as workspace:
                read_and_block(workspace, training.plan)
                truth = resolve_labels(workspace, _labels(training.pairs), complete=True)
                model = train(workspace, training.plan, truth, created="")
            cut = _cut(testing, np.random.default_rng(seed))
            yield World(
                _told(settings, testing.plan, testing.pairs, model),
                _told(settings, cut.plan, cut.pairs, model),
            )


def misses(told: Told, labels: int, target: float) -> int:
    """Count the resamples of labels whose certified threshold has a precision below the target."""
    rng = np.random.default_rng(labels)
    order = np.argsort(-told.confidence, kind="stable")
    precision = np.cumsum(told.right[order]) / np.arange(1, len(order) + 1)
    ranked = -told.confidence[order]
    missed = 0
    for _ in range(RESAMPLES):
        drawn = rng.choice(len(ranked), labels, replace=True)
        threshold = certify(told.confidence[drawn], told.right[drawn], target=target).threshold
        if threshold is not None:
            missed += bool(precision[np.searchsorted(ranked, -threshold, side="right") - 1] < target)
    return missed


def main() -> list[str]:
    """Give the lines of the tables."""
    found = list(worlds())
    same, cut = _joined([one.same for one in found]), _joined([one.cut for one in found])
    corrected = np.concatenate([one.shift.correct(one.cut.confidence) for one in found])
    lines = [
        "| proposals | number | right | ECE | floor | Brier | log loss |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, told in (
        ("as in training", same),
        ("match rate cut to a fifth", cut),
        ("the same, corrected by EM", Told(corrected, cut.right)),
    ):
        one = observed_calibration(told.confidence, told.right)
        lines.append(
            f"| {name} | {one.labels:,} | {one.share:.3f} | {one.ece:.4f} | {one.ece_floor:.4f} | "
            f"{one.brier:.4f} | {one.log_loss:.4f} |"
        )
    alarms = sum(one.shift.alarm for one in found)
    lines += [
        "",
        f"Alarm raised: {alarms} of {len(found)} seeds. Six seeds joined; each has its own model.",
        "",
    ]
    lines += ["| certified | labels | missed, of 200 resamples |", "|---|---|---|"]
    # Of the cut ledgers, for on the others all proposals together are more than 99 % right.
    lines += [
        f"| {target:.1%} | {labels:,} | {misses(cut, labels, target)} |"
        for target in TARGETS
        for labels in LABELS
    ]
    return lines


def _labels(pairs: list[tuple[str, str]]) -> pa.Table:
    return labels_table([left for left, _ in pairs], [right for _, right in pairs])


def _told(
    settings: Settings, plan: ReconciliationPlan, pairs: list[tuple[str, str]], model: ReconciliationModel
) -> Told:
    with Workspace(settings) as workspace:
        prepared = read_and_block(workspace, plan)
        truth = resolve_labels(workspace, _labels(pairs), complete=True)
        proposals = match(workspace, plan, model, prepared, truth=truth).proposals
    return Told(proposals["confidence"].to_numpy(), np.array(proposals["truth"].to_pylist(), np.bool_))


def _cut(part: Part, rng: np.random.Generator) -> Part:
    """Take one record of four in five matched pairs out of its ledger, left or right by chance."""
    stays = rng.random(len(part.pairs)) < KEPT
    from_left = rng.random(len(part.pairs)) < 0.5
    folder = part.folder.with_name("cut")
    folder.mkdir()
    for place, side in enumerate(("left", "right")):
        gone = [
            pair[place]
            for pair, kept, left in zip(part.pairs, stays, from_left, strict=True)
            if not kept and left == (side == "left")
        ]
        texts = pa.csv.ConvertOptions(column_types=dict.fromkeys(_columns(part, side), pa.string()))
        table = pa.csv.read_csv(part.folder / f"{side}.csv", convert_options=texts)
        inside = ~np.isin(np.array(table["record_id"].to_pylist()), gone)
        pa.csv.write_csv(table.filter(pa.array(inside)), folder / f"{side}.csv")
    (folder / "plan.yaml").write_text((part.folder / "plan.yaml").read_text())
    pairs = [pair for pair, kept in zip(part.pairs, stays, strict=True) if kept]
    return Part(folder, read_plan(folder / "plan.yaml"), pairs)


def _columns(part: Part, side: str) -> list[str]:
    return (part.folder / f"{side}.csv").read_text(encoding="utf-8").partition("\n")[0].strip().split(",")


def _joined(parts: list[Told]) -> Told:
    return Told(
        np.concatenate([one.confidence for one in parts]), np.concatenate([one.right for one in parts])
    )


if __name__ == "__main__":
    print("\n".join(main()))
