"""From two ledgers and a model to the tables of proposals and breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.reconcile.blocking import RuleCounts, find_candidates
from workbench.reconcile.comparisons import prepare
from workbench.reconcile.labels import Truth
from workbench.reconcile.ledgers import Ledgers, read_ledgers
from workbench.reconcile.marginals import Edges
from workbench.reconcile.model import ReconciliationModel
from workbench.reconcile.plan import ReconciliationPlan
from workbench.reconcile.results import Kind, Reason, Side, proposal_id
from workbench.reconcile.scoring import Proposed, propose, score
from workbench.reconcile.splits import SplitFinding, add_splits
from workbench.reconcile.workspace import Workspace
from workbench.tables import BREAKS, PROPOSALS

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Two ledgers, read, with their candidates."""

    ledgers: Ledgers
    rules: list[RuleCounts]

    @property
    def pairs(self) -> int:
        """Count the candidates."""
        return sum(rule.new_pairs for rule in self.rules)


@dataclass(frozen=True, eq=False)
class Matched:
    """What a reconciliation found."""

    prepared: Prepared
    edges: Edges
    proposed: Proposed
    proposals: pa.Table
    """Rows of `tables.PROPOSALS`, not yet decided."""
    breaks: pa.Table
    """Rows of `tables.BREAKS`."""
    splits: SplitFinding
    calibrated: bool
    """Whether labels stand behind the confidences of its pairs."""


def read_and_block(workspace: Workspace, plan: ReconciliationPlan) -> Prepared:
    """Read both ledgers and find the candidates.

    Raises:
        LedgerError: a ledger cannot be used.
        InputError: a blocking rule would find too many pairs.
    """
    ledgers = read_ledgers(workspace, plan)
    rules = find_candidates(workspace, plan.blocking)
    prepare(workspace)
    return Prepared(ledgers, rules)


def match(
    workspace: Workspace,
    plan: ReconciliationPlan,
    model: ReconciliationModel,
    prepared: Prepared,
    *,
    truth: Truth | None = None,
) -> Matched:
    """Propose partners.

    Args:
        workspace: holds what `read_and_block` read.
        plan: under which it was read.
        model: fitted.
        prepared: what `read_and_block` told.
        truth: labels, for the column of that name.

    Raises:
        ModelError: the plan is not one that the model knows.
    """
    model.check(plan)
    edges = score(workspace, model)
    proposed = propose(edges, model)
    proposals = _proposals(workspace, plan, edges, proposed, calibrated=model.calibrated, truth=truth)
    proposals, splits = add_splits(workspace, plan, proposals)
    return Matched(
        prepared,
        edges,
        proposed,
        proposals,
        _breaks(workspace, proposals),
        splits,
        model.calibrated,
    )


def _proposals(
    workspace: Workspace,
    plan: ReconciliationPlan,
    edges: Edges,
    proposed: Proposed,
    *,
    calibrated: bool,
    truth: Truth | None,
) -> pa.Table:
    sides = [
        workspace.table(f"select id, cents, currency, date from {side}_records order by n").combine_chunks()
        for side in Side
    ]
    left, right = edges.left[proposed.edge], edges.right[proposed.edge]
    mine, theirs = (side.take(number) for side, number in zip(sides, (left, right), strict=True))
    rival_ids = [
        _rival_ids(side["id"], numbers, proposed.rivals.edge)
        for side, numbers in zip(sides, (edges.left, edges.right), strict=True)
    ]
    found = _rules(workspace, plan, left, right)
    answer = truth.of_pairs(left, right) if truth is not None else np.full(len(left), -1, np.int8)
    left_ids, right_ids = (cast(list[str], side["id"].to_pylist()) for side in (mine, theirs))
    size = len(left)
    columns: dict[str, Any] = {
        "proposal_id": [proposal_id([one], [other]) for one, other in zip(left_ids, right_ids, strict=True)],
        "kind": [Kind.ONE_TO_ONE.value] * size,
        "left_ids": [[one] for one in left_ids],
        "right_ids": [[one] for one in right_ids],
        "left_cents": mine["cents"],
        "right_cents": theirs["cents"],
        "currency": pc.coalesce(mine["currency"], theirs["currency"]),
        "date": mine["date"],
        "confidence": proposed.confidence,
        "confidence_low": proposed.low,
        "confidence_high": proposed.high,
        "calibrated": [calibrated] * size,
        "pair_probability": edges.probability[proposed.edge],
        "marginal": proposed.marginal[proposed.edge],
        "rival_left_id": rival_ids[0],
        "rival_right_id": rival_ids[1],
        "margin": proposed.rivals.margin,
        "ambiguous": proposed.ambiguous,
        "rule": found[0],
        "rules": found[1],
        "truth": pa.array(answer == 1, mask=answer < 0),
    }
    return table_of(columns, PROPOSALS, size)


def _rival_ids(ids: pa.ChunkedArray[Any], numbers: NDArray[Any], rival: NDArray[np.int64]) -> pa.Array[Any]:
    """Name the record of each rival on one side; null where there is no rival."""
    if len(numbers) == 0:
        return pa.nulls(len(rival), pa.string())
    names = np.asarray(ids.take(numbers[np.maximum(rival, 0)]).to_numpy(), object)
    return pa.array(names, pa.string(), mask=rival < 0)


def _rules(
    workspace: Workspace, plan: ReconciliationPlan, left: NDArray[Any], right: NDArray[Any]
) -> tuple[pa.Array[Any], pa.Array[Any]]:
    workspace.keep("chosen", pa.table({"l": pa.array(left), "r": pa.array(right)}))
    found = workspace.table("select rule, rules from chosen join candidates using (l, r) order by l, r")
    names = pa.array([rule.name for rule in plan.blocking.rules])
    return names.take(found["rule"].combine_chunks()), found["rules"].combine_chunks()


def table_of(columns: dict[str, Any], schema: pa.Schema, size: int) -> pa.Table:
    """Make a table of a schema; what is not given or None is null."""
    made = []
    for field in schema:
        values = columns.get(field.name)
        if values is None:
            made.append(pa.nulls(size, field.type))
        elif isinstance(values, pa.Array | pa.ChunkedArray):
            made.append(values.cast(field.type))
        else:
            made.append(pa.array(values, field.type))
    return pa.Table.from_arrays(made, schema=schema)


def _breaks(workspace: Workspace, proposals: pa.Table) -> pa.Table:
    """Name every record that no proposal has, and those that could not be used."""
    parts = []
    workspace.keep("proposed", proposals.select(["left_ids", "right_ids"]))
    for side, other, key in ((Side.LEFT, Side.RIGHT, "l"), (Side.RIGHT, Side.LEFT, "r")):
        parts.append(
            f"select '{side}' as side, id as record_id, cents, currency, date, case "
            f"when n in (select {key} from candidates) then '{Reason.RIVALS_WON}' "
            f"when currency is not null and not exists (select 1 from {other}_records o "
            f"where o.currency is null or o.currency = s.currency) then '{Reason.OTHER_CURRENCY}' "
            f"else '{Reason.NO_CANDIDATE}' end as reason, n as place "
            f"from {side}_records s where id not in (select unnest({side}_ids) from proposed) "
            f"union all select '{side}', id, null, null, null, problem, row from {side}_aside"
        )
    rows = workspace.table(
        f"select * exclude (place) from ({' union all '.join(parts)}) order by side, place, record_id"
    )
    return rows.cast(BREAKS)
