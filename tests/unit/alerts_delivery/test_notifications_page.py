"""What the page about notifications shows is true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from workbench.alerts.channels import CHANNELS
from workbench.alerts.receivers import DeadMansSwitch, Escalation, InhibitRule, Limit, Plan, Receiver, Route
from workbench.alerts.stages import STAGES
from workbench.cli import alerts_delivery, app
from workbench.documents import parse_document
from workbench.workflows import json_schema

PAGE = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text()
PLANS = re.findall(r"```yaml receivers\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^workbench (alerts [^#\n]*)", PAGE, re.MULTILINE)


def test_the_plan_of_the_page_is_one_without_doubts_that_editors_accept_too():
    assert len(PLANS) == 1
    assert parse_document(PLANS[0], Plan, name="page", folder=Path()).doubts() == []
    jsonschema.validate(YAML(typ="safe").load(PLANS[0]), json_schema("receivers"))


@pytest.mark.parametrize(
    "wrong", ["url: {env: ONCALL_URL}|url: slack://token", "kind: file|kind: fiel", "every: 1min|evry: 1min"]
)
def test_an_editor_that_follows_the_schema_sees_what_is_wrong(wrong: str):
    before, after = wrong.split("|")
    assert before in PLANS[0]
    content = YAML(typ="safe").load(PLANS[0].replace(before, after))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, json_schema("receivers"))


@pytest.mark.parametrize("kind", list(CHANNELS))
def test_the_page_names_a_channels_own_keys(kind: str):
    (row,) = re.findall(rf"^\| `{kind}` \| .* \| (.*)\|$", PAGE, re.MULTILINE)
    shared = {"kind", "send_resolved", "timeout"}
    own = [name for name in CHANNELS[kind].model_fields if name not in shared]
    assert re.findall(r"`(\w+)`", row) == own


def test_the_page_has_the_stages_in_their_order():
    rows = re.findall(r"^\| ([a-z ]+) \| .* \| .*\|$", PAGE, re.MULTILINE)
    assert [row for row in rows if row not in ("stage", "kind")] == list(STAGES)


def test_the_page_names_every_key_of_the_document():
    parts = (Plan, Receiver, Limit, Route, Escalation, InhibitRule, DeadMansSwitch)
    keys = {key for part in parts for key in part.model_fields}
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", PAGE)] == []


def test_the_page_shows_every_command_of_delivery_and_each_can_be_given_so():
    shown = {shlex.split(command)[1] for command in COMMANDS}
    here = {command.name or command.callback.__name__ for command in alerts_delivery.app.registered_commands}
    assert here <= shown, here - shown
    group = get_command(app)
    for command in COMMANDS:
        arguments = shlex.split(command)[1:]
        context = group.make_context("workbench", ["alerts", *arguments], resilient_parsing=False)
        alerts = group.get_command(context, "alerts")
        assert alerts.get_command(context, arguments[0]) is not None
        alerts.get_command(context, arguments[0]).make_context(arguments[0], arguments[1:], parent=context)
