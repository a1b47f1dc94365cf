"""A million records a side: processor time and memory of reading, blocking, scoring and proposing."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from workbench.documents import check
from workbench.reconcile.labels import labels_table, resolve_labels
from workbench.reconcile.matching import match, read_and_block
from workbench.reconcile.plan import ReconciliationPlan
from workbench.reconcile.training import train
from workbench.reconcile.workspace import Workspace
from workbench.settings import Settings

RECORDS = 1_000_000
LABELLED = 20_000
MEMORY = "1GB"
COLUMNS = {"id": "id", "date": "day", "amount": "amount", "text": "memo"}


def payments_sql(side: str, records: int, offset: int) -> str:
    """Write payments of which four in five stand on both sides, 1 to 21 days and a few per cent apart."""
    shifted = side == "right"
    chance = "(hash(n, '{}') % 1000000) / 1000000.0".format
    name = (
        "upper(substr(md5((hash(n, 'name') % 40000)::varchar), 1, 5)) || ' ' || "
        "upper(substr(md5((hash(n, 'last') % 9000)::varchar), 1, 4))"
    )
    words = "case when {} < 0.3 then ' payment' when {} < 0.5 then ' BGC' else '' end"
    memo = f"{name} || {words.format(chance('word'), chance('word'))}"
    day = "date '2024-01-01' + (hash(n, 'day') % 365)::int"
    amount = f"exp(3 + 5 * {chance('amount')})"
    if shifted:
        memo = f"case when {chance('cut')} < 0.3 then {name} else {memo} end"
        day = f"{day} + (1 + hash(n, 'later') % 21)::int"
        off = f"case when {chance('same')} < 0.3 then 0 else 0.08 * ({chance('off')} - 0.5) end"
        amount = f"{amount} * (1 + {off})"
    return (
        f"select '{side[0]}' || n as id, {day} as day, ({amount})::decimal(12, 2) as amount, {memo} as memo "
        f"from range({offset}, {round(records / 0.8) + offset}) t(n) "
        f"where hash(n, '{side}') % 10 < 8 order by hash(n, '{side} order')"
    )


def plan_in(folder: Path, records: int, offset: int) -> ReconciliationPlan:
    """Write both ledgers as Parquet."""
    folder.mkdir()
    for side in ("left", "right"):
        duckdb.sql(
            f"copy ({payments_sql(side, records, offset)}) to '{folder / side}.parquet' (format parquet)"
        )
    ledgers = {side: {"file": f"{side}.parquet", "columns": COLUMNS} for side in ("left", "right")}
    rule = {"name": "memo", "prefix": {"text": 3}, "days": [0, 30], "amount": "15%"}
    content = {"name": "scale", **ledgers, "blocking": {"rules": [rule]}}
    return check(content, ReconciliationPlan, name="scale", folder=folder)


@contextmanager
def timed(lines: list[str], what: str, count: Callable[[], str]) -> Iterator[None]:
    """Add a line with the processor time of a step and the peak of memory so far."""
    begun = time.process_time()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines.append(f"| {what} | {time.process_time() - begun:.1f} | {count()} | {peak:,.0f} |")


def main(records: int = RECORDS) -> list[str]:
    """Give the lines of the table."""
    lines = ["| step | CPU-s | | peak MB so far |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(lake=folder / "lake", duckdb_memory=MEMORY)
        training = plan_in(folder / "training", LABELLED, 10 * records)
        with Workspace(settings) as workspace, timed(lines, "train", lambda: f"{LABELLED:,} labels"):
            read_and_block(workspace, training)
            ids = [row["id"] for row in workspace.rows("select id from left_records order by n")]
            labels = labels_table(ids, [f"r{one[1:]}" for one in ids])
            model = train(workspace, training, resolve_labels(workspace, labels), created="")
        plan = plan_in(folder / "large", records, 0)
        with Workspace(settings) as workspace:
            sizes: dict[str, str] = {}
            with timed(lines, "read and block", lambda: sizes["pairs"]):
                prepared = read_and_block(workspace, plan)
                sizes["pairs"] = (
                    f"{prepared.ledgers.left:,} and {prepared.ledgers.right:,} records, "
                    f"{prepared.pairs:,} pairs"
                )
            with timed(lines, "score and propose", lambda: sizes["proposals"]):
                found = match(workspace, plan, model, prepared)
                sizes["proposals"] = f"{found.proposals.num_rows:,} proposals"
            right = sum(
                one[0][1:] == other[0][1:]
                for one, other in zip(
                    found.proposals["left_ids"].to_pylist(),
                    found.proposals["right_ids"].to_pylist(),
                    strict=True,
                )
            )
    lines.append(f"| of the proposals right | | {right / found.proposals.num_rows:.4f} | |")
    return lines


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--records", type=int, default=RECORDS)
    print("\n".join(main(arguments.parse_args().records)))
