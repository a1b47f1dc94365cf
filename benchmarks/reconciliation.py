"""Matching two bank ledgers: ours beside Splink 5, on records that no model was trained on."""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

from benchmarks.open_world import Part, joined, open_world
from workbench.reconcile.assignment import assign
from workbench.reconcile.blocking import find_candidates
from workbench.reconcile.certificate import certify
from workbench.reconcile.comparisons import prepare
from workbench.reconcile.evaluation import calibration, match_quality
from workbench.reconcile.labels import labels_table, resolve_labels
from workbench.reconcile.ledgers import read_ledgers
from workbench.reconcile.marginals import Edges
from workbench.reconcile.matching import match, read_and_block
from workbench.reconcile.scoring import propose, score
from workbench.reconcile.training import train, train_without_labels
from workbench.reconcile.workspace import Workspace
from workbench.settings import Settings

SEEDS = (0, 1, 2)
TARGETS = (0.99, 0.995)
FEW = 300


def ours(training: Part, testing: Part, *, labels: pa.Table | None, complete: bool) -> dict[str, Any]:
    """Train on one part and match the other."""
    settings = Settings(lake=training.folder / "lake")
    with Workspace(settings) as workspace:
        prepared = read_and_block(workspace, training.plan)
        begun = time.process_time()
        if labels is None:
            model = train_without_labels(workspace, training.plan, created="")
        else:
            truth = resolve_labels(workspace, labels, complete=complete)
            model = train(workspace, training.plan, truth, created="")
        trained = time.process_time() - begun
    with Workspace(settings) as workspace:
        times = [time.process_time()]
        read_ledgers(workspace, testing.plan)
        times.append(time.process_time())
        rules = find_candidates(workspace, testing.plan.blocking)
        prepare(workspace)
        times.append(time.process_time())
        propose(score(workspace, model), model)
        times.append(time.process_time())
    with Workspace(settings) as workspace:
        prepared = read_and_block(workspace, testing.plan)
        found = match(workspace, testing.plan, model, prepared)
    return _measured(*_pairs(found.proposals), testing) | {
        "train_s": trained,
        "block_s": times[2] - times[1],
        "score_s": times[3] - times[2],
        "pairs_per_record": rules[0].pairs / prepared.ledgers.left,
        "blocking_recall": _recall(found.edges, testing),
    }


def ours_at_once(folder: Path, seed: int) -> dict[str, Any]:
    """Train on half of the left records and match all; the proposals of the other half are measured."""
    training, testing = open_world(seed, folder)
    whole = joined(training, testing, folder / "whole")
    settings = Settings(lake=folder / "lake")
    with Workspace(settings) as workspace:
        prepared = read_and_block(workspace, whole.plan)
        begun = time.process_time()
        truth = resolve_labels(workspace, known_labels(training))
        model = train(workspace, whole.plan, truth, created="")
        trained = time.process_time()
        found = match(workspace, whole.plan, model, prepared)
        scored = time.process_time()
    pairs, confidence = _pairs(found.proposals)
    with (testing.folder / "left.csv").open(encoding="utf-8") as stream:
        tested = {line.split(",", 1)[0] for line in stream}
    chosen = [place for place, (left, _) in enumerate(pairs) if left in tested]
    return _measured([pairs[place] for place in chosen], confidence[chosen], testing) | {
        "train_s": trained - begun,
        "block_s": float("nan"),
        "score_s": scored - trained,
        "pairs_per_record": prepared.pairs / prepared.ledgers.left,
    }


def _pairs(proposals: pa.Table) -> tuple[list[tuple[str, str]], np.ndarray]:
    ids = (cast(list[list[str]], proposals[f"{side}_ids"].to_pylist()) for side in ("left", "right"))
    pairs = [(one[0], other[0]) for one, other in zip(*ids, strict=True)]
    return pairs, proposals["confidence"].to_numpy()


def _recall(edges: Edges, part: Part) -> float:
    with Workspace(Settings(lake=part.folder / "lake")) as workspace:
        read_and_block(workspace, part.plan)
        truth = resolve_labels(workspace, known_labels(part), complete=True)
    return float((truth.of_pairs(edges.left, edges.right) == 1).sum()) / truth.matches


def splink(testing: Part, *, own_blocking: bool) -> dict[str, Any]:
    """Let Splink learn and score, and choose one to one from its probabilities."""
    from benchmarks.splink_peer import match_with_splink

    scored, seconds = match_with_splink(testing, own_blocking=own_blocking)
    lefts, left = np.unique(scored["left"], return_inverse=True)
    rights, right = np.unique(scored["right"], return_inverse=True)
    order = np.lexsort((right, left))
    edges = Edges(left[order], right[order], scored["probability"].to_numpy()[order])
    chosen = assign(edges, edges.probability)
    pairs = [(str(lefts[edges.left[one]]), str(rights[edges.right[one]])) for one in chosen]
    return _measured(pairs, edges.probability[chosen], testing) | {
        "train_s": seconds["train"],
        "block_s": float("nan"),
        "score_s": seconds["score"],
    }


def _measured(pairs: list[tuple[str, str]], confidence: np.ndarray, part: Part) -> dict[str, Any]:
    """Measure proposals; one half, drawn at random, certifies, the other tells what that is worth."""
    truth = set(part.pairs)
    right = np.array([pair in truth for pair in pairs], np.bool_)
    confidence = np.clip(confidence, 0.0, 1.0)
    rng = np.random.default_rng(1)
    found = calibration(confidence, right, rng)
    likely = confidence >= 0.5
    matched = sorted(left for left, _ in part.pairs)
    halves = dict(zip(matched, rng.random(len(matched)) < 0.5, strict=True))
    certifying = np.array([halves.get(left, rng.random() < 0.5) for left, _ in pairs], np.bool_)
    there = sum(not half for half in halves.values())
    shares = {}
    for target in TARGETS:
        threshold = certify(confidence[certifying], right[certifying], target=target).threshold
        accepted = ~certifying & (confidence >= (2.0 if threshold is None else threshold))
        shares[f"share_{target}"] = float((accepted & right).sum() / there)
        shares[f"precision_{target}"] = float(right[accepted].mean()) if accepted.any() else float("nan")
    only = calibration(confidence[likely], right[likely], rng)
    return {
        "f1": match_quality(confidence, right, true_matches=len(part.pairs)).f1,
        "ece": found.ece,
        "floor": found.ece_floor,
        "brier": found.brier,
        "log_loss": found.log_loss,
        "likely_ece": only.ece,
        "likely_log_loss": only.log_loss,
        **shares,
    }


def known_labels(part: Part, count: int | None = None, *, seed: int = 0) -> pa.Table:
    """Give the truth about all left records, or about some drawn at random."""
    with (part.folder / "left.csv").open(encoding="utf-8") as stream:
        left = [line.split(",", 1)[0] for line in stream][1:]
    partner = dict(part.pairs)
    chosen = np.random.default_rng(seed).permutation(left)[:count].tolist()
    return labels_table(chosen, [partner.get(one, "") for one in chosen])


CONTENDERS: Mapping[str, Callable[[Part, Part], dict[str, Any]]] = {
    "Splink 5, its demo's rules": lambda _training, testing: splink(testing, own_blocking=True),
    "Splink 5, our rule": lambda _training, testing: splink(testing, own_blocking=False),
    "ours, no labels": lambda training, testing: ours(training, testing, labels=None, complete=False),
    f"ours, {FEW} labels": lambda training, testing: ours(
        training, testing, labels=known_labels(training, FEW), complete=False
    ),
    "ours, all labels": lambda training, testing: ours(
        training, testing, labels=known_labels(training), complete=True
    ),
}


AT_ONCE = "ours, all at once"
"""Both parts in one matching, so that records have more rivals; labels of one part only."""


def measure(contender: str, seed: int) -> dict[str, Any]:
    """Measure one contender in a process of its own, so that memory is its own too."""
    command = [sys.executable, "-m", "benchmarks.reconciliation", "--one", contender, "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> list[str]:
    """Give the lines of the table."""
    names = [*CONTENDERS, AT_ONCE]
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for seed in SEEDS:  # contenders take turns
        for name in names:
            results[name].append(measure(name, seed))
    full = results["ours, all labels"]
    least = min(one["blocking_recall"] for one in full)
    most = max(one["pairs_per_record"] for one in full)
    lines = [
        f"Open world: a fifth of each side dropped, split by transaction, mean of {len(SEEDS)} seeds (in "
        f"brackets the worst). Blocking recall at least {least:.4f} at {most:.2f} pairs a record at most. "
        "Splink's scoring blocks too. Half of the tested records certify, the other half shows what that is "
        "worth.",
        "",
        "| system | F1 | ECE | its floor | Brier | log loss | ECE from 1/2 | accepted and right, of the true "
        "matches, certified at 99 / 99.5 % | precision at 99 % | train CPU-s | block CPU-s | score CPU-s "
        "| peak MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    return lines + [_line(name, found) for name, found in results.items()]


def _line(name: str, found: list[dict[str, Any]]) -> str:
    def mean(key: str) -> float:
        return statistics.fmean(one[key] for one in found)

    def both(key: str, worst: Callable[[list[float]], float]) -> str:
        return f"{mean(key):.4f} ({worst([one[key] for one in found]):.4f})"

    shares = " / ".join(f"{mean(f'share_{target}'):.3f}" for target in TARGETS)
    cells = [
        name,
        both("f1", min),
        both("ece", max),
        f"{mean('floor'):.4f}",
        both("brier", max),
        both("log_loss", max),
        both("likely_ece", max),
        shares,
        f"{mean('precision_0.99'):.4f} ({min(one['precision_0.99'] for one in found):.4f})",
        *(f"{mean(key):.2f}".replace("nan", "-") for key in ("train_s", "block_s", "score_s")),
        f"{mean('peak_mb'):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _one(contender: str, seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if contender == AT_ONCE:
            found = ours_at_once(folder, seed)
        else:
            found = CONTENDERS[contender](*open_world(seed, folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found | {"peak_mb": peak}))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--one", choices=[*CONTENDERS, AT_ONCE])
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    if given.one:
        _one(given.one, given.seed)
    else:
        print("\n".join(main()))
