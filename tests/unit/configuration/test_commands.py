"""The commands about configurations: what they print and what they refuse."""

from __future__ import annotations

import json

import jsonschema
import pytest

from workbench.workflows import json_schema

SIGNED = ("--by", "anna", "--reason", "why not")


@pytest.fixture
def web(command, load):
    """Give the command with a configuration of the balancer web."""
    assert command("import", str(load), "--save", "-b", "web", *SIGNED)[0] == 0
    return command


def test_a_scenario_becomes_the_first_version_and_the_load(web, load):
    code, shown, _ = web("show", "--json")
    view = json.loads(shown)
    assert code == 0
    assert (view["version"], view["author"], view["usable"]) == (1, "anna", 2)
    assert list(view["configuration"]["servers"]) == ["server-0", "server-1"]
    assert view["configuration"]["load"] == str(load)


def test_changes_are_versions_with_a_history(web):
    assert web("set", "servers.server-0.weight=3", *SIGNED)[0] == 0
    assert web("set", "servers.*.limit=8", "--based-on", "2", *SIGNED)[0] == 0
    assert web("rollback", "1", *SIGNED)[0] == 0
    _, shown, _ = web("history", "--json")
    view = json.loads(shown)
    assert [one["version"] for one in view["versions"]] == [4, 3, 2, 1]
    assert [change["key"] for change in view["versions"][2]["changes"]] == ["servers.server-0.weight"]
    assert view["versions"][0]["configuration"] == view["versions"][3]["configuration"]
    jsonschema.validate(view, json_schema("configuration_history"))
    _, shown, _ = web("diff", "1", "3")
    assert "servers.server-1.limit" in shown


def test_a_change_based_on_an_older_version_is_refused(web):
    web("set", "servers.server-0.weight=3", *SIGNED)
    code, _, said = web("set", "servers.server-0.weight=4", "--based-on", "1", *SIGNED)
    assert code == 2
    assert "given version 1; allowed: 2, saved by anna" in said


def test_no_usable_server_is_refused_unless_forced(web):
    code, _, said = web("set", "servers.*.state=maint", *SIGNED)
    assert code == 2
    assert "no usable server would be left" in said
    assert web("set", "servers.*.state=maint", "--force", *SIGNED)[0] == 0


def test_the_text_shown_is_taken_as_a_file(web, tmp_path):
    _, text, _ = web("show", "--yaml")
    (tmp_path / "edited.yaml").write_text(text.replace("round_robin", "random"))
    code, shown, _ = web("set", "--file", "edited.yaml", "--json", *SIGNED)
    assert code == 0
    assert [one["key"] for one in json.loads(shown)["changes"]] == ["balancers.strategy"]


def test_the_editor_changes_the_configuration(web, monkeypatch):
    monkeypatch.setenv("VISUAL", "sed -i s/round_robin/random/")
    _, shown, _ = web("edit", "--json", *SIGNED)
    assert json.loads(shown)["strategy"] == "random"
    code, _, said = web("edit", *SIGNED)
    assert (code, said) == (0, "nothing was changed\n")


def test_a_file_that_is_wrong_names_its_line(web, tmp_path):
    (tmp_path / "wrong.yaml").write_text("servers:\n  a: {weigth: 1}\nbalancers: {strategy: round_robin}\n")
    code, _, said = web("set", "--file", "wrong.yaml", *SIGNED)
    assert code == 2
    assert said.startswith("wrong.yaml:2: servers.a.weigth: given 1; allowed: one of address")


def test_balancers_are_listed(web, load):
    assert web("import", str(load), "--save", "-b", "api", *SIGNED)[0] == 0
    code, _, said = web("show")
    assert (code, said) == (2, "balancer: given none; allowed: --balancer with one of api, web\n")
    assert [one["balancer"] for one in json.loads(web("list", "--json")[1])["balancers"]] == ["api", "web"]


def test_importing_prints_without_saving(command, load):
    code, text, _ = command("import", str(load))
    assert code == 0
    assert "strategy: {kind: round_robin}" in text
    assert json.loads(command("list", "--json")[1])["balancers"] == []
