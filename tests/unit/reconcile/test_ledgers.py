"""Ledgers are read to the cent and the day; what cannot be used is named, never dropped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from workbench.documents import check
from workbench.errors import DocumentError, LedgerError
from workbench.reconcile.ledgers import Ledgers, read_ledgers
from workbench.reconcile.plan import ReconciliationPlan
from workbench.reconcile.workspace import Workspace

GOOD = [("a", "2024-01-01", "10.00", "X")]


@pytest.fixture
def read(workspace: Workspace, plan_for: Callable[..., ReconciliationPlan]) -> Callable[..., Ledgers]:
    """Return a function that reads these left rows beside one good right record."""

    def do(left: list[tuple[Any, ...]], right: Any = None, /, **other: Any) -> Ledgers:
        return read_ledgers(workspace, plan_for(left, right or GOOD, **other))

    return do


def amounts(workspace: Workspace) -> dict[str, int]:
    return {row["id"]: row["cents"] for row in workspace.rows("select id, cents from left_records")}


@pytest.mark.parametrize(
    ("written", "cents"),
    [
        ("0.29", 29),  # 0.29 * 100 is 28.999999999999996
        ("1.1", 110),
        ("7", 700),
        ("+7.05", 705),
        ("-3.20", -320),
        ("(3.20)", -320),
        ("3.20-", -320),
        ("12.5000", 1250),
        ("0.00", 0),
        ("123456789012345.67", 12345678901234567),
    ],
)
def test_money_is_whole_cents(read: Any, workspace: Workspace, written: str, cents: int):
    read([("a", "2024-01-01", written, "X")])
    assert amounts(workspace) == {"a": cents}


def test_thousands_and_decimal_marks_are_told_apart(read: Any, workspace: Workspace):
    read([("a", "2024-01-01", '"1.234,50"', "X")], left={"decimal": ","})
    assert amounts(workspace) == {"a": 123450}
    read([("a", "2024-01-01", '"1,234.50"', "X")])
    assert amounts(workspace) == {"a": 123450}


def test_a_ledger_may_be_negated(read: Any, workspace: Workspace):
    read([("a", "2024-01-01", "-5.00", "X"), ("b", "2024-01-01", "5.00", "X")], left={"amounts": "negated"})
    assert amounts(workspace) == {"a": 500, "b": -500}


@pytest.mark.parametrize(
    ("row", "key", "given"),
    [
        (("a", "2024-01-01", "ten", "X"), "amount", "'ten'"),
        (("a", "2024-01-01", "1.005", "X"), "amount", "'1.005'"),
        (("a", "2024-01-01", "1,5", "X"), "amount", "'1,5'"),
        (("a", "2024-01-01", "NaN", "X"), "amount", "'NaN'"),
        (("a", "2024-01-01", "(5", "X"), "amount", "'(5'"),
        (("a", "2024-01-01", None, "X"), "amount", "nothing"),
        (("a", "2024-02-30", "5", "X"), "date", "'2024-02-30'"),
        (("a", "31/01/2024", "5", "X"), "date", "'31/01/2024'"),
        (("a", "2024-01-01 23:30:00+02:00", "5", "X"), "date", "'2024-01-01 23:30:00+02:00'"),
        ((None, "2024-01-01", "5", "X"), "id", "nothing"),
        (("z", "2024-01-01", "5", "X"), "id", "'z'"),
        (("a", "2024-01-01", "5", "x" * 10_001), "text", "a text that is longer"),
    ],
)
def test_a_record_that_cannot_be_used_is_named_with_its_place(read: Any, row: Any, key: str, given: str):
    quoted = tuple(f'"{value}"' if value is not None and "," in str(value) else value for value in row)
    with pytest.raises(LedgerError) as error:
        read([("z", "2024-01-01", "10.00", "X"), quoted])
    problems = [problem for problem in error.value.problems if problem.key == key]
    assert [problem.given for problem in problems][-1] == given
    assert problems[-1].file.endswith("left.csv, record 2")
    assert "`unusable: set_aside`" in str(error.value)


def test_what_is_set_aside_is_kept_with_its_reason(read: Any, workspace: Workspace):
    rows = [
        ("a", "2024-01-01", "1.00", "X"),
        ("a", "2024-01-02", "2.00", "X"),
        ("b", "2024-01-01", "ten", "X"),
        ("c", "2024-01-01", "3.00", "X"),
    ]
    found = read(rows, left={"unusable": "set_aside"})
    assert (found.left, found.set_aside) == (1, 3)
    aside = workspace.rows("select id, problem from left_aside order by row")
    assert [tuple(row.values()) for row in aside] == [
        ("a", "duplicate_id"),
        ("a", "duplicate_id"),
        ("b", "unreadable_amount"),
    ]
    assert {(one.what, one.count) for one in found.findings} >= {
        ("duplicate_id", 2),
        ("unreadable_amount", 1),
    }


def test_a_moment_is_the_day_in_the_ledgers_zone(read: Any, workspace: Workspace):
    found = read(
        [
            ("a", "2024-06-01 23:30:00Z", "1", "X"),
            ("b", "2024-01-01T23:30:00+00:00", "1", "X"),
            ("c", "2024-06-01 23:30:00", "1", "X"),
        ],
        left={"time_zone": "Europe/London"},
    )
    days = {row["id"]: row["date"].isoformat() for row in workspace.rows("select id, date from left_records")}
    assert days == {"a": "2024-06-02", "b": "2024-01-01", "c": "2024-06-01"}
    assert [(one.what, one.count) for one in found.findings if one.what == "no_offset"] == [("no_offset", 1)]


def test_days_may_be_written_otherwise(read: Any, workspace: Workspace):
    read([("a", "31/01/2024", "1", "X")], left={"date_format": "%d/%m/%Y"})
    assert workspace.rows("select date::varchar as day from left_records") == [{"day": "2024-01-31"}]


def test_case_accents_and_spaces_are_not_compared(read: Any, workspace: Workspace):
    read([("a", "2024-01-01", "1", "  Gérard  de   Vismé ")])
    assert workspace.rows("select text from left_records") == [{"text": "GERARD DE VISME"}]


def test_a_column_without_any_value_is_one_clear_error(read: Any):
    with pytest.raises(LedgerError, match=r"amount \(column amount\): given no value in any of 2 records"):
        read([("a", "2024-01-01", None, "X"), ("b", "2024-01-01", None, "X")])


def test_missing_dates_are_missing_and_said(read: Any, workspace: Workspace):
    found = read([("a", None, "1", "X"), ("b", "2024-01-01", "1", "X")])
    assert workspace.rows("select id, day from left_records where day is null") == [{"id": "a", "day": None}]
    assert [one.count for one in found.findings if one.what == "no_date"] == [1]


def test_an_empty_side_is_refused(read: Any):
    with pytest.raises(LedgerError, match=r"left.csv: .*given no record"):
        read([])


def test_ledgers_of_opposed_signs_are_refused(read: Any):
    left = [(f"a{n}", "2024-01-01", "-5.00", "X") for n in range(20)]
    right = [(f"b{n}", "2024-01-01", "5.00", "X") for n in range(20)]
    with pytest.raises(
        LedgerError, match=r"0% of the left and 100% of the right amounts above zero.*negated"
    ):
        read(left, right)


def test_rare_signs_and_records_alike_are_said(read: Any):
    rows = [(f"a{n}", "2024-01-01", f"{n + 1}.00", "X") for n in range(9)]
    found = read([*rows, ("b", "2024-01-01", "-1.00", "X"), ("c", "2024-01-01", "1.00", "X")])
    assert {(one.side.value, one.what, one.count) for one in found.findings} == {
        ("left", "alike", 2),
        ("left", "rare_sign", 1),
    }


def test_a_currency_that_the_other_side_lacks_is_said(read: Any):
    header = ("id", "day", "amount", "memo", "money")
    columns = {"id": "id", "date": "day", "amount": "amount", "text": "memo", "currency": "money"}
    found = read(
        [("a", "2024-01-01", "1", "X", "EUR"), ("b", "2024-01-01", "1", "X", "gbp")],
        [("a", "2024-01-01", "1", "X", "GBP")],
        header=header,
        columns=columns,
    )
    assert [(one.side.value, one.what, one.count) for one in found.findings] == [
        ("left", "other_currency", 1)
    ]


def test_a_missing_column_names_those_there_are(read: Any):
    with pytest.raises(
        LedgerError, match=r"columns.text: given 'note'; allowed: one of id, day, amount, memo"
    ):
        read(GOOD, columns={"id": "id", "date": "day", "amount": "amount", "text": "note"})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"id,day,amount,memo\na,2024-01-01,1\n", r"left.csv:2: .*given 3 values; allowed: as many values"),
        (b"id,day,amount,memo\na,2024-01-01,1,x,y\n", r"left.csv:2: .*given 5 values"),
        (b"id,day,amount,memo\na,2024-01-01,1,caf\xe9\n", r"left.csv:2: .*not UTF-8"),
        (b'id,day,amount,memo\na,2024-01-01,1,"x\n', r"left.csv:2: .*quotation mark"),
        (b"", r"left.csv:1: .*given no header"),
        (b"id,id,amount,memo\n", r"left.csv:1: .*given a column name twice"),
    ],
)
def test_a_damaged_csv_is_an_error_with_its_line(
    workspace: Workspace, plan_for: Any, tmp_path: Path, content: bytes, complaint: str
):
    plan = plan_for(GOOD, GOOD)
    (tmp_path / "left.csv").write_bytes(content)
    with pytest.raises(LedgerError, match=complaint):
        read_ledgers(workspace, plan)


def test_a_cell_of_ten_megabytes_is_an_error_that_names_it(read: Any):
    with pytest.raises(LedgerError, match="record 2: text: given a text that is longer"):
        read([*GOOD, ("b", "2024-01-01", "1", "y" * 10_000_000)])


def test_parquet_with_typed_columns_reads_as_csv_does(
    workspace: Workspace, plan_for: Any, tmp_path: Path, read: Any
):
    read([("a", "2024-01-31", "0.29", "X"), ("b", "2024-02-01", "-12.50", None)])
    expected = workspace.table("select * exclude (row) from left_records")
    table = duckdb.sql(
        "select 'a' as id, date '2024-01-31' as day, 0.29::double as amount, 'X' as memo union all "
        "select 'b', date '2024-02-01', -12.5, null order by id"
    ).to_arrow_table()
    pq.write_table(table, tmp_path / "left.parquet")
    plan = plan_for(GOOD, GOOD, left={"file": "left.parquet"})
    read_ledgers(workspace, plan)
    assert workspace.table("select * exclude (row) from left_records").equals(expected)


def test_a_query_over_a_database_is_a_ledger(workspace: Workspace, plan_for: Any, tmp_path: Path):
    with duckdb.connect(str(tmp_path / "books.duckdb")) as books:
        books.execute("create table entries as select 'q' as id, date '2024-01-01' as day, 4.20 as amount")
    query = {"query": "select *, 'm' as memo from entries", "database": "books.duckdb"}
    plan = plan_for(GOOD, GOOD)
    content = plan.model_dump(exclude={"left"}) | {
        "left": {**query, "columns": plan.left.columns.model_dump()}
    }
    read_ledgers(workspace, check(content, ReconciliationPlan, name="plan", folder=tmp_path))
    assert amounts(workspace) == {"q": 420}


def test_a_query_finds_files_beside_the_plan(workspace: Workspace, plan_for: Any, tmp_path: Path):
    plan = plan_for([("a", "2024-01-01", "1.00", "X"), ("b", "2024-03-01", "2.00", "X")], GOOD)
    query = "select * from read_csv('left.csv') where day < '2024-02-01'"
    ledger = {"query": query, "columns": plan.left.columns.model_dump()}
    content = plan.model_dump(exclude={"left"}) | {"left": ledger}
    read_ledgers(workspace, check(content, ReconciliationPlan, name="plan", folder=tmp_path))
    assert amounts(workspace) == {"a": 100}


def test_a_query_that_fails_says_why(workspace: Workspace, plan_for: Any, tmp_path: Path):
    plan = plan_for(GOOD, GOOD)
    ledger = {"query": "select * from nowhere", "columns": plan.left.columns.model_dump()}
    content = plan.model_dump(exclude={"left"}) | {"left": ledger}
    with pytest.raises(LedgerError, match=r"left ledger's query: query: given Catalog Error.*nowhere"):
        read_ledgers(workspace, check(content, ReconciliationPlan, name="plan", folder=tmp_path))


def test_numbers_of_records_depend_on_no_order_and_no_id(read: Any, workspace: Workspace):
    rows = [(f"a{n}", f"2024-01-{1 + n % 28:02d}", f"{n % 7}.{n % 10}0", f"M{n % 5}") for n in range(60)]
    columns = "n, cents, date, text"
    read(rows)
    before = workspace.table(f"select {columns} from left_records order by n")
    read([(f"z{number}", *row[1:]) for number, row in enumerate(reversed(rows))])
    assert workspace.table(f"select {columns} from left_records order by n").equals(before)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"left": {"file": "nowhere.csv"}}, "left.file: given .*allowed: a file that exists"),
        ({"left": {"currency": "pounds"}}, "left.currency: .*three capital letters"),
        ({"left": {"time_zone": "Mars"}}, "left.time_zone: .*a time zone such as"),
        ({"splits": {"key": "party"}}, "rules over columns that both ledgers name; not party"),
        ({"blocking": {"rules": [{"name": "all"}]}}, "`same` or `prefix`"),
        ({"blocking": {"rules": []}}, "blocking.rules"),
        ({"blocking": {"rules": [{"name": "x", "same": ["amount"], "amount": "150%"}]}}, "amount"),
        ({"blocking": {"rules": [{"name": "x", "same": ["amount"], "days": [3, 1]}]}}, "from the least"),
        ({"blockin": {}}, r"one of .*blocking.*did you mean blocking\?"),
    ],
)
def test_a_plan_that_cannot_be_used_says_what_is_allowed(
    plan_for: Any, change: dict[str, Any], complaint: str
):
    with pytest.raises(DocumentError, match=complaint):
        plan_for(GOOD, GOOD, **change)
