"""The commands of delivery: what they print, their exit codes, and that no bad input gives a traceback."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.alerts_delivery.loopback import Receiver, Reply
from workbench.cli import main

PLAN = """\
receivers:
  - name: team
    channels: {kind: webhook, url: {env: TEAM_URL}}
  - name: boss
    channels: [{kind: file, path: boss.jsonl}]
  - name: nobody
route:
  receiver: team
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 300ms
  routes:
    - {matchers: ['severity="ticket"'], receiver: boss}
    - {matchers: ['severity="info"'], receiver: nobody}
"""

RULES = """\
name: test
interval: 200ms
rules:
  - name: Always
    condition: {kind: sql, query: "select 'web' as pool, 5.5 as value", above: 3}
"""

DEPTH = """\
name: depth
rules:
  - {name: Deep, condition: {kind: threshold, of: workbench_queue_depth, above: 3}}
"""

Ended = tuple[int, str, str]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], receiver: Receiver
) -> Callable[..., Ended]:
    """Give a function that runs `workbench alerts` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_LAKE", "lake")
    monkeypatch.setenv("TEAM_URL", f"{receiver.url}/s3cr3t-path")
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "depth.yaml").write_text(DEPTH)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["workbench", "alerts", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        assert "s3cr3t" not in shown.out + shown.err
        assert "Traceback" not in shown.err
        return int(end.value.code or 0), shown.out, shown.err

    return run


def as_json(ended: Ended) -> dict[str, Any]:
    assert ended[0] == 0, ended[2]
    return json.loads(ended[1])


def test_receivers_shows_whom_an_alert_reaches_and_what_is_missing(command, monkeypatch: pytest.MonkeyPatch):
    content = as_json(command("receivers", "plan.yaml", "severity=ticket", "--json"))
    assert content["schema"] == "workbench.alert_receivers/1"
    assert [one["receiver"] for one in content["channels"]] == ["boss"]
    assert content["routes"] == [
        "boss: grouped by alertname; first after 100 ms, news every 300 ms, again after 4 h"
    ]
    monkeypatch.delenv("TEAM_URL")
    code, out, _ = command("receivers", "plan.yaml")
    assert code == 0
    assert "$TEAM_URL" in out
    assert "the variable TEAM_URL is not set" in out


def test_a_test_goes_through_the_real_channel_and_reports_each_attempt(command, receiver: Receiver):
    receiver.replies.append(Reply(503, body="not yet"))
    content = as_json(command("test", "plan.yaml", "--receiver", "team", "--json"))
    assert content["schema"] == "workbench.alert_test/1"
    assert [(one["number"], one["verdict"], one["status"]) for one in content["attempts"]] == [
        (1, "temporary", 503),
        (2, "delivered", 200),
    ]
    assert {one["test"] for one in content["attempts"]} == {True}
    first, second = receiver.received
    assert first.key == second.key == content["attempts"][0]["key"]
    assert first.headers["X-Workbench-Test"] == "true"
    assert first.body["alerts"][0]["annotations"]["summary"].startswith("A test of the way")
    history = as_json(command("history", "--json"))
    assert [one["verdict"] for one in history["attempts"]] == ["delivered", "temporary"]


def test_a_test_that_is_refused_ends_with_a_code_of_its_own(command, receiver: Receiver):
    receiver.reply = Reply(403, body="no")
    code, out, _ = command("test", "plan.yaml", "severity=page")
    assert code == 1
    assert "0 of 1 channels delivered" in out
    assert "403 Forbidden: no" in out
    assert len(receiver.received) == 1  # trying again would not help


def test_a_test_of_labels_goes_where_their_routes_lead(command, tmp_path: Path, receiver: Receiver):
    code, out, _ = command("test", "plan.yaml", "severity=ticket", "pool=web")
    assert code == 0
    (line,) = (tmp_path / "boss.jsonl").read_text().splitlines()
    assert json.loads(line)["test"] is True
    assert json.loads(line)["commonLabels"]["pool"] == "web"
    assert receiver.received == []
    code, out, _ = command("test", "plan.yaml", "severity=info")
    assert "nobody has no channel" in out


def run_for(command: Callable[..., Ended], seconds: str) -> dict[str, Any]:
    return as_json(command("run", "rules.yaml", "--to", "plan.yaml", "--for", seconds, "--json"))


def test_a_run_tells_and_what_is_done_by_hand_is_seen(command, receiver: Receiver, tmp_path: Path):
    ran = run_for(command, "2s")
    assert ran["schema"] == "workbench.alerts_run/1"
    assert ran["evaluations"] >= 3
    assert (ran["messages"], ran["attempts"], ran["delivered"]) == (1, 1, 1)
    (told,) = receiver.received
    assert told.body["alerts"][0]["labels"] == {"alertname": "Always", "pool": "web", "severity": "page"}

    (alert,) = as_json(command("active", "--json"))["alerts"]
    assert (alert["state"], alert["acknowledged_by"], alert["value"]) == ("firing", None, 5.5)
    marked = as_json(command("ack", "Always", "--by", "eve", "-c", "on it", "--json"))
    assert (list(marked["alerts"]), marked["already"]) == ([alert["fingerprint"]], 0)
    assert as_json(command("ack", alert["fingerprint"][:8], "--json"))["already"] == 1
    silenced = as_json(command("silence", "pool=web", "zone=", "--for", "1h", "--json"))["silences"][0]
    assert silenced["matchers"] == ['pool="web"', 'zone=""']
    (alert,) = as_json(command("active", "--json"))["alerts"]
    assert (alert["acknowledged_by"], alert["silenced_by"]) == ("eve", 1)
    command("resolve", "Always")
    assert as_json(command("active", "--json"))["alerts"][0]["state"] == "resolved"
    run_for(command, "2s")
    assert len(receiver.received) == 1, "its end is silenced"

    history = as_json(command("history", "Always", "--json"))
    kinds = [one["kind"] for one in reversed(history["events"])]
    assert kinds == ["firing", "told", "acknowledged", "resolved by hand", "withheld"]
    assert history["events"][0]["detail"] == "silenced by 1"
    ended = as_json(command("unsilence", "1", "--json"))["silences"][0]
    assert ended["ends_at"] < ended["starts_at"] + 60
    assert as_json(command("silences", "--json"))["silences"] == []

    code, _, _ = command("history", "--limit", "1", "--export", "history.csv")
    assert code == 0
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows if row["alert"] == "Always"] == kinds
    assert [row["status"] for row in rows if row["kind"] == "delivered"] == ["200"]


def test_dead_letters_are_shown_and_sent_again(command, receiver: Receiver):
    receiver.replies.append(Reply(400, body="who are you"))
    ran = run_for(command, "1500ms")
    assert (ran["delivered"], ran["dead"]) == (0, 1)
    code, out, _ = command("dead-letters")
    assert code == 0
    assert "400 Bad Request: who are you" in out
    letters = as_json(command("dead-letters", "--send-again", "1", "--json"))
    assert (letters["sent_again"], letters["counts"]) == (1, {"waiting": 1, "delivered": 0, "dead": 0})
    ran = run_for(command, "1500ms")
    assert (ran["delivered"], ran["dead"]) == (1, 0)
    first, second = receiver.received
    assert first.key == second.key
    assert as_json(command("outbox", "--only", "delivered", "--json"))["letters"][0]["key"] == first.key


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["run", "rules.yaml"], 2, "Missing option '--to'"),
        (["run", "none.yaml", "--to", "plan.yaml"], 2, "none.yaml: document: given what cannot be read"),
        (["run", "rules.yaml", "--to", "none.yaml"], 2, "none.yaml: document: given what cannot be read"),
        (["run", "rules.yaml", "rules.yaml", "--to", "plan.yaml"], 2, "rules: given Always in two files"),
        (
            ["run", "depth.yaml", "--to", "plan.yaml"],
            2,
            "rules: given Deep over metrics; allowed: with the addr",
        ),
        (["run", "rules.yaml", "--to", "plan.yaml", "--prometheus", "here"], 2, "http://127.0.0.1:9090"),
        (
            ["run", "rules.yaml", "--to", "plan.yaml", "--for", "soon"],
            2,
            "for: given 'soon'; allowed: a dura",
        ),
        (["run", "rules.yaml", "--to", "plan.yaml", "--state", "/proc/x/y"], 4, "/proc/x"),
        (["test", "plan.yaml"], 2, "test: given neither or both; allowed: names of receivers, or labels"),
        (["test", "plan.yaml", "a=b", "-r", "team"], 2, "test: given neither or both"),
        (["test", "plan.yaml", "-r", "taem"], 2, "receiver: given taem; allowed: boss, nobody, team"),
        (["test", "plan.yaml", "severity"], 2, "labels: given 'severity'; allowed: a name and a value"),
        (["test", "plan.yaml", "-r", "team", "--attempts", "0"], 2, "--attempts"),
        (["active"], 2, "there is no such file; `workbench alerts run` makes it"),
        (["history"], 2, "there is no such file"),
        (["silence", "severity", "--for", "1h"], 2, "matcher: given 'severity'; allowed: a condition on a"),
        (["silence", "severity=~'('", "--for", "1h"], 2, "a regular expression"),
        (["silence", "severity=~.*", "--for", "1h"], 2, "at least one that asks for a value"),
        (["silence", "severity=page", "--for", "0s"], 2, "allowed: a duration above 0"),
        (["silence", "severity=page"], 2, "Missing option '--for'"),
        (["outbox", "--only", "lost"], 2, "only: given 'lost'; allowed: waiting, delivered, dead"),
        (["dead-letters", "3"], 2, "allowed: with --send-again"),
    ],
)
def test_bad_input_is_answered_with_what_is_allowed(command, arguments: list[str], code: int, complaint: str):
    ended, _, err = command(*arguments)
    assert ended == code
    assert complaint in err


def test_what_is_not_there_is_named(command):
    run_for(command, "300ms")
    for arguments, complaint in (
        (["ack", "Never"], "alert: given 'Never'; allowed: one that fires: Always"),
        (["resolve", ""], "allowed: one that fires: Always"),
        (["unsilence", "7"], "no silence 7 lasts"),
        (["dead-letters", "9", "--send-again"], "no dead letter 9"),
        (["history", "--export", "/proc/no/file.csv"], "given a file that cannot be written"),
    ):
        code, _, err = command(*arguments)
        assert code == 2
        assert complaint in err


def test_a_missing_secret_is_named_before_anything_is_evaluated(command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TEAM_URL")
    code, _, err = command("run", "rules.yaml", "--to", "plan.yaml", "--for", "1s")
    assert code == 2
    assert err == "receiver team, channel 0: the variable TEAM_URL is not set; allowed: the secret in it\n"


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("select 'web' as pool", "given a query with the columns pool; allowed: one of them called value"),
        ("select 'many' as value", "given the value 'many'; allowed: a number in the column value"),
        ("select nonsense", "nonsense"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_said_while_others_go_on(
    command, tmp_path: Path, receiver: Receiver, query: str, complaint: str
):
    broken = f'  - name: Broken\n    condition: {{kind: sql, query: "{query}"}}\n'
    (tmp_path / "rules.yaml").write_text(RULES + broken)
    code, _, err = command("run", "rules.yaml", "--to", "plan.yaml", "--for", "1500ms")
    assert code == 0
    assert err.count("Broken failed") == 1
    assert complaint in err
    assert len(receiver.received) == 1


def test_beats_that_arrived_are_in_the_export_of_the_history_only(command, tmp_path: Path):
    plan = PLAN + "dead_mans_switch: {receiver: boss, every: 1s}\n"
    (tmp_path / "plan.yaml").write_text(plan)
    run_for(command, "2s")
    history = as_json(command("history", "--export", "history.csv", "--json"))
    assert {one["receiver"] for one in history["attempts"]} == {"team"}
    with (tmp_path / "history.csv").open() as file:
        assert {row["receiver"] for row in csv.DictReader(file) if row["kind"] == "delivered"} == {
            "team",
            "boss",
        }
