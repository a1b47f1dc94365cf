"""A trained model: its confidences, what it refuses, and what it does not depend on."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.preprocessing import FunctionTransformer

from tests.unit.reconcile.conftest import COLUMNS, RULE, World, make_world, write_csv
from workbench.documents import check
from workbench.errors import InputError, ModelError
from workbench.reconcile.calibration import log_odds
from workbench.reconcile.comparisons import NAMES, compare
from workbench.reconcile.evaluation import calibration, match_quality
from workbench.reconcile.evidence import contributions
from workbench.reconcile.labels import labels_table, resolve_labels
from workbench.reconcile.matching import Matched, match, read_and_block
from workbench.reconcile.model import ReconciliationModel
from workbench.reconcile.persistence import load_model, save_model
from workbench.reconcile.plan import ReconciliationPlan
from workbench.reconcile.training import train, train_without_labels
from workbench.reconcile.workspace import Workspace
from workbench.settings import Settings

pytestmark = pytest.mark.slow
"""Each simulates or trains for seconds."""

TRAINING, FRESH = make_world(800, seed=1), make_world(800, seed=2)


def plan_of(world: World, folder: Path, **other: Any) -> ReconciliationPlan:
    folder.mkdir(exist_ok=True)
    write_csv(folder / "left.csv", world.left)
    write_csv(folder / "right.csv", world.right)
    content: dict[str, Any] = {
        "name": "test",
        "left": {"file": "left.csv", "columns": COLUMNS},
        "right": {"file": "right.csv", "columns": COLUMNS},
        "blocking": {"rules": [RULE]},
    }
    return check(content | other, ReconciliationPlan, name="plan", folder=folder)


def labels_of(world: World) -> pa.Table:
    return labels_table([one for one, _ in world.pairs], [other for _, other in world.pairs])


@contextmanager
def opened(world: World, folder: Path, **other: Any) -> Iterator[tuple[Workspace, ReconciliationPlan, Any]]:
    plan = plan_of(world, folder, **other)
    with Workspace(Settings(lake=folder / "lake")) as workspace:
        yield workspace, plan, read_and_block(workspace, plan)


def trained(world: World, folder: Path, labels: pa.Table | None = None, **other: Any) -> ReconciliationModel:
    with opened(world, folder) as (workspace, plan, _):
        given = labels_of(world) if labels is None else labels
        truth = resolve_labels(workspace, given, complete=labels is None)
        return train(workspace, plan, truth, created="2026-01-01", **other)


def matched(world: World, folder: Path, model: ReconciliationModel) -> Matched:
    with opened(world, folder) as (workspace, plan, prepared):
        truth = resolve_labels(workspace, labels_of(world), complete=True)
        return match(workspace, plan, model, prepared, truth=truth)


def told(found: Matched) -> tuple[np.ndarray, np.ndarray]:
    table = found.proposals
    return table["confidence"].to_numpy(), table["truth"].to_numpy(zero_copy_only=False).astype(bool)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ReconciliationModel:
    return trained(TRAINING, tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def found(model: ReconciliationModel, tmp_path_factory: pytest.TempPathFactory) -> Matched:
    return matched(FRESH, tmp_path_factory.mktemp("fresh"), model)


def test_confidences_of_ledgers_that_it_never_saw_mean_what_they_say(found: Matched):
    """Fixed seeds; the ECE of forecasts that are exactly right would be near its floor."""
    confidence, right = told(found)
    measured = calibration(confidence, right, np.random.default_rng(1))
    assert 0.02 < 1 - right.mean() < 0.5
    assert measured.ece < 3 * measured.ece_floor
    pair = found.proposals["pair_probability"].to_numpy()
    assert calibration(pair, right, np.random.default_rng(1)).ece > 2 * measured.ece


def test_most_matches_are_found(found: Matched):
    assert match_quality(*told(found), true_matches=len(FRESH.pairs)).f1 > 0.93


def test_every_record_is_in_one_proposal_or_one_break(found: Matched):
    for side, rows in (("left", FRESH.left), ("right", FRESH.right)):
        proposed = [one for ids in found.proposals[f"{side}_ids"].to_pylist() for one in ids]
        broken = [row["record_id"] for row in found.breaks.to_pylist() if row["side"] == side]
        assert sorted(proposed + broken) == sorted(row[0] for row in rows)


def test_bands_hold_the_share_that_is_right(found: Matched):
    _, right = told(found)
    low, high = (found.proposals[f"confidence_{end}"].to_numpy() for end in ("low", "high"))
    assert (low <= high).all()
    assert low.mean() - 0.02 < right.mean() < high.mean() + 0.02


def test_nothing_depends_on_the_order_of_rows_or_on_ids(
    model: ReconciliationModel, found: Matched, tmp_path: Path
):
    rng = np.random.default_rng(7)

    def relabelled(world: World, salt: str) -> World:
        names = {
            side: {row[0]: f"{salt}{n}" for n, row in enumerate(rng.permutation(rows).tolist())}
            for side, rows in (("l", world.left), ("r", world.right))
        }
        shuffled = [
            [(names[side][row[0]], *row[1:]) for row in (rows[place] for place in rng.permutation(len(rows)))]
            for side, rows in (("l", world.left), ("r", world.right))
        ]
        pairs = [(names["l"][one], names["r"][other]) for one, other in world.pairs]
        return World(shuffled[0], shuffled[1], [pairs[place] for place in rng.permutation(len(pairs))])

    other = trained(relabelled(TRAINING, "x"), tmp_path / "training")
    assert other.learned == model.learned
    assert other.facts.ledgers == model.facts.ledgers
    again = matched(relabelled(FRESH, "y"), tmp_path / "fresh", other)
    for column in (
        "confidence",
        "confidence_low",
        "pair_probability",
        "marginal",
        "left_cents",
        "right_cents",
        "truth",
    ):
        assert again.proposals[column].equals(found.proposals[column]), column
    assert (
        again.breaks["reason"].value_counts().to_pylist() == found.breaks["reason"].value_counts().to_pylist()
    )


def test_three_hundred_labels_are_enough_to_be_near(tmp_path: Path):
    few = labels_of(TRAINING).slice(0, 250)
    alone = [row[0] for row in TRAINING.left if row[0] not in {one for one, _ in TRAINING.pairs}][:50]
    labels = pa.concat_tables([few, labels_table(alone, [""] * len(alone))])
    confidence, right = told(matched(FRESH, tmp_path / "b", trained(TRAINING, tmp_path / "a", labels)))
    assert calibration(confidence, right, np.random.default_rng(1)).ece < 0.06
    assert match_quality(confidence, right, true_matches=len(FRESH.pairs)).f1 > 0.9


def test_a_start_without_labels_ranks_well_and_says_that_it_is_not_calibrated(tmp_path: Path):
    with opened(TRAINING, tmp_path / "a") as (workspace, plan, _):
        start = train_without_labels(workspace, plan, created="2026-01-01")
    found = matched(FRESH, tmp_path / "b", start)
    assert not start.calibrated
    assert set(found.proposals["calibrated"].to_pylist()) == {False}
    assert found.proposals["confidence_low"].null_count == found.proposals.num_rows
    assert match_quality(*told(found), true_matches=len(FRESH.pairs)).f1 > 0.85


def test_an_all_missing_column_is_not_compared(model: ReconciliationModel):
    assert not [name for name in model.facts.comparisons if name.startswith(("party", "reference"))]


def test_missing_texts_and_dates_are_compared_as_missing(tmp_path: Path):
    def holes(world: World) -> World:
        left = [(row[0], row[1], row[2], row[3] if n % 4 else None) for n, row in enumerate(world.left)]
        right = [(row[0], row[1] if n % 5 else None, row[2], row[3]) for n, row in enumerate(world.right)]
        return replace(world, left=left, right=right)

    rules = {"blocking": {"rules": [{"name": "amount", "same": ["amount"]}, RULE]}}
    with opened(holes(TRAINING), tmp_path, **rules) as (workspace, plan, prepared):
        values = np.concatenate([part.values for part in compare(workspace)])
        assert np.isnan(values[:, NAMES.index("text.ratio")]).any()
        assert np.isnan(values[:, NAMES.index("date.days")]).any()
        truth = resolve_labels(workspace, labels_of(TRAINING), complete=True)
        for estimator in ("gradient_boosting", "logistic_on_splines"):
            made = train(workspace, plan, truth, created="2026-01-01", estimator=estimator)
            found = match(workspace, plan, made, prepared, truth=truth)
            assert np.isfinite(found.proposals["confidence"].to_numpy()).all()


def test_chunks_do_not_change_the_comparisons(tmp_path: Path):
    with opened(FRESH, tmp_path) as (workspace, _, _):
        whole = [np.concatenate(arrays) for arrays in zip(*compare(workspace), strict=True)]
        small = [np.concatenate(arrays) for arrays in zip(*compare(workspace, chunk=2_048), strict=True)]
    for one, other in zip(whole, small, strict=True):
        np.testing.assert_array_equal(one, other)


def test_contributions_add_up_to_the_log_odds_of_the_pair(model: ReconciliationModel, tmp_path: Path):
    with opened(FRESH, tmp_path) as (workspace, _, _):
        values = next(compare(workspace)).values[:20]
    for pair in values:
        found = contributions(model, pair)
        expected = float(log_odds(model.pair_probability(pair[None, :]))[0])
        assert found.typical + sum(field.log_odds for field in found.fields) == pytest.approx(
            expected, abs=1e-9
        )
        assert {field.field for field in found.fields} == {"text", "amount", "date", "rivals"}


def test_a_saved_model_proposes_the_same(model: ReconciliationModel, found: Matched, tmp_path: Path):
    save_model(model, tmp_path / "model.zip")
    again = matched(FRESH, tmp_path / "fresh", load_model(tmp_path / "model.zip"))
    assert again.proposals.equals(found.proposals)


def rewritten(file: Path, change: Any) -> None:
    """Change the document of a saved model."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(parts["model.json"])
    change(document)
    parts["model.json"] = json.dumps(document).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d["facts"]["versions"].update({"scikit-learn": "1.2.0"}), "scikit-learn 1.2.0; allowed"),
        (lambda d: d.update(format=99), "format 99; allowed: 1"),
        (
            lambda d: d["comparisons"].update({"text.ratio": "something else"}),
            r"other comparisons \(text.ratio\)",
        ),
        (lambda d: d.update(estimators_sha256="0" * 64), "parts do not belong together"),
        (lambda d: d["learned"].pop("pair"), "damaged model"),
    ],
)
def test_a_saved_model_that_does_not_fit_is_refused(
    model: ReconciliationModel, tmp_path: Path, change: Any, complaint: str
):
    file = tmp_path / "model.zip"
    save_model(model, file)
    rewritten(file, change)
    with pytest.raises(ModelError, match=complaint):
        load_model(file)


@pytest.mark.parametrize("content", [None, b"", b"not a zip", b"PK\x03\x04"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes | None):
    if content is not None:
        (tmp_path / "model.zip").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.zip: "):
        load_model(tmp_path / "model.zip")


def test_a_model_that_is_not_fitted_is_not_saved(model: ReconciliationModel, tmp_path: Path):
    with pytest.raises(ModelError, match="not fitted"):
        save_model(replace(model, estimators=(HistGradientBoostingClassifier(),)), tmp_path / "model.zip")
    assert not list(tmp_path.iterdir())


def test_a_model_that_names_a_foreign_type_is_refused(model: ReconciliationModel, tmp_path: Path):
    """Loading must not build whatever a file asks for."""
    file = tmp_path / "model.zip"
    foreign = FunctionTransformer(func=os.system).fit([[0]])
    save_model(replace(model, estimators=(*model.estimators, foreign)), file)
    with pytest.raises(ModelError, match=r"given a model with .*system; allowed: scikit-learn's"):
        load_model(file)


def test_a_plan_with_other_rules_or_fields_is_refused(model: ReconciliationModel, tmp_path: Path):
    wider = {"blocking": {"rules": [{**RULE, "days": [0, 60]}]}}
    with pytest.raises(ModelError, match="blocking rules"):
        model.check(plan_of(FRESH, tmp_path, **wider))
    renamed = {"blocking": {"rules": [{**RULE, "name": "other"}], "most_pairs": 7}}
    model.check(plan_of(FRESH, tmp_path, **renamed))


ONE, OTHER = TRAINING.pairs[:2]
UNFIT = {
    "given 40 of left records .*; allowed: 100 or more": labels_of(TRAINING).slice(0, 40),
    "given 200, none of a record of these ledgers": labels_table(["nobody"] * 200, [""] * 200),
    "given 0 candidate pairs that match": labels_table(
        [row[0] for row in TRAINING.left], [""] * len(TRAINING.left)
    ),
    "two different partners": pa.concat_tables([labels_of(TRAINING), labels_table([ONE[0]], [OTHER[1]])]),
    "match and no_match of 'L": pa.concat_tables(
        [labels_of(TRAINING), labels_table([ONE[0]], [ONE[1]], ["no_match"])]
    ),
}


@pytest.mark.parametrize("complaint", UNFIT)
def test_labels_that_cannot_teach_are_refused(tmp_path: Path, complaint: str):
    with pytest.raises(InputError, match=complaint):
        trained(TRAINING, tmp_path, UNFIT[complaint])


def test_matches_alone_without_any_rival_are_refused(tmp_path: Path):
    """Labels of one class: every record has one candidate, which is its partner."""
    rows = [(f"n{n}", "2024-01-01", f"{100 + 50 * n}.00", f"{n:03d} X") for n in range(150)]
    world = World(rows, rows, [(row[0], row[0]) for row in rows])
    with pytest.raises(InputError, match="given 150 candidate pairs that match and 0 that do not"):
        trained(world, tmp_path)


def test_an_unknown_estimator_is_refused(tmp_path: Path):
    with pytest.raises(
        InputError, match="estimator: given 'magic'; allowed: gradient_boosting, logistic_on_splines, blend"
    ):
        trained(TRAINING, tmp_path, estimator="magic")


def test_ledgers_without_a_candidate_give_breaks_only(model: ReconciliationModel, tmp_path: Path):
    left = [(f"a{n}", "2024-01-01", "5.00", "AAA") for n in range(3)]
    right = [(f"b{n}", "2024-01-01", "5.00", "BBB") for n in range(3)]
    with opened(World(left, right, []), tmp_path) as (workspace, plan, prepared):
        found = match(workspace, plan, model, prepared)
    assert found.proposals.num_rows == 0
    assert found.breaks["reason"].to_pylist() == ["no_candidate"] * 6


def test_what_cannot_match_is_a_break_with_its_reason(model: ReconciliationModel, tmp_path: Path):
    """Mixed currencies, a record set aside and one that no rule finds."""
    header = ("id", "day", "amount", "memo", "money")
    columns = {**COLUMNS, "currency": "money"}
    left = [
        ("euro", "2024-01-01", "20.00", "ANNA LEE 1", "EUR"),
        ("pound", "2024-01-01", "20.00", "ANNA LEE 1", "GBP"),
        ("bad", "2024-01-01", "twenty", "ANNA LEE 1", "GBP"),
    ]
    right = [
        ("other", "2024-06-01", "20.00", "BEN MAY", "GBP"),
        ("same", "2024-01-02", "20.00", "ANNA LEE 1", "GBP"),
    ]
    write_csv(tmp_path / "left.csv", left, header)
    write_csv(tmp_path / "right.csv", right, header)
    content = {
        "name": "currencies",
        "left": {"file": "left.csv", "columns": columns, "unusable": "set_aside"},
        "right": {"file": "right.csv", "columns": columns},
        "blocking": {"rules": [RULE]},
    }
    plan = check(content, ReconciliationPlan, name="plan", folder=tmp_path)
    fields = model.facts.model_copy(update={"fields": ("amount", "currency", "date", "text")})
    with Workspace(Settings(lake=tmp_path / "lake")) as workspace:
        prepared = read_and_block(workspace, plan)
        found = match(workspace, plan, replace(model, facts=fields), prepared)
    assert found.proposals["left_ids"].to_pylist() == [["pound"]]
    assert found.proposals["right_ids"].to_pylist() == [["same"]]
    assert [
        (row["side"], row["record_id"], row["reason"], row["cents"]) for row in found.breaks.to_pylist()
    ] == [
        ("left", "euro", "other_currency", 2000),
        ("left", "bad", "unreadable_amount", None),
        ("right", "other", "no_candidate", 2000),
    ]


def test_records_alike_that_compete_are_ambiguous(model: ReconciliationModel, tmp_path: Path):
    left = [("one", "2024-01-01", "20.00", "ANNA LEE 1"), ("two", "2024-01-01", "20.00", "ANNA LEE 1")]
    right = [("r", "2024-01-02", "20.00", "ANNA LEE 1")]
    alone = matched(World(left[:1], right, []), tmp_path / "alone", model).proposals
    assert alone["ambiguous"].to_pylist() == [False]
    twice = matched(World(left, right, []), tmp_path / "twice", model).proposals
    assert twice["ambiguous"].to_pylist() == [True]
    assert twice["confidence"][0].as_py() < 0.6 < alone["confidence"][0].as_py()
    assert {twice["left_ids"][0].as_py()[0], twice["rival_left_id"][0].as_py()} == {"one", "two"}


def test_a_model_learns_from_a_bounded_number_of_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workbench.reconcile.training.MOST_PAIRS", 5_000)
    made = trained(TRAINING, tmp_path / "a", estimator="logistic_on_splines")
    assert 0.5 * 5_000 < made.facts.labelled_pairs < 1.5 * 5_000
    confidence, right = told(matched(FRESH, tmp_path / "b", made))
    assert match_quality(confidence, right, true_matches=len(FRESH.pairs)).f1 > 0.95
