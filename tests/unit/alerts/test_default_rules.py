"""The rules that come with the project: right, tested, and their tests notice every wrong copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench import workflows
from workbench.alerts.rules import load_rules

FOLDER = Path(__file__).parents[3] / "data" / "rules"
FILES = ["budget", "queues", "reconciliation"]


def test_what_is_promised_is_there():
    names = {rule.name for stem in FILES for rule in load_rules(FOLDER / f"{stem}.yaml").every_rule}
    assert names == {
        "QueueDeep", "OldestWaitLong", "ResponseSlow", "ErrorRatioHigh", "PoolImbalanced", "ServerDown",
        "MetricsMissing", "LowConfidenceShare",
        "AnswersBurns1h", "AnswersBurns6h", "AnswersBurns1d", "AnswersBurns3d",
    }  # fmt: skip


def test_every_file_of_rules_is_tested_here():
    files = {
        file.stem
        for file in FOLDER.glob("*.yaml")
        if "rules:" in file.read_text() or "objectives:" in file.read_text()
    }
    assert files - {f"{stem}_test" for stem in FILES} == set(FILES)


@pytest.mark.parametrize("stem", FILES)
def test_default_rules_pass_tests_that_look_at_every_one(stem: str):
    view = workflows.check_rules([FOLDER / f"{stem}.yaml"])
    assert view.mismatches == []
    assert [one.rule for one in view.rules if not one.tests] == []


@pytest.mark.parametrize("stem", FILES)
def test_the_tests_of_default_rules_notice_every_wrong_copy(stem: str):
    view = workflows.check_rules([FOLDER / f"{stem}.yaml"], mutate=True)
    assert {one.rule: one.missed for one in view.rules if one.missed} == {}
    assert all((one.mutants or 0) >= 7 for one in view.rules)


@pytest.mark.parametrize("stem", FILES)
def test_the_linter_finds_nothing_in_default_rules(stem: str):
    assert workflows.lint_rules(FOLDER / f"{stem}.yaml", step=5.0).findings == []
