"""Training, matching, evaluating and explaining from the command line and from Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest

import workbench as wb
from tests.unit.reconcile.conftest import World, make_world, write_csv
from workbench.cli import app
from workbench.documents import parse_document
from workbench.errors import InputError, ModelError, NotFoundError, StoreError, WorkbenchError
from workbench.reconcile.calibration import log_odds
from workbench.reconcile.plan import ReconciliationPlan
from workbench.reconcile.results import EVIDENCE
from workbench.settings import Settings
from workbench.store import Store, publish
from workbench.tables import BREAKS, PROPOSALS
from workbench.workflows import json_schema

PROJECT = Path(__file__).parents[3]
PLAN = """\
name: {name}
left:
  file: left.csv
  columns: {{id: id, date: day, amount: amount, text: memo}}
right:
  file: right.csv
  columns: {{id: id, date: day, amount: amount, text: memo}}
blocking:
  rules: {{name: memo, prefix: {{text: 3}}, days: [0, 30], amount: 15%}}
"""


def books(folder: Path, world: World) -> Path:
    folder.mkdir()
    write_csv(folder / "left.csv", world.left)
    write_csv(folder / "right.csv", world.right)
    write_csv(folder / "labels.csv", world.pairs, ("left_id", "right_id"))
    plan = folder / "plan.yaml"
    plan.write_text(PLAN.format(name="shop"))
    return plan


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a lake, the trained model of `old` and the matched ledgers of `new`."""
    folder = tmp_path_factory.mktemp("place")
    lake = ["--lake", str(folder / "lake")]
    for name, seed in (("old", 11), ("new", 12)):
        books(folder / name, make_world(400, seed=seed))
    run("train", folder / "old/plan.yaml", "--labels", folder / "old/labels.csv", "--complete", *lake)
    run("match", folder / "new/plan.yaml", *lake)
    return folder


def run(*arguments: Any) -> None:
    app(["reconcile", *(str(one) for one in arguments)], standalone_mode=False)


def told(capsys: pytest.CaptureFixture[str], *arguments: Any) -> dict[str, Any]:
    capsys.readouterr()
    run(*arguments, "--json")
    return dict(json.loads(capsys.readouterr().out))


def test_what_match_writes_holds_every_record_in_the_named_form(place: Path):
    folder = place / "lake" / "reconciliation" / "shop"
    proposals, breaks = (pq.read_table(folder / f"{name}.parquet") for name in ("proposals", "breaks"))
    assert proposals.schema.equals(PROPOSALS)
    assert breaks.schema.equals(BREAKS)
    world = make_world(400, seed=12)
    assert proposals.num_rows * 2 + breaks.num_rows == len(world.left) + len(world.right)


def test_sql_sees_the_latest_matching_of_each_plan(place: Path):
    settings = Settings(lake=place / "lake")
    folder = place / "lake" / "reconciliation" / "shop"
    proposals, breaks = (pq.read_table(folder / f"{name}.parquet") for name in ("proposals", "breaks"))
    found = wb.sql("from proposals where plan = 'shop' order by proposal_id", form="arrow", settings=settings)
    assert found.drop_columns("plan").to_pylist() == proposals.sort_by("proposal_id").to_pylist()
    sides = "select plan, side, count(*) as n from breaks group by all"
    counted = wb.sql(sides, form="arrow", settings=settings)
    assert sum(row["n"] for row in counted.to_pylist()) == breaks.num_rows
    assert {row["plan"] for row in counted.to_pylist()} == {"shop"}
    with Store(settings) as store:
        assert store.query("from proposals").num_rows == proposals.num_rows
        with duckdb.connect(str(publish(store)), read_only=True) as database:
            assert database.execute("select count(*) from proposals").fetchone() == (proposals.num_rows,)


TRAIN = ["train", "old/plan.yaml", "--labels", "old/labels.csv", "--complete"]


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ("training", [*TRAIN, "--estimator", "gradient_boosting", "--model", "other.zip"]),
        ("training", ["train", "old/plan.yaml", "--without-labels", "--model", "start.zip"]),
        ("matches", ["match", "new/plan.yaml", "--folder", "out"]),
        ("evaluation", ["evaluate", "new/plan.yaml", "--labels", "new/labels.csv", "--complete"]),
        ("evidence", ["explain", "new/plan.yaml", make_world(400, seed=12).pairs[0][0]]),
    ],
)
def test_json_is_of_the_published_form(
    place: Path,
    form: str,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(place)
    view = told(capsys, *arguments, "--lake", "lake")
    jsonschema.validate(view, json_schema(form))
    assert view["schema"] == f"workbench.{form}/1"


def test_an_evaluation_on_fresh_ledgers_tells_recall_and_calibration(
    place: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = [
        "new/plan.yaml",
        "--labels",
        place / "new/labels.csv",
        "--complete",
        "--lake",
        place / "lake",
    ]
    view = told(capsys, "evaluate", place / arguments[0], *arguments[1:])
    pairs = make_world(400, seed=12).pairs
    assert view["quality"]["true_matches"] == len(pairs)
    assert view["quality"]["f1"] > 0.95
    assert view["ledgers"]["rules"][0]["recall"] == view["ledgers"]["recall"] > 0.95
    assert view["ledgers"]["notes"] == []


def test_an_evaluation_on_the_ledgers_of_the_training_says_so(
    place: Path, capsys: pytest.CaptureFixture[str]
):
    view = told(
        capsys,
        "evaluate",
        place / "old/plan.yaml",
        "--labels",
        place / "old/labels.csv",
        "--lake",
        place / "lake",
    )
    assert "trained on these very ledgers" in view["ledgers"]["notes"][0]


def test_an_explanation_names_rule_rival_and_what_speaks_for_it(
    place: Path, capsys: pytest.CaptureFixture[str]
):
    table = pq.read_table(place / "lake/reconciliation/shop/proposals.parquet").to_pylist()
    rivalled = next(row for row in table if row["rival_left_id"] is not None)
    view = told(capsys, "explain", place / "new/plan.yaml", rivalled["left_ids"][0], "--lake", place / "lake")
    assert view["proposal"]["rule"] == "memo"
    assert view["proposal"]["rival_left_id"] == rivalled["rival_left_id"]
    first = view["candidates"][0]
    assert [first["left_id"], first["right_id"]] == [*rivalled["left_ids"], *rivalled["right_ids"]]
    assert first["pair_probability"] == pytest.approx(rivalled["pair_probability"])
    run("explain", place / "new/plan.yaml", rivalled["left_ids"][0], "--lake", place / "lake")
    shown = capsys.readouterr().out
    assert "found by 'memo'" in shown
    assert f"best rival {rivalled['rival_left_id']} – {rivalled['rival_right_id']}" in shown


def test_evidence_of_every_pair_adds_up_to_what_the_pair_alone_says(place: Path):
    run("match", place / "new/plan.yaml", "--evidence", "--folder", place / "told", "--lake", place / "lake")
    table = pq.read_table(place / "told/evidence.parquet")
    assert table.schema.equals(EVIDENCE)
    fields = table.drop_columns(["proposal_id"]).to_pandas().sum(axis=1).to_numpy()
    known = pq.read_table(place / "told/proposals.parquet").to_pandas().set_index("proposal_id")
    expected = log_odds(known.loc[table["proposal_id"].to_pylist(), "pair_probability"].to_numpy())
    assert len(fields) == len(known)
    np.testing.assert_allclose(fields, expected, atol=1e-9)
    run("match", place / "new/plan.yaml", "--folder", place / "told", "--lake", place / "lake")
    assert not (place / "told/evidence.parquet").exists()


def test_a_break_is_explained_by_its_reason(place: Path, capsys: pytest.CaptureFixture[str]):
    breaks = pq.read_table(place / "lake/reconciliation/shop/breaks.parquet").to_pylist()
    one = next(row for row in breaks if row["side"] == "right")
    run("explain", place / "new/plan.yaml", one["record_id"], "--side", "right", "--lake", place / "lake")
    assert f"right record {one['record_id']}: no proposal ({one['reason']})" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        (["explain", "new/plan.yaml", "nobody"], NotFoundError, "record: given 'nobody'"),
        (
            ["explain", "new/plan.yaml", "x", "--side", "middle"],
            InputError,
            "side: given 'middle'; allowed: left",
        ),
        (["explain", "new/plan.yaml", "x", "--folder", "empty"], InputError, "given no proposals"),
        (["match", "new/plan.yaml", "--model", "nowhere.zip"], ModelError, r"nowhere\.zip: the model"),
        (["train", "old/plan.yaml"], InputError, "allowed: --labels FILE, or --without-labels"),
        (["train", "old/plan.yaml", "--labels", "nowhere.csv"], InputError, r"nowhere\.csv: the labels"),
        (["train", "old/plan.yaml", "--labels", "old/left.csv"], InputError, "given no column 'left_id'"),
        (["evaluate", "new/plan.yaml"], InputError, "labels: given none; allowed: --labels FILE"),
        (["match", "nowhere.yaml"], WorkbenchError, r"nowhere\.yaml"),
        (["match", "new/plan.yaml", "--folder", "new/plan.yaml"], StoreError, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(
    place: Path, arguments: list[str], error: type[Exception], complaint: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(place)
    with pytest.raises(error, match=complaint):
        run(*arguments, "--lake", "lake")


def test_no_traceback_reaches_a_user(tmp_path: Path):
    plan = books(
        tmp_path / "bad", World([("a", "2024-01-01", "ten", "X")], [("b", "2024-01-01", "1", "X")], [])
    )
    command = [sys.executable, "-m", "workbench.cli", "reconcile", "train", str(plan), "--without-labels"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert re.search(r"left\.csv, record 1: amount: given 'ten'; allowed: money in digits", done.stderr)


def test_plans_in_the_page_are_plans(tmp_path: Path):
    page = (PROJECT / "docs" / "reconciliation.md").read_text()
    blocks = re.findall(r"```yml\n(.*?)```", page, re.DOTALL)
    assert blocks
    for name in ("ledger.csv", "bank.duckdb"):
        (tmp_path / name).touch()
    for text in blocks:
        assert parse_document(text, ReconciliationPlan, name="page", folder=tmp_path).name


@pytest.mark.parametrize("name", ["plan", "march", "april"])
def test_a_shipped_plan_is_a_plan(name: str):
    folder = PROJECT / "data" / "ledgers"
    text = (folder / f"{name}.yaml").read_text()
    assert parse_document(text, ReconciliationPlan, name=name, folder=folder).description
