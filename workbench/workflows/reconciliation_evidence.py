"""Explaining why a record was matched as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.errors import InputError, NotFoundError
from workbench.reconcile.comparisons import compare
from workbench.reconcile.evidence import contributions
from workbench.reconcile.matching import read_and_block
from workbench.reconcile.model import ReconciliationModel
from workbench.reconcile.persistence import load_model
from workbench.reconcile.proposal_files import read_breaks, read_proposals
from workbench.reconcile.results import Side
from workbench.reconcile.workspace import Workspace
from workbench.settings import Settings, load_settings
from workbench.workflows.reconciliation_views import CandidateView, EvidenceView, FieldView
from workbench.workflows.reconciling import PlanSource, model_file, resolved_plan, results_folder

_MOST_CANDIDATES = 4
_FIELDS = ("n", "id", "date", "cents", "currency", "text", "reference", "party")


def explain_match(
    plan: PlanSource,
    record: str,
    *,
    side: Side = Side.LEFT,
    model: Path | None = None,
    folder: Path | None = None,
    settings: Settings | None = None,
) -> EvidenceView:
    """Tell why a record was matched as it was, beside its other candidates.

    Args:
        plan: the plan under which `match_ledgers` ran, or its YAML file.
        record: id of the record.
        side: the ledger that it is of.
        model: the model that proposed; that of the plan in the lake by default.
        folder: where `match_ledgers` wrote; in the lake by default.
        settings: where the lake is, threads and memory.

    Raises:
        NotFoundError: the ledger has no such record.
        InputError: nothing was matched yet, or with other ledgers.
        ModelError: the model is missing or does not fit.
    """
    given, place = resolved_plan(plan), settings or load_settings()
    fitted = load_model(model or model_file(given, place))
    fitted.check(given)
    proposal, reason = _outcome(folder or results_folder(given, place), record, side)
    with Workspace(place) as workspace:
        read_and_block(workspace, given)
        numbers = workspace.rows(f"select n from {side}_records where id = $id", {"id": record})
        if not numbers and reason is None:
            raise NotFoundError(f"record: given {record!r}; allowed: an id of the {side} ledger")
        candidates = _candidates(workspace, fitted, side, numbers[0]["n"]) if numbers else []
    first = (proposal["left_ids"][0], proposal["right_ids"][0]) if proposal else None
    candidates.sort(key=lambda one: ((one.left_id, one.right_id) != first, -one.pair_probability))
    return EvidenceView(
        plan=given.name,
        record_id=record,
        side=side.value,
        proposal=proposal,
        break_reason=reason,
        candidates=candidates[:_MOST_CANDIDATES],
    )


def _outcome(folder: Path, record: str, side: Side) -> tuple[dict[str, Any] | None, str | None]:
    """Find what became of a record: its proposal, or the reason why it has none."""
    proposals, breaks = folder / "proposals.parquet", folder / "breaks.parquet"
    if not proposals.is_file() or not breaks.is_file():
        raise InputError(
            f"{folder}: given no proposals; allowed: those that `workbench reconcile match` writes"
        )
    table = read_proposals(proposals)
    ids = table[f"{side}_ids"].to_pylist()
    held = [number for number, own in enumerate(ids) if own and record in own]
    if held:
        row = table.slice(held[0], 1).to_pylist()[0]
        return row | {"date": row["date"].isoformat() if row["date"] else None}, None
    table = read_breaks(breaks)
    mask = np.array([one == record for one in table["record_id"].to_pylist()], np.bool_)
    mask &= np.array([one == side for one in table["side"].to_pylist()], np.bool_)
    rows = table.filter(pa.array(mask)).to_pylist()
    if not rows:
        raise NotFoundError(
            f"record: given {record!r}, which is in neither {proposals.name} nor {breaks.name}; allowed: "
            f"an id of the {side} ledger (--side), as it was when it was matched"
        )
    return None, str(rows[0]["reason"])


def _candidates(
    workspace: Workspace, model: ReconciliationModel, side: Side, number: int
) -> list[CandidateView]:
    found = []
    key = "l" if side is Side.LEFT else "r"
    for part in compare(workspace, where=f"{key} = {number}"):
        probability = model.pair_probability(part.values)
        for place in np.argsort(-probability, kind="stable"):
            told = contributions(model, part.values[place])
            records = {
                one.value: _record(workspace, one, int(numbers[place]))
                for one, numbers in ((Side.LEFT, part.left), (Side.RIGHT, part.right))
            }
            found.append(
                CandidateView(
                    left_id=records["left"]["id"],
                    right_id=records["right"]["id"],
                    pair_probability=float(probability[place]),
                    records=records,
                    fields=[
                        FieldView(field=one.field, log_odds=one.log_odds, compared=one.compared)
                        for one in told.fields
                    ],
                    typical=told.typical,
                )
            )
    return found


def _record(workspace: Workspace, side: Side, number: int) -> dict[str, Any]:
    row = workspace.rows(f"select {', '.join(_FIELDS)} from {side}_records where n = {number}")[0]
    del row["n"]
    return row | {"date": row["date"].isoformat() if row["date"] else None}
