"""Ledgers as records that can be compared: whole cents, days, texts without case and accents.

Nothing is dropped: a record that cannot be used stops the reconciliation with its place, or is set
aside with a named reason, as the plan says. Records are numbered from 0 in the order of what they
hold, so that no result depends on the order of the file; ids part only records alike in all else.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import LedgerError, Problem
from workbench.reconcile.plan import TEXT_FIELDS, Ledger, ReconciliationPlan
from workbench.reconcile.results import Side
from workbench.reconcile.sources import read_source
from workbench.reconcile.workspace import Workspace

_LONGEST_TEXT = 10_000
_SHOWN = 20
_OPPOSED = 0.9
"""Share of the amounts with one sign from which on a ledger counts as written with that sign."""
_TELLING = 10
"""Amounts from which on that is judged."""

ALLOWED = {
    "missing_id": "a value in every record",
    "duplicate_id": "each id once",
    "missing_amount": "a value in every record",
    "unreadable_amount": "money in digits with at most 15 before the decimal mark, such as 1234.56 or -7",
    "not_whole_cents": "at most two digits after the decimal mark",
    "unreadable_date": "a day such as 2024-05-31, or as `date_format` says",
    "no_time_zone": "days, or `time_zone` in the plan, which says when a day begins",
    "unreadable_currency": "three letters, such as GBP",
    "text_too_long": f"texts of at most {_LONGEST_TEXT:,} characters",
}
"""Why a record cannot be used, and what can."""

_KEYS = {
    "missing_id": "id",
    "duplicate_id": "id",
    "missing_amount": "amount",
    "unreadable_amount": "amount",
    "not_whole_cents": "amount",
    "unreadable_date": "date",
    "no_time_zone": "date",
    "unreadable_currency": "currency",
    "text_too_long": "text",
}


@dataclass(frozen=True)
class Finding:
    """Something about a ledger that its owner should know; it stops nothing."""

    side: Side
    what: str
    count: int
    meaning: str


@dataclass(frozen=True)
class Ledgers:
    """Two ledgers in a workspace, as the tables `left_records` and `right_records`."""

    left: int
    """Records of the left ledger that can be used."""
    right: int
    set_aside: int
    """Records of both that cannot; they are in `left_aside` and `right_aside`."""
    findings: tuple[Finding, ...]


def read_ledgers(workspace: Workspace, plan: ReconciliationPlan) -> Ledgers:
    """Read both ledgers into a workspace.

    Raises:
        LedgerError: a source cannot be read, or has records that cannot be used where the plan
            refuses those.
    """
    counts, findings, aside = {}, [], 0
    for side, ledger in ((Side.LEFT, plan.left), (Side.RIGHT, plan.right)):
        name = read_source(workspace, ledger, side)
        workspace.run(_checked_sql(side, ledger))
        aside += _refuse(workspace, side, ledger, name)
        workspace.run(_records_sql(side, ledger))
        workspace.run(f"create or replace table {side}_aside as {_aside_sql(side)}")
        counts[side] = workspace.rows(f"select count(*) as count from {side}_records")[0]["count"]
        findings += _findings(workspace, side)
        workspace.run(f"drop table {side}_raw")
    _refuse_opposed_signs(workspace, plan)
    findings += _currencies(workspace)
    return Ledgers(counts[Side.LEFT], counts[Side.RIGHT], aside, tuple(findings))


def _checked_sql(side: Side, ledger: Ledger) -> str:
    """Add to each raw record why it cannot be used, or null."""
    mark, parter = ("\\.", ",") if ledger.decimal == "." else (",", ".")
    number = rf"^([-+]?|\()(\d{{1,15}}|\d{{1,3}}([{parter}]\d{{3}}){{1,4}})({mark}\d*)?(\)|-)?$"
    whole = rf"({mark}\d{{0,2}}0*)?[)-]?$"
    return rf"""
        create or replace table {side}_checked as
        select *, case
            when id is null then 'missing_id'
            when count(*) over (partition by id) > 1 then 'duplicate_id'
            when amount is null then 'missing_amount'
            when not regexp_matches(amount, '{number}')
                or (starts_with(amount, '(') <> ends_with(amount, ')')) then 'unreadable_amount'
            when not regexp_matches(regexp_replace(amount, '^[(+-]?[\d{parter}]*', ''), '^{whole}')
                then 'not_whole_cents'
            when {_zoned("date")} and {ledger.time_zone is None} then 'no_time_zone'
            when date is not null and {_day_sql(ledger)} is null then 'unreadable_date'
            when not regexp_full_match(upper(currency), '[A-Z]{{3}}') then 'unreadable_currency'
            when greatest(length(id), length(text), length(reference), length(party)) > {_LONGEST_TEXT}
                then 'text_too_long'
            end as problem
        from {side}_raw
        """


def _zoned(column: str) -> str:
    return rf"coalesce(regexp_matches({column}, '\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$'), false)"


def _day_sql(ledger: Ledger) -> str:
    plain = "case when regexp_matches(date, '^\\d{4}-\\d\\d-\\d\\d') then try_cast(date as date) end"
    if ledger.date_format is not None:
        written = ledger.date_format.replace("'", "''")
        plain = f"coalesce(try_strptime(date, '{written}')::date, {plain})"
    if ledger.time_zone is None:
        return plain
    moment = f"(try_cast(date as timestamptz) at time zone '{ledger.time_zone}')::date"
    return f"case when {_zoned('date')} then {moment} else {plain} end"


def _cents_sql(ledger: Ledger) -> str:
    mark, parter = ("\\.", ",") if ledger.decimal == "." else (",", ".")
    digits = f"regexp_extract(amount, '^[(+-]?([\\d{parter}]+)', 1)"
    units = f"replace({digits}, '{parter}', '')::bigint"
    parts = f"rpad(left(regexp_extract(amount, '{mark}(\\d*)', 1), 2), 2, '0')::bigint"
    negative = "(starts_with(amount, '-') or starts_with(amount, '(') or ends_with(amount, '-'))"
    if ledger.amounts == "negated":
        negative = f"not {negative}"
    return f"({units} * 100 + {parts}) * case when {negative} then -1 else 1 end"


def _records_sql(side: Side, ledger: Ledger) -> str:
    fixed = f"'{ledger.currency}'" if ledger.currency else "null"
    texts = ", ".join(
        f"nullif(trim(regexp_replace(strip_accents(upper({field})), '\\s+', ' ', 'g')), '') as {field}"
        for field in TEXT_FIELDS
    )
    order = ", ".join(f"{field} nulls first" for field in ("cents", "date", "currency", *TEXT_FIELDS, "id"))
    return f"""
        create or replace table {side}_records as
        with parsed as (
            select id, row, {_day_sql(ledger)} as date, {_cents_sql(ledger)} as cents,
                coalesce(upper(currency), {fixed}) as currency, {texts}
            from {side}_checked where problem is null
        )
        select (row_number() over (order by {order}) - 1)::integer as n, *,
            datediff('day', date '1970-01-01', date)::integer as day
        from parsed order by n
        """


def _aside_sql(side: Side) -> str:
    return (
        f"select coalesce(id, 'row ' || row) as id, row, problem from {side}_checked "
        "where problem is not null"
    )


def _refuse(workspace: Workspace, side: Side, ledger: Ledger, name: str) -> int:
    counts = workspace.rows(
        f"select problem, count(*) as count, (select count(*) from {side}_raw) as records "
        f"from {side}_checked where problem is not null group by problem order by problem"
    )
    found = sum(row["count"] for row in counts)
    empty = [row for row in counts if row["count"] == row["records"] and row["problem"].startswith("missing")]
    if empty:
        key = _KEYS[empty[0]["problem"]]
        column = ledger.columns.named()[key]
        given = f"no value in any of {found:,} records"
        raise LedgerError([Problem(name, 0, f"{key} (column {column})", given, "a column with values")])
    if found == 0 or ledger.unusable == "set_aside":
        return int(found)
    shown = workspace.rows(
        f"select *, left(coalesce(id, ''), 60) as short from {side}_checked where problem is not null "
        f"order by row limit {_SHOWN}"
    )
    problems = [
        Problem(
            f"{name}, record {row['row']}",
            0,
            _KEYS[row["problem"]],
            _given(row[_KEYS[row["problem"]]], row["problem"]),
            ALLOWED[row["problem"]],
        )
        for row in shown
    ]
    kinds = ", ".join(f"{row['count']:,} {row['problem']}" for row in counts)
    rest = Problem(
        name,
        0,
        "unusable",
        f"{found:,} records that cannot be used ({kinds})",
        "none, or `unusable: set_aside`",
    )
    raise LedgerError([*problems, rest])


def _given(value: str | None, problem: str) -> str:
    if problem == "text_too_long":
        return "a text that is longer"
    if value is None:
        return "nothing"
    return repr(value if len(value) <= 60 else f"{value[:60]}...")


def _findings(workspace: Workspace, side: Side) -> list[Finding]:
    aside = workspace.rows(f"select problem, count(*) as count from {side}_aside group by all order by all")
    found = [
        Finding(side, row["problem"], row["count"], f"set aside; allowed: {ALLOWED[row['problem']]}")
        for row in aside
    ]
    signs = workspace.rows(
        f"select count(*) filter (cents > 0) as above, count(*) filter (cents < 0) as below, "
        f"count(*) filter (cents = 0) as zero, count(*) filter (date is null) as undated, "
        f"count(*) filter (currency is null) as unknown from {side}_records"
    )[0]
    alike = workspace.rows(
        f"select coalesce(sum(count), 0)::bigint as count from (select count(*) as count from {side}_records "
        f"group by cents, date, currency, {', '.join(TEXT_FIELDS)} having count(*) > 1)"
    )[0]["count"]
    zones = workspace.rows(
        f"select count(*) filter ({_zoned('date')}) as with_offset, "
        f"count(*) filter (date is not null and not {_zoned('date')}) as without from {side}_checked "
        "where problem is null"
    )[0]
    mixed = zones["without"] if zones["with_offset"] else 0
    rarer = min(signs["above"], signs["below"])
    wrong = "below" if signs["below"] == rarer else "above"
    for what, count, meaning in (
        ("alike", alike, "records alike in all but their id; where they compete the match is ambiguous"),
        ("rare_sign", rarer, f"amounts {wrong} zero, unlike the others; they match the same sign only"),
        ("zero_amount", signs["zero"], "amounts of zero"),
        ("no_offset", mixed, "dates without an offset beside others with one; taken as days of `time_zone`"),
        ("no_date", signs["undated"], "records without a date; rules over days do not find them"),
    ):
        if count:
            found.append(Finding(side, what, count, meaning))
    return found


def _refuse_opposed_signs(workspace: Workspace, plan: ReconciliationPlan) -> None:
    shares = [
        workspace.rows(
            f"select case when count(*) >= {_TELLING} then avg((cents > 0)::double) else 0.5 end as share "
            f"from {side}_records where cents <> 0"
        )[0]["share"]
        for side in Side
    ]
    if min(shares) <= 1 - _OPPOSED and max(shares) >= _OPPOSED:
        given = f"{shares[0]:.0%} of the left and {shares[1]:.0%} of the right amounts above zero"
        allowed = "ledgers of one sign; set `amounts: negated` in one of them"
        raise LedgerError([Problem(plan.name, 0, "right.amounts", given, allowed)])


def _currencies(workspace: Workspace) -> list[Finding]:
    """Tell of records in a currency that the other ledger does not have."""
    found = []
    for side, other in ((Side.LEFT, Side.RIGHT), (Side.RIGHT, Side.LEFT)):
        rows = workspace.rows(
            f"select currency, count(*) as count from {side}_records where currency is not null and "
            f"not exists (from {other}_records o where o.currency is null) and "
            f"currency not in (select currency from {other}_records) group by currency order by currency"
        )
        found += [
            Finding(
                side, "other_currency", row["count"], f"in {row['currency']}, which the {other} ledger lacks"
            )
            for row in rows
        ]
    return found
