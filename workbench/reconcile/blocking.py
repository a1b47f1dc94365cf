"""Candidate pairs: which records are worth comparing, found by rules in SQL.

A rule joins on the fields that agree and on buckets of days and of amounts, each as wide as its
window, so that a left record needs at most two buckets of each. What that join would yield is
counted from the sizes of the buckets before it runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.reconcile.plan import Blocking, BlockingRule
from workbench.reconcile.workspace import Workspace

_SAMPLE_WORK = 20_000_000
"""Pairs of a bucket join that estimating a rule may look at."""

_MOST_SAMPLED = 2_000
_FEW = 100
"""Pairs that every rule may find, however few records there are."""


@dataclass(frozen=True)
class RuleCounts:
    """What one blocking rule found."""

    rule: str
    pairs: int
    new_pairs: int
    """Of these, found by no rule before it."""


def find_candidates(workspace: Workspace, blocking: Blocking) -> list[RuleCounts]:
    """Fill the table `candidates` with the pairs that any rule finds.

    Its columns are `l` and `r`, the numbers of the records, `rule`, the number of the first rule that
    found the pair, from 0, `rules`, how many did, and `found_by`, which did, one bit each. It is sorted
    by `l`, then `r`.

    Raises:
        InputError: a rule would find more pairs than `most_pairs` a record; it has not run.
    """
    records = workspace.rows("select count(*) as count from left_records")[0]["count"]
    most = max(_FEW, math.ceil(blocking.most_pairs * records))
    workspace.run("create or replace table found (l integer, r integer, rule integer)")
    for number, rule in enumerate(blocking.rules):
        _refuse_exploding(workspace, rule, records=records, most=most, most_pairs=blocking.most_pairs)
        workspace.run(f"insert into found {pairs_sql(rule, number)}")
    workspace.run(
        "create or replace table candidates as select l, r, min(rule) as rule, count(*)::integer as rules, "
        "bit_or(1::bigint << rule) as found_by from found group by l, r order by l, r"
    )
    counts = workspace.rows(
        "select f.rule, count(*) as pairs, count(*) filter (c.rule = f.rule) as new_pairs "
        "from found f join candidates c using (l, r) group by f.rule"
    )
    workspace.run("drop table found")
    by_rule = {row["rule"]: row for row in counts}
    return [
        RuleCounts(rule.name, found["pairs"], found["new_pairs"])
        if (found := by_rule.get(number))
        else RuleCounts(rule.name, 0, 0)
        for number, rule in enumerate(blocking.rules)
    ]


def pairs_sql(rule: BlockingRule, number: int = 0, *, left: str = "left_records") -> str:
    """Write the query for a rule's pairs; `left` names the table of its left records."""
    return (
        f"select a.n as l, b.n as r, {number} as rule "
        f"from ({_bucketed_sql(rule, left, window=True)}) a "
        f"join ({_bucketed_sql(rule, 'right_records', window=False)}) b on {_bucket_join(rule)} "
        f"where {_condition(rule)}"
    )


def _texts(rule: BlockingRule) -> list[str]:
    texts = ["cents" if field == "amount" else field for field in rule.same]
    return texts + [f"left({field}, {length})" for field, length in rule.prefix.items()]


def _bucketed_sql(rule: BlockingRule, table: str, *, window: bool) -> str:
    """Give each record its buckets: all that its window touches on the left, its own on the right."""
    columns = [f"{text} as k{place}" for place, text in enumerate(_texts(rule))]
    buckets = []
    if rule.days is not None:
        low, high = rule.days
        buckets.append(_buckets("kd", "day", low, high, high - low + 1, window=window))
    if rule.amount is not None:
        # Logarithms only choose buckets; what is found is decided in whole cents.
        size = "ln(greatest(abs(cents), 1))"
        least, most = math.log1p(-rule.amount) - 1e-9, math.log1p(rule.amount) + 1e-9
        buckets.append(_buckets("ka", size, least, most, max(most - least, 1e-3), window=window))
        columns.append("sign(cents) as ks")
    present = " and ".join(
        f"{field} is not null" for field in [*rule.same, *rule.prefix] if field != "amount"
    )
    shown = ["n", "day", "cents", "currency", *columns, *(name for name, _ in buckets)]
    sources = [table, *(source for _, source in buckets)]
    where = f" where {present}" if present else ""
    return f"select {', '.join(shown)} from {', '.join(sources)}{where}"


def _buckets(
    name: str, value: str, low: float, high: float, width: float, *, window: bool
) -> tuple[str, str]:
    """Name the buckets of a record and write where they come from, one row each."""
    first, last = (low, high) if window else (0, 0)
    begin, end = (f"floor(({value} + {shift}) / {width})::bigint" for shift in (first, last))
    return name, f"unnest(range({begin}, {end} + 1)) as {name}_of({name})"


def _keys(rule: BlockingRule) -> list[str]:
    keys = [f"k{place}" for place in range(len(_texts(rule)))]
    keys += ["kd"] if rule.days is not None else []
    return keys + (["ka", "ks"] if rule.amount is not None else [])


def _bucket_join(rule: BlockingRule) -> str:
    return " and ".join(f"a.{key} = b.{key}" for key in _keys(rule))


def _condition(rule: BlockingRule) -> str:
    conditions = ["(a.currency is null or b.currency is null or a.currency = b.currency)"]
    if rule.days is not None:
        conditions.append(f"b.day - a.day between {rule.days[0]} and {rule.days[1]}")
    if rule.amount is not None:
        share = round(rule.amount * 1_000_000)
        conditions.append(f"abs(b.cents - a.cents)::hugeint * 1000000 <= {share} * abs(a.cents)::hugeint")
    return " and ".join(conditions)


def _refuse_exploding(
    workspace: Workspace, rule: BlockingRule, *, records: int, most: int, most_pairs: float
) -> None:
    if _bucket_pairs(workspace, rule, "left_records") <= most:
        return
    expected = _estimated_pairs(workspace, rule, records)
    if expected > most:
        raise InputError(
            f"blocking rule {rule.name!r}: given about {expected:,.0f} pairs, {expected / records:,.0f} a "
            f"left record; allowed: {most_pairs:g} a record; narrow the rule, or raise `most_pairs`; "
            "it has not run"
        )


def _bucket_pairs(workspace: Workspace, rule: BlockingRule, left: str) -> int:
    """Count what the bucket join would yield: at least as many pairs as the rule finds."""
    keys = ", ".join(_keys(rule))
    sizes = [
        f"select {keys}, count(*) as size from ({_bucketed_sql(rule, table, window=window)}) group by all"
        for table, window in ((left, True), ("right_records", False))
    ]
    found = workspace.rows(
        f"select coalesce(sum(a.size::double * b.size), 0) as pairs from ({sizes[0]}) a "
        f"join ({sizes[1]}) b on {_bucket_join(rule)}"
    )
    return int(found[0]["pairs"])


def _estimated_pairs(workspace: Workspace, rule: BlockingRule, records: int) -> float:
    """Run the rule on evenly spaced left records, few enough that the join stays small."""
    sampled = min(_MOST_SAMPLED, records)
    while True:
        step = -(-records // sampled)
        sample = f"(select * from left_records where n % {step} = 0)"
        work = _bucket_pairs(workspace, rule, sample)
        if work <= _SAMPLE_WORK:
            break
        if sampled == 1:
            return float(work) * records
        sampled = max(1, sampled // 8)
    found = workspace.rows(f"select count(*) as count from ({pairs_sql(rule, left=sample)})")[0]["count"]
    taken = -(-records // step)
    return float(found) * records / taken


def expected_matches(workspace: Workspace, blocking: Blocking, marginal: NDArray[np.float64]) -> list[float]:
    """Sum the probabilities of the candidates that each rule finds: the matches that it is expected to find.

    Args:
        workspace: holds the candidates.
        blocking: the rules.
        marginal: of each candidate, in their order.
    """
    bits = workspace.table("select found_by from candidates order by l, r")["found_by"].to_numpy()
    return [float(marginal[(bits >> number) & 1 == 1].sum()) for number in range(len(blocking.rules))]


def matches_found(
    workspace: Workspace, blocking: Blocking, left: NDArray[np.integer], right: NDArray[np.integer]
) -> tuple[list[int], int]:
    """Count the known matches that each rule finds, and that any of them does.

    Args:
        workspace: holds the ledgers and their candidates.
        blocking: the rules.
        left: numbers of the left records of the matches.
        right: numbers of the right ones, in the same order.
    """
    workspace.keep("known_matches", pa.table({"l": pa.array(left), "r": pa.array(right)}))
    known = "(select * from left_records where n in (select l from known_matches))"
    each = [
        workspace.rows(
            f"select count(*) as count from ({pairs_sql(rule, left=known)}) join known_matches using (l, r)"
        )[0]["count"]
        for rule in blocking.rules
    ]
    anyone = workspace.rows("select count(*) as count from candidates join known_matches using (l, r)")
    return each, anyone[0]["count"]
