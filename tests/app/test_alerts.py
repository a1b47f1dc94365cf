"""The page of alerts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from streamlit.testing.v1 import AppTest

from tests.unit.alerts_delivery.loopback import receiving
from workbench import workflows
from workbench.alerts.rules import load_rules
from workbench.errors import InputError
from workbench.settings import Settings
from workbench.store import Store
from workbench.workflows import rule_courses, rule_editing

OpenPage = Callable[..., AppTest]

RULES = """
name: store
interval: 1s
rules:
  - name: LakeIsEmpty
    condition: {kind: sql, query: "select count(*) as value, 'lake' as what from runs", below: 1}
    annotations: {summary: nothing is stored}
"""
BROKEN = {
    "name": "broken",
    "arrivals": {"kind": "poisson", "rate": "100/s"},
    "service": {"kind": "exponential", "mean": "15ms"},
    "pool": {"name": "web", "count": 2},
    "balancers": {"strategy": "round_robin"},
    "faults": {"kind": "failing", "servers": "web-1", "at": "4min", "lasts": "2min"},
    "horizon": "8min",
    "warm_up": "5s",
}


@pytest.fixture
def firing(tmp_path: Path) -> Path:
    """A lake over which one alert fires, told to a file."""
    Store(Settings(lake=tmp_path / "lake")).close()
    (tmp_path / "rules.yaml").write_text(RULES)
    channel = f"{{kind: file, path: {tmp_path / 'told.jsonl'}}}"
    plan = tmp_path / "receivers.yaml"
    route = "route: {receiver: team, group_wait: 100ms}"
    plan.write_text(f"receivers:\n  - name: team\n    channels: [{channel}]\n{route}\n")
    settings = Settings(lake=tmp_path / "lake")
    workflows.run_alerts([tmp_path / "rules.yaml"], plan, settings=settings, seconds=1.5)
    return tmp_path / "lake"


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alerts") / "lake"
    workflows.run(BROKEN, settings=Settings(lake=folder))
    return folder


def press(app: AppTest, label: str) -> AppTest:
    next(one for one in app.button if one.label == label).click().run()
    assert not app.exception, app.exception[0].stack_trace
    return app


@pytest.mark.parametrize("view", ["now", "history"])
def test_where_no_alerts_were_run_the_page_says_how_to_start_them(
    tmp_path: Path, open_page: OpenPage, view: str
):
    app = open_page(tmp_path / "lake", "alerts", view=view)
    assert "workbench alerts run" in app.code[0].value
    assert not (tmp_path / "lake").exists()


def test_an_alert_that_fires_is_acknowledged_and_silenced_and_the_history_says_so(
    firing: Path, open_page: OpenPage
):
    settings = Settings(lake=firing)
    app = open_page(firing, "alerts")
    assert app.markdown[0].value.endswith("**LakeIsEmpty** — firing")
    press(app, "Acknowledge")
    (alert,) = workflows.active_alerts(settings=settings).alerts
    assert alert.acknowledged_by
    press(app, "Silence for an hour")
    (alert,) = workflows.active_alerts(settings=settings).alerts
    assert alert.silenced_by is not None
    app.run()
    assert {"Acknowledge", "Silence for an hour"}.isdisjoint(one.label for one in app.button)
    press(app, "End")
    assert workflows.list_silences(settings=settings).silences == []
    told = open_page(firing, "alerts", view="history").table[0].value["what"]
    kinds = set(told.str.replace("\N{NO-BREAK SPACE}", " "))
    assert {"firing", "acknowledged", "silenced", "silence ended", "told"} <= kinds


def test_a_matcher_that_cannot_be_read_is_answered_in_place(firing: Path, open_page: OpenPage):
    app = open_page(firing, "alerts")
    app.text_input[0].set_value("severity is page")
    press(app, "Silence")
    assert app.error[0].value.startswith("matcher: given 'severity'; allowed: ")


def test_a_threshold_that_is_moved_shows_what_it_would_have_done(broken: Path, open_page: OpenPage):
    app = open_page(broken, "alerts", view="rules", threshold_of="ErrorRatioHigh")
    figures = {one.label: one.value for one in app.metric}
    assert figures["False alarms a day"] == "0"
    assert figures["Detected (%)"] == "100"
    assert "1 incidents" in next(one.value for one in app.caption if "dotted" in one.value)
    highest = app.slider[0].max
    app.slider[0].set_value(highest).run()
    figures = {one.label: one.value for one in app.metric}
    assert figures["Detected (%)"] == "0"


def test_a_threshold_that_was_moved_is_saved_with_the_rest_of_its_file(broken: Path, open_page: OpenPage):
    app = open_page(broken, "alerts", view="rules", threshold_of="QueueDeep")
    app.number_input[0].set_value(45.0).run()
    app.text_input[0].set_value("mine").run()
    press(app, "Save in the lake")
    assert app.success[0].value.startswith(f"Saved as `{broken}/rules/mine.yaml`")
    shipped = rule_courses.rule_files(settings=Settings(lake=broken))["queues"]
    before = {rule.name: rule for rule in load_rules(shipped).rules}
    after = {rule.name: rule for rule in load_rules(broken / "rules" / "mine.yaml").rules}
    assert after.pop("QueueDeep").hold == 45.0
    del before["QueueDeep"]
    assert after == before
    shutil.rmtree(broken / "rules")


def test_another_threshold_moves_where_it_clears_and_keeps_comments():
    shipped = rule_courses.rule_files(settings=Settings(lake=Path("/nowhere")))["queues"]
    text = rule_editing.edited_rules(shipped, "QueueDeep", threshold=10.0, hold=30.0)
    assert text.startswith("# The default rules for a balanced pool of servers.")
    condition = YAML(typ="safe").load(text)["rules"][0]["condition"]
    assert (condition["above"], condition["clear_at"]) == (10, 4)


@pytest.mark.parametrize("name", ["", "../x", "a b"])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str):
    with pytest.raises(InputError, match="allowed: letters, digits, _ and -"):
        rule_editing.save_rules(name, RULES, settings=Settings(lake=tmp_path))
    assert not (tmp_path / "rules").exists()


def test_a_test_is_sent_through_the_real_channel(tmp_path: Path, open_page: OpenPage):
    with receiving() as receiver:
        plan = tmp_path / "receivers.yaml"
        channel = f'{{kind: webhook, url: "{receiver.url}"}}'
        plan.write_text(f"receivers: [{{name: team, channels: [{channel}]}}]\nroute: {{receiver: team}}\n")
        app = open_page(tmp_path / "lake", "alerts", view="channels", receivers=str(plan))
        press(app, "Send a marked test")
        assert app.success, [one.value for one in app.error]
        (sent,) = receiver.received
    assert "WorkbenchTest" in json.dumps(sent.body)


def test_what_is_wrong_with_the_receivers_is_said_with_its_line(tmp_path: Path, open_page: OpenPage):
    plan = tmp_path / "receivers.yaml"
    plan.write_text("receivers:\n  - {nam: team}\n")
    app = open_page(tmp_path / "lake", "alerts", view="channels", receivers=str(plan))
    assert "receivers.yaml:2: receivers[0].nam: given 'team'" in app.error[0].value.replace("\\", "")
