"""Proposals against their labels, as curves: is the confidence right, and what would accepting cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import workbench
from workbench.errors import InputError, StoreError
from workbench.reconcile.evaluation import reliability
from workbench.reconcile.intervals import share_of
from workbench.reconcile.plan import ReconciliationPlan, read_plan
from workbench.reconcile.proposal_files import read_proposals
from workbench.settings import Settings, load_settings
from workbench.workflows.reconciling import results_folder

_POINTS = 80
_FOLDER = "reconciliation/uploads"


@dataclass(frozen=True)
class ReliabilityBin:
    """Proposals of like confidence, and how many of them are right.

    Args:
        confidence: their mean confidence.
        right: share that is right, with `low` and `high`, its exact 95 % interval.
        count: how many there are.
    """

    confidence: float
    right: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class AcceptedPoint:
    """What accepting from a confidence on would do.

    Args:
        threshold: the confidence.
        accepted: share of all proposals that would be accepted, 0 to 1.
        precision: share of the labelled ones among them that is right, with its exact 95 % interval; None
            where none of them is labelled.
        expected: share that the confidences promise.
        labels: labelled ones among them.
    """

    threshold: float
    accepted: float
    precision: float | None
    low: float | None
    high: float | None
    expected: float
    labels: int


@dataclass(frozen=True)
class Curves:
    """Proposals against their labels.

    Args:
        proposals: how many there are.
        labels: of these, labelled.
        bins: the reliability diagram; empty without labels.
        accepted: by falling threshold.
    """

    proposals: int
    labels: int
    bins: tuple[ReliabilityBin, ...]
    accepted: tuple[AcceptedPoint, ...]


def plan_files(*, settings: Settings | None = None) -> dict[str, Path]:
    """Find plans by name: those that were uploaded to the lake, then those in `data/ledgers`."""
    lake = (settings or load_settings()).lake.absolute()
    found: dict[str, Path] = {}
    for place in (Path(workbench.__file__).parent.parent, Path.cwd()):
        found |= {file.stem: file for file in sorted((place / "data" / "ledgers").glob("*.yaml"))}
    uploaded = sorted((lake / _FOLDER).glob("*/plan.yaml"))
    return {f"uploaded: {file.parent.name}": file for file in uploaded} | found


def label_files(plan: Path) -> dict[str, Path]:
    """Find files of labels beside a plan: CSVs with left_id and right_id."""
    found = {}
    for file in sorted(plan.parent.glob("*.csv")):
        with file.open(encoding="utf-8", errors="replace") as opened:
            columns = {name.strip().strip('"') for name in opened.readline().split(",")}
        if {"left_id", "right_id"} <= columns:
            found[file.name] = file
    return found


def proposals_file(plan: Path, *, settings: Settings | None = None) -> Path | None:
    """Name the proposals of a plan in the lake; None where it was not matched yet.

    Raises:
        DocumentError: the plan holds what is not allowed.
    """
    file = results_folder(read_plan(plan), settings or load_settings()) / "proposals.parquet"
    return file if file.is_file() else None


def keep_upload(
    name: str, plan: str, files: Mapping[str, bytes], *, settings: Settings | None = None
) -> Path:
    """Keep ledgers and their plan in the lake.

    Args:
        name: what they are called there.
        plan: YAML that names the files.
        files: contents by the names of the files.
        settings: where the lake is.

    Returns:
        The plan's file.

    Raises:
        InputError: a name has signs that no file should have.
        DocumentError: the plan holds what is not allowed; nothing is kept of it then but the ledgers.
        StoreError: the lake cannot be written.
    """
    for given in (name, *files):
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_ .-]{0,79}", given) or given == "plan.yaml":
            raise InputError(f"name: given {given!r}; allowed: letters, digits, blanks, _, - and points")
    folder = (settings or load_settings()).lake.absolute() / _FOLDER / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        new = folder / "plan.new"
        new.write_text(plan, encoding="utf-8")
        try:
            read_plan(new)
            return new.replace(folder / "plan.yaml")
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from None


def plan_of(file: Path) -> ReconciliationPlan:
    """Read a plan.

    Raises:
        DocumentError: it holds what is not allowed.
    """
    return read_plan(file)


def proposal_curves(proposals: Path) -> Curves:
    """Hold proposals against the labels that stand with them.

    Raises:
        InputError: the file cannot be used, or holds no proposal.
    """
    table = read_proposals(proposals)
    if table.num_rows == 0:
        raise InputError(f"{proposals}: given no proposals; allowed: one or more")
    confidence = table["confidence"].to_numpy()
    truth = table["truth"].to_pylist()
    known = np.array([one is not None for one in truth])
    right = np.array([bool(one) for one in truth])
    bins: list[ReliabilityBin] = []
    if known.any():
        diagram = reliability(confidence[known], right[known])
        for mean, share, count in zip(diagram.confidence, diagram.share_right, diagram.count, strict=True):
            found = share_of(round(share * count), int(count))
            bins.append(ReliabilityBin(float(mean), found.value, found.low, found.high, int(count)))
    return Curves(table.num_rows, int(known.sum()), tuple(bins), _accepted(confidence, known, right))


def _accepted(confidence: np.ndarray, known: np.ndarray, right: np.ndarray) -> tuple[AcceptedPoint, ...]:
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    labels, hits = np.cumsum(known[order]), np.cumsum((known & right)[order])
    promised = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    # Equal confidences are accepted together, so only the last of each may be an end.
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    kept = np.unique(ends[np.linspace(0, len(ends) - 1, min(_POINTS, len(ends))).round().astype(int)])
    found = []
    for end in kept.tolist():
        count = int(labels[end])
        share = share_of(int(hits[end]), count) if count else None
        found.append(
            AcceptedPoint(
                threshold=float(ranked[end]),
                accepted=(end + 1) / len(ranked),
                precision=share.value if share else None,
                low=share.low if share else None,
                high=share.high if share else None,
                expected=float(promised[end]),
                labels=count,
            )
        )
    return tuple(found)
