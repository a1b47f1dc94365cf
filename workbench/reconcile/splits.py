"""Split payments: one record whose amount is the sum of several of the other side.

Parts are sought among the records that share a key, lie within the days and have no good partner of
their own. Sums are whole cents. A pool of many records has many sums that agree by chance, so that a
pool beyond the plan's limit is left to people, and of several sums that agree none is preferred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple, cast

import numpy as np
import pyarrow as pa

from workbench.reconcile.plan import ReconciliationPlan, Splits
from workbench.reconcile.results import Kind, Side, proposal_id
from workbench.reconcile.workspace import Workspace
from workbench.tables import PROPOSALS

GOOD = 0.5
"""Confidence from which on a one-to-one proposal keeps its records out of splits."""

_WINDOW = 0.05
"""Share of the amount within which sums are counted to tell how many agree by chance."""


@dataclass(frozen=True)
class SplitFinding:
    """What the search for split payments met."""

    found: int = 0
    ambiguous: int = 0
    """Of these, with another split that is as good."""
    too_large: int = 0
    """Records whose pool was larger than the plan allows; they were not tried."""


class _Whole(NamedTuple):
    side: Side
    id: str
    cents: int
    date: Any
    currency: str | None
    pool: list[tuple[str, int, Any]]
    """Id, amount and date of the records that may be its parts."""


class SubsetSums(NamedTuple):
    """Subsets of a pool and what they sum to."""

    exact: list[tuple[int, ...]]
    """Positions of the parts of each subset that has the wanted sum; at most two are given."""
    near: int
    """Subsets whose sum is within a window of the wanted one, the exact ones left out."""


def add_splits(
    workspace: Workspace, plan: ReconciliationPlan, proposals: pa.Table
) -> tuple[pa.Table, SplitFinding]:
    """Add the split payments to one-to-one proposals, in place of weak ones on the same records."""
    if plan.splits is None:
        return proposals, SplitFinding()
    wholes, too_large = _wholes(workspace, plan.splits, proposals)
    rows = []
    for whole in wholes:
        sums = subset_sums(
            [cents for _, cents, _ in whole.pool], whole.cents, most_parts=plan.splits.most_parts
        )
        if sums.exact:
            rows.append(_row(whole, sums, plan.splits))
    rows = _marked_clashes(rows)
    used = {side: {one for row in rows for one in row[f"{side}_ids"]} for side in ("left", "right")}
    keep = np.ones(proposals.num_rows, np.bool_)
    for side, names in used.items():
        theirs = cast(list[list[str]], proposals[f"{side}_ids"].to_pylist())
        keep &= np.array([names.isdisjoint(ids) for ids in theirs], np.bool_)
    splits = pa.Table.from_pylist(rows, schema=PROPOSALS)
    finding = SplitFinding(len(rows), sum(row["ambiguous"] for row in rows), too_large)
    return pa.concat_tables([proposals.filter(keep), splits]), finding


def subset_sums(cents: Sequence[int], wanted: int, *, most_parts: int) -> SubsetSums:
    """Find the subsets of two or more amounts with a given sum.

    Both halves of the pool are summed apart and met in the middle, so that 20 amounts cost thousands
    of sums, not a million.

    Args:
        cents: amounts, at most 24.
        wanted: the sum, in cents.
        most_parts: amounts in a subset at most.

    >>> subset_sums([300, 500, 700], 1000, most_parts=3).exact
    [(0, 2)]
    """
    middle = len(cents) // 2
    first = _subsets(cents, range(middle), most_parts)
    second = _subsets(cents, range(middle, len(cents)), most_parts)
    order = np.argsort(second[0], kind="stable")
    sums, sizes = second[0][order], second[1][order]
    reach = max(1, int(abs(wanted) * _WINDOW))
    exact: list[tuple[int, ...]] = []
    near = 0
    for place, (total, size) in enumerate(zip(first[0].tolist(), first[1].tolist(), strict=True)):
        low, high = np.searchsorted(sums, (wanted - total - reach, wanted - total + reach + 1))
        fits = (sizes[low:high] + size <= most_parts) & (sizes[low:high] + size >= 2)
        agrees = fits & (sums[low:high] == wanted - total)
        near += int(fits.sum() - agrees.sum())
        for other in np.flatnonzero(agrees):
            if len(exact) < 2:
                exact.append(tuple(sorted((*first[2][place], *second[2][order[low + other]]))))
    return SubsetSums(exact, near)


def _subsets(
    cents: Sequence[int], positions: range, most: int
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.int64]], list[tuple[int, ...]]]:
    chosen = [some for size in range(min(most, len(positions)) + 1) for some in combinations(positions, size)]
    sums = np.array([sum(cents[place] for place in some) for some in chosen], np.int64)
    return sums, np.array([len(some) for some in chosen], np.int64), chosen


def _wholes(workspace: Workspace, splits: Splits, proposals: pa.Table) -> tuple[list[_Whole], int]:
    """Gather records without a good partner, each with the pool of its parts, in the order of content."""
    good = proposals.filter(proposals["confidence"].to_numpy() >= GOOD).select(["left_ids", "right_ids"])
    workspace.keep("well_matched", good)
    found, too_large = [], 0
    for side, other in ((Side.LEFT, Side.RIGHT), (Side.RIGHT, Side.LEFT)):
        low, high = splits.days if side is Side.LEFT else (-splits.days[1], -splits.days[0])
        rows = workspace.rows(
            f"""
            with free_whole as (select * from {side}_records
                    where id not in (select unnest({side}_ids) from well_matched)),
                free_part as (select * from {other}_records
                    where id not in (select unnest({other}_ids) from well_matched)),
                shared as (select {splits.key} as key from free_part where {splits.key} is not null
                    group by key having count(*) >= 2)
            select w.n, any_value(w.id) as id, any_value(w.cents) as cents, any_value(w.date) as date,
                any_value(w.currency) as currency, count(*) as size,
                case when count(*) <= {splits.most_pool} then list(p.id order by p.n) end as ids,
                case when count(*) <= {splits.most_pool} then list(p.cents order by p.n) end as parts,
                case when count(*) <= {splits.most_pool} then list(p.date order by p.n) end as dates
            from free_whole w join free_part p on p.{splits.key} = w.{splits.key}
            where w.{splits.key} in (select key from shared) and sign(p.cents) = sign(w.cents)
                and abs(p.cents) < abs(w.cents) and p.day - w.day between {low} and {high}
                and (w.currency is null or p.currency is null or w.currency = p.currency)
            group by w.n having count(*) >= 2 order by w.n
            """
        )
        for row in rows:
            if row["ids"] is None:
                too_large += 1
                continue
            pool = list(zip(row["ids"], row["parts"], row["dates"], strict=True))
            found.append(_Whole(side, row["id"], row["cents"], row["date"], row["currency"], pool))
    return found, too_large


def _row(whole: _Whole, sums: SubsetSums, splits: Splits) -> dict[str, Any]:
    """Make the proposal of a split.

    Its confidence weighs one real split against the sums that agree by chance, as many as subsets lie
    within the window, spread evenly. No label stands behind it.
    """
    parts = sorted(whole.pool[place][0] for place in sums.exact[0])
    latest = max(whole.pool[place][2] for place in sums.exact[0])
    reach = max(1, int(abs(whole.cents) * _WINDOW))
    by_chance = sums.near / (2 * reach)
    ids = ([whole.id], parts) if whole.side is Side.LEFT else (parts, [whole.id])
    others = len(sums.exact) - 1
    return {
        "proposal_id": proposal_id(*ids),
        "kind": Kind.SPLIT.value,
        "left_ids": ids[0],
        "right_ids": ids[1],
        "left_cents": whole.cents,
        "right_cents": whole.cents,
        "currency": whole.currency,
        "date": whole.date if whole.side is Side.LEFT else latest,
        "confidence": 1.0 / (1.0 + by_chance + others),
        "calibrated": False,
        "ambiguous": others > 0,
        "rule": f"split by {splits.key}",
        "rules": 1,
    }


def _marked_clashes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the first of splits that share a record, and mark it: either may be the right one."""
    taken: dict[tuple[str, str], dict[str, Any]] = {}
    kept = []
    for row in rows:
        records = [(side, one) for side in ("left", "right") for one in row[f"{side}_ids"]]
        rivals = [taken[record] for record in records if record in taken]
        for rival in rivals:
            rival["ambiguous"] = True
            rival["confidence"] = min(rival["confidence"], 0.5)
            rival["rival_left_id"], rival["rival_right_id"] = row["left_ids"][0], row["right_ids"][0]
        if not rivals:
            kept.append(row)
            taken |= dict.fromkeys(records, row)
    return kept
