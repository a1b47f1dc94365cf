"""The commands of the store: what they print, their exit codes, and that no bad input gives a traceback."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import workbench as wb
from workbench.cli import main
from workbench.errors import InputError
from workbench.workflows import store_dictionary

SCENARIO = """\
name: small
arrivals: {kind: poisson, rate: 80/s}
service: {kind: exponential, mean: 20ms}
pool: {count: 2, slots: 1}
balancers: {strategy: round_robin}
horizon: 2000 requests
"""
PROJECT = Path(__file__).parents[2]

Ended = tuple[int, str, str]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Give a function that runs the command line in a folder of its own, beside a lake with one run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_LAKE", "lake")
    (tmp_path / "small.yaml").write_text(SCENARIO)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["workbench", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return int(end.value.code or 0), shown.out, shown.err

    assert run("run", "small.yaml")[0] == 0
    return run


def rows(out: str) -> list[list[object]]:
    content = json.loads(out)
    assert content["schema"] == "workbench.rows/1"
    return content["values"]


def test_a_statement_is_answered_as_text_json_and_file(command, tmp_path: Path):
    counted = "select strategy, count(*) as n from requests join runs using (run_id) group by all"
    code, out, _ = command("sql", counted)
    assert code == 0
    assert "round_robin" in out
    assert "2000" in out
    code, out, _ = command("sql", "select max(req_id) as last from requests", "--json")
    assert rows(out) == [[1999]]
    for name, read in {
        "out.parquet": pq.read_table,
        "out.arrow": pyarrow.feather.read_table,
        "out.csv": pa.csv.read_csv,
    }.items():
        code, out, _ = command("sql", "select req_id from requests order by req_id", "-o", name)
        assert (code, out) == (0, f"2,000 rows are in {name}\n")
        assert read(tmp_path / name)["req_id"].to_pylist() == list(range(2000))


def test_parameters_are_values_of_their_type(command):
    given = [part for value in ("n=4", "text=it's", "list=[1]") for part in ("--param", value)]
    _, out, _ = command("sql", "select $n + 1, $text, $list", *given, "--json")
    assert rows(out) == [[5, "it's", [1]]]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["sql", "drop view requests"], 2, "given drop; allowed: one select"),
        (["sql", "select * from read_text('/etc/passwd')"], 2, "Cannot access file"),
        (["sql", "select count(*) from range(1000000000000)", "--time", "1s"], 2, "longer than the 1 s"),
        (
            ["sql", "select list(range) from range(3000000000)", "--memory", "100MB"],
            2,
            "memory than the 100MB",
        ),
        (["sql", "from range(100)", "--rows", "99"], 2, "more than 99 rows"),
        (["sql", "select 1", "--time", "soon"], 2, "arguments: sql_time: given 'soon'"),
        (["sql", "select 1", "--param", "x"], 2, "param: given 'x'; allowed: name=value"),
        (["sql", "select 1", "-o", "out.doc"], 2, "allowed: a name that ends in .csv, .parquet, .arrow"),
        (["sql", "select 1", "-o", "nowhere/out.csv"], 2, "cannot be written"),
        (["store", "gc", "--older-than", "old"], 2, "keep_requests: given 'old'"),
        (["store", "gc", "--larger-than", "big"], 2, "keep_size: given 'big'"),
        (["store", "import", "nothing.zip"], 2, "nothing.zip does not exist"),
        (["store", "export", "x.zip", "--run", "7"], 2, "no run 7"),
        (["store", "export", "nowhere/x.zip"], 4, "nowhere"),
        (["store", "publish", "--full", "nowhere/x.duckdb"], 4, "nowhere"),
        (
            ["run", "small.yaml", "--records", "some"],
            2,
            "records: given 'some'; allowed: all, none",
        ),
    ],
)
def test_what_cannot_be_done_is_said(command, arguments: list[str], code: int, said: str):
    ended, out, err = command(*arguments)
    assert (ended, out) == (code, "")
    assert said in err
    assert "Traceback" not in err


def test_a_lake_is_looked_into_compacted_and_collected(command):
    command("run", "small.yaml", "--seed", "2")
    code, out, _ = command("store", "info", "--json")
    content = json.loads(out)
    assert (code, content["schema"], content["states"]) == (0, "workbench.store/1", {"complete": 2})
    assert {one["table"]: one["runs"] for one in content["tables"]}["requests"] == 2
    assert "8 files became 4" in command("store", "compact")[1]
    assert "8 superseded files" in command("store", "info")[1]
    assert "0 files removed" in command("store", "gc")[1]
    assert "8 files would be removed" in command("store", "gc", "--grace", "0s", "--dry-run")[1]
    assert "8 files removed" in command("store", "gc", "--grace", "0s")[1]
    code, out, _ = command("store", "verify")
    assert (code, "4 files, all as they were written" in out) == (0, True)
    code, out, _ = command("store", "gc", "--larger-than", "0MB", "--json")
    assert json.loads(out)["summary"] == "requests of 2 runs let go, 0 files removed"
    assert "requests of 0 runs" in command("store", "gc", "--larger-than", "0MB")[1]
    assert command("sql", "select count(*) from requests", "--json")[1].endswith("[[0]]}\n")
    assert command("show", "1")[0] == 0


def test_damage_is_found_and_mended_by_the_same_command(command, tmp_path: Path):
    [file] = (tmp_path / "lake" / "summaries").rglob("*.parquet")
    file.unlink()
    code, out, _ = command("store", "verify")
    assert code == 4
    assert "missing" in out
    assert "simulate run 1 again by the same command" in out
    command("run", "small.yaml")
    assert command("store", "verify")[0] == 0


@pytest.mark.parametrize("arguments", [["store", "info"], ["store", "verify"], ["sql", "select 1"]])
def test_a_catalogue_that_is_corrupt_is_named_with_a_remedy(command, tmp_path: Path, arguments: list[str]):
    for file in (tmp_path / "lake").glob("catalogue.sqlite*"):
        file.unlink()
    (tmp_path / "lake" / "catalogue.sqlite").write_bytes(b"no database" * 100)
    code, out, err = command(*arguments)
    assert (code, out) == (4, "")
    assert "catalogue.sqlite cannot be used" in err
    assert "Move it away" in err


def test_runs_are_taken_along(command, tmp_path: Path):
    assert command("store", "export", "runs.zip")[0] == 0
    code, out, _ = command("store", "import", "runs.zip", "--lake", "other")
    assert (code, "1 runs were imported, 0 were there already" in out) == (0, True)
    assert "0 runs were imported, 1 were there already" in command("store", "import", "runs.zip")[1]
    assert command("store", "publish", "--full", "whole.duckdb")[0] == 0
    assert (tmp_path / "whole.duckdb").stat().st_size > 0
    assert "every run is up to date" in command("store", "migrate")[1]
    assert "proposed" in command("store", "tune")[1]


# Of 10 % four standard deviations of the binomial.
@pytest.mark.parametrize(("given", "kept", "near"), [("none", 0, 0), ("10%", 200, 54), ("all", 2000, 0)])
def test_requests_are_stored_as_far_as_is_asked(command, given: str, kept: int, near: int):
    command("run", "small.yaml", "--records", given, "--seed", "9")
    _, out, _ = command("sql", "select count(*) from requests where run_id = 2", "--json")
    assert rows(out)[0][0] == pytest.approx(kept, abs=near)
    everyone = "run_id = 2 and server_id is null and timing = 'response'"
    _, out, _ = command("sql", f"select sum(n) from histograms where {everyone}", "--json")
    assert rows(out) == [[2000]]


def test_answers_come_as_arrow_pandas_or_polars(command):
    statement = "select run_id, strategy from runs"
    assert wb.sql(statement).to_dict("records") == [{"run_id": 1, "strategy": "round_robin"}]
    assert wb.sql(statement, form="arrow").to_pylist() == [{"run_id": 1, "strategy": "round_robin"}]
    assert wb.sql(statement, form="polars").to_dicts() == [{"run_id": 1, "strategy": "round_robin"}]
    with pytest.raises(InputError, match="given 'excel'; allowed: pandas, arrow, polars"):
        wb.sql(statement, form="excel")


def test_the_published_dictionary_is_current():
    published = (PROJECT / "docs" / "data-dictionary.md").read_text()
    assert published == store_dictionary(), "run: workbench store dictionary > docs/data-dictionary.md"
