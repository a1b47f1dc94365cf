"""What reviewers are shown of a proposal: its records as the ledgers have them, and no score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from workbench.reconcile.results import Side
from workbench.reconcile.review import Evidence
from workbench.reconcile.workspace import Workspace

_FIELDS = ("id", "date", "cents", "currency", "text", "reference", "party")


def ledger_evidence(workspace: Workspace, proposals: pa.Table) -> Evidence:
    """Look up the records of proposals, and of their rivals, in ledgers that were read.

    Args:
        workspace: holds the ledgers.
        proposals: rows of the proposals table.

    Returns:
        A function that gives the records of one of these proposals: `left`, `right` and `rival`, which
        is the best other claim on one of them.
    """
    records = {side: _records(workspace, proposals, side) for side in Side}

    def evidence(proposal: Mapping[str, Any]) -> Mapping[str, Any]:
        rival = [
            {"side": side.value, **records[side][name]}
            for side in Side
            if (name := proposal[f"rival_{side.value}_id"]) is not None
            and name not in proposal[f"{side.value}_ids"]
            and name in records[side]
        ]
        own = {
            side.value: [records[side].get(name, {"id": name}) for name in proposal[f"{side.value}_ids"]]
            for side in Side
        }
        return {**own, "rival": rival}

    return evidence


def _records(workspace: Workspace, proposals: pa.Table, side: Side) -> dict[str, dict[str, Any]]:
    workspace.keep("shown", proposals.select([f"{side.value}_ids", f"rival_{side.value}_id"]))
    rows = workspace.rows(
        f"select {', '.join(_FIELDS)} from {side.value}_records where id in "
        f"(select unnest({side.value}_ids) from shown union select rival_{side.value}_id from shown)"
    )
    return {
        row["id"]: {name: _plain(value) for name, value in row.items() if value is not None} for row in rows
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
