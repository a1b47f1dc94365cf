"""Objectives give the rules of the SRE workbook."""

from __future__ import annotations

import pytest

from workbench.alerts.conditions import BurnRate
from workbench.alerts.rules import RuleFile

OBJECTIVE = {"name": "Web", "errors": "bad", "total": "all", "objective": 0.999}


def windows(**keys: object) -> list[tuple[str, float, float, float, str]]:
    file = RuleFile.model_validate({"name": "x", "objectives": [OBJECTIVE | keys]})
    found = []
    for rule in file.every_rule:
        assert isinstance(rule.condition, BurnRate)
        found.append(
            (rule.name, rule.condition.long, rule.condition.short, rule.condition.factor, rule.severity)
        )
    return found


def test_the_windows_and_burn_rates_are_those_of_table_5_8():
    assert windows() == [
        ("WebBurns1h", 3600.0, 300.0, 14.4, "page"),
        ("WebBurns6h", 21600.0, 1800.0, 6.0, "page"),
        ("WebBurns1d", 86400.0, 7200.0, 3.0, "ticket"),
        ("WebBurns3d", 259200.0, 21600.0, 1.0, "ticket"),
    ]


def test_a_burn_rate_is_the_budgets_share_by_the_periods():
    (one,) = windows(period="7d", windows=[{"long": "1h", "short": "5min", "budget": 0.02}])
    assert one[3] == pytest.approx(0.02 * 7 * 24)
