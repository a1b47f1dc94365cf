"""What docs/alerts.md shows is true: its documents load, its tests pass, and it leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workbench.alerts.conditions import CONDITIONS
from workbench.alerts.linter import CHECKS
from workbench.alerts.rule_tests import RuleTests, run_rule_tests
from workbench.alerts.rules import Rule, RuleFile
from workbench.alerts.signals import Signal
from workbench.alerts.windows import FUNCTIONS
from workbench.documents import parse_document
from workbench.workflows.drills import load_drill
from workbench.workflows.queue_series import IN_DRILLS

PAGE = Path(__file__).parents[2] / "docs" / "alerts.md"
TEXT = PAGE.read_text()


def block(kind: str) -> str:
    (found,) = re.findall(rf"```yaml {kind}\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


def test_the_rules_pass_the_tests_that_the_page_shows():
    rules = parse_document(block("rules"), RuleFile, name="rules", folder=PAGE.parent)
    tests = parse_document(block("tests"), RuleTests, name="tests", folder=PAGE.parent)
    assert run_rule_tests(tests, rules.every_rule) == []
    assert len(rules.every_rule) == 5


def test_the_drill_fits_its_scenario(tmp_path: Path):
    file = tmp_path / "drill.yaml"
    file.write_text(block("drill").replace("../simulations", str(PAGE.parents[1] / "simulations")))
    assert len(load_drill(file).drill.faults) == 5


def test_the_page_names_every_key_of_a_rule():
    keys = [field.alias or name for name, field in Rule.model_fields.items()]
    assert [key for key in keys if not re.search(rf"\b{key}:", block("rules"))] == []


@pytest.mark.parametrize("kind", list(CONDITIONS))
def test_a_condition_and_its_keys_stand_in_the_page(kind: str):
    (row,) = re.findall(rf"^\| `{kind}` \| .*? \| (.*) \|$", TEXT, re.MULTILINE)
    own = [name for name in CONDITIONS[kind].model_fields if name != "kind"]
    assert re.findall(r"`([^`]+)`", row) == own


def test_every_function_key_check_and_metric_of_a_drill_stands_in_the_page():
    names = [*FUNCTIONS, *Signal.model_fields, *CHECKS, *IN_DRILLS]
    assert [name for name in names if f"`{name}`" not in TEXT] == []
