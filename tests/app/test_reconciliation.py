"""The page of reconciliation."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import beta
from streamlit.testing.v1 import AppTest

from tests.unit.reconcile_decisions.proposals import confidences, table
from workbench import charts
from workbench.errors import DocumentError, InputError
from workbench.settings import Settings
from workbench.workflows import jobs, reconciliation_curves
from workbench.workflows.decision_configuration import set_configuration, show_configuration
from workbench.workflows.reviewing import list_cases, open_review

OpenPage = Callable[..., AppTest]

COSTS = ["costs.review=2", "costs.wrong=200", "costs.missed=50", "inflow.per_day=500"]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A lake with 2,000 labelled proposals of exact confidence, in the place of the plan `april`."""
    rng = np.random.default_rng(7)
    confidence = confidences(2000, rng)
    folder = tmp_path / "lake" / "reconciliation" / "bank-and-ledger"
    folder.mkdir(parents=True)
    pq.write_table(table(confidence, rng.random(2000) < confidence), folder / "proposals.parquet")
    return tmp_path / "lake"


def press(app: AppTest, label: str) -> AppTest:
    next(one for one in app.button if one.label == label).click().run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def alts(app: AppTest) -> list[str]:
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def test_before_anything_was_matched_the_page_says_what_to_do_and_makes_no_lake(
    tmp_path: Path, open_page: OpenPage
):
    for view in ("ledgers", "thresholds", "review", "evidence", "drift"):
        app = open_page(tmp_path / "lake", "reconciliation", plan="april", view=view)
        assert "not matched yet: train a model, then match" in app.info[-1].value
    assert not (tmp_path / "lake").exists()


def test_proposals_are_shown_with_their_reliability_and_precision(lake: Path, open_page: OpenPage):
    app = open_page(lake, "reconciliation", plan="april")
    assert alts(app) == [
        "Share right over confidence, by bins",
        "Precision over the share of the proposals that is accepted",
    ]
    assert any("2,000 proposals, 2,000 of them labelled" in one.value for one in app.caption)


def test_the_curves_count_what_pandas_counts(lake: Path):
    file = lake / "reconciliation" / "bank-and-ledger" / "proposals.parquet"
    found = reconciliation_curves.proposal_curves(file)
    frame = pq.read_table(file).to_pandas()
    assert sum(one.count for one in found.bins) == len(frame)
    for one in found.accepted[:: len(found.accepted) // 10]:
        above = frame[frame["confidence"] >= one.threshold]
        assert one.accepted == pytest.approx(len(above) / len(frame))
        assert one.precision == pytest.approx(above["truth"].mean())
        assert one.expected == pytest.approx(above["confidence"].mean())
        hits = int(above["truth"].sum())
        assert one.low == pytest.approx(beta.ppf(0.025, hits, len(above) - hits + 1))


def test_without_labels_there_is_no_precision_and_no_diagram(tmp_path: Path):
    pq.write_table(table(np.array([0.9, 0.5])), tmp_path / "proposals.parquet")
    found = reconciliation_curves.proposal_curves(tmp_path / "proposals.parquet")
    assert found.bins == ()
    assert [one.precision for one in found.accepted] == [None, None]
    assert charts.reliability_data([]) is None
    points = [charts.PrecisionPoint(**vars(one)) for one in found.accepted]
    data = charts.accepted_precision_data(points, certified=0.6)
    assert data.certified == 0.5
    assert [one.name for one in charts.accepted_precision_chart(data).data] == ["by confidences"]


@pytest.mark.slow
def test_costs_come_first_then_thresholds_with_what_they_lead_to(lake: Path, open_page: OpenPage):
    app = open_page(lake, "reconciliation", plan="april", view="thresholds", by="anna")
    assert not alts(app)
    press(app, "Save as the next version")
    settings = Settings(lake=lake)
    assert show_configuration(settings=settings).configuration["costs"]["wrong"] == 200
    app.slider[0].set_value(0.97).run()
    assert app.info[0].value.startswith("At 0.97: ")
    assert "reviewers." in app.info[0].value
    assert app.table[0].value.index.tolist()[-1] != ""
    press(app, "Save the certificate")
    assert show_configuration(settings=settings).configuration["certified"] is not None


def test_without_a_name_nothing_can_be_saved(lake: Path, open_page: OpenPage):
    app = open_page(lake, "reconciliation", plan="april", view="thresholds")
    assert next(one for one in app.button if one.label == "Save as the next version").disabled


@pytest.mark.slow
def test_a_case_is_decided_by_a_key_and_only_then_shows_its_confidence(lake: Path, open_page: OpenPage):
    settings = Settings(lake=lake)
    set_configuration(COSTS, author="anna", reason="first", settings=settings)
    file = lake / "reconciliation" / "bank-and-ledger" / "proposals.parquet"
    open_review(file, settings=settings)
    app = open_page(lake, "reconciliation", plan="april", view="review", by="anna")
    buttons = {one.label: one.proto.shortcut for one in app.button}
    assert [buttons[label].upper() for label in ("Accept", "Reject", "Skip")] == ["A", "X", "S"]
    assert not app.success
    press(app, "Accept")
    assert "the model said" in app.success[0].value.lower()
    decided = list_cases(decided=True, settings=settings).cases
    assert [(case.verdicts[0].verdict, case.verdicts[0].by, case.verdicts[0].blind) for case in decided] == [
        ("accept", "anna", True)
    ]
    press(app, "Skip")
    press(app, "Reject")
    verdicts = [case.verdicts[-1].verdict for case in list_cases(decided=True, settings=settings).cases]
    assert sorted(verdicts) == ["accept", "reject"]


def test_drift_is_looked_at_without_changing_anything(lake: Path, open_page: OpenPage):
    settings = Settings(lake=lake)
    set_configuration(COSTS, author="anna", reason="first", settings=settings)
    app = open_page(lake, "reconciliation", plan="april", view="drift")
    assert app.markdown[0].value.startswith("**Watch over 2,000 proposals: ")
    assert show_configuration(settings=settings).version == 1


PLAN = """
name: two small ledgers
left: {file: left.csv, columns: {id: id, amount: amount, text: text}}
right: {file: right.csv, columns: {id: id, amount: amount, text: text}}
blocking: {rules: [{name: same text, same: [text]}]}
"""


def test_ledgers_that_are_uploaded_are_kept_with_their_plan(tmp_path: Path, open_page: OpenPage):
    settings = Settings(lake=tmp_path / "lake")
    files = {"left.csv": b"id,amount,text\nL1,1.00,a\n", "right.csv": b"id,amount,text\nR1,1.00,a\n"}
    plan = reconciliation_curves.keep_upload("small", PLAN, files, settings=settings)
    assert reconciliation_curves.plan_files(settings=settings)["uploaded: small"] == plan
    app = open_page(settings.lake, "reconciliation", plan="uploaded: small")
    assert app.selectbox(key="plan").value == "uploaded: small"


@pytest.mark.parametrize("name", ["../x", "", "a/b", "plan.yaml"])
def test_an_upload_with_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str):
    with pytest.raises(InputError, match="allowed: letters"):
        reconciliation_curves.keep_upload(name, PLAN, {}, settings=Settings(lake=tmp_path / "lake"))
    assert not (tmp_path / "lake").exists()


def test_a_plan_that_is_wrong_is_not_kept(tmp_path: Path):
    settings = Settings(lake=tmp_path / "lake")
    with pytest.raises(DocumentError, match="blocking"):
        reconciliation_curves.keep_upload(
            "small", PLAN.replace("blocking", "blokcing"), {}, settings=settings
        )
    uploaded = [name for name in reconciliation_curves.plan_files(settings=settings) if "uploaded" in name]
    assert uploaded == []
    shutil.rmtree(tmp_path / "lake")


@pytest.mark.slow
def test_ledgers_are_trained_on_and_matched_from_the_page(tmp_path: Path, open_page: OpenPage):
    settings = Settings(lake=tmp_path / "lake")
    for plan, label in (("march", "Train"), ("april", "Match")):
        app = open_page(settings.lake, "reconciliation", plan=plan)
        press(app, label)
        number = int(app.session_state["reconcile_job"])
        until = time.monotonic() + 120
        while (job := jobs.show_job(number, settings=settings)).state == "running":
            assert time.monotonic() < until
            time.sleep(0.2)
        assert job.state == "done", job.reason
    app = open_page(settings.lake, "reconciliation", plan="april", view="evidence", record="L00205")
    assert "L00205" in app.markdown[0].value
