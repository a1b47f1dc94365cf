"""Channels: what they send, and what they make of the answer."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.unit.alerts_delivery.loopback import Receiver, Reply, alert, message
from workbench.alerts.channels import (
    CHANNELS,
    Alertmanager,
    Apprise,
    Channel,
    Desktop,
    File,
    Log,
    Verdict,
    Webhook,
)
from workbench.alerts.channels.http import shown_address
from workbench.alerts.messages import Message
from workbench.alerts.secrets import Secret, Vault

# What Apprise loads asks for a module that Python 3.13 no longer has, and has its own in reserve.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

NOW = 1_700_000_000.0
FIRING, OVER = alert(pool="web", active_at=NOW), alert(pool="api", active_at=NOW, resolved_at=NOW + 90)


def send(channel: Channel, told: Message | None = None, vault: Vault | None = None, key: str = "k1"):
    return channel.send(told or message(FIRING, OVER), key=key, vault=vault or Vault({}), now=NOW)


def test_a_webhook_sends_alertmanagers_body_and_the_key(receiver: Receiver):
    vault = Vault({"TOKEN": "s3cr3t-token"})
    channel = Webhook(url=f"{receiver.url}/hook?x=1", bearer=Secret(env="TOKEN"), external_url="http://here")
    assert send(channel, vault=vault).verdict is Verdict.DELIVERED
    (got,) = receiver.received
    assert got.path == "/hook?x=1"
    assert got.key == "k1"
    assert got.headers["Authorization"] == "Bearer s3cr3t-token"
    assert "X-Workbench-Test" not in got.headers
    assert got.body == {
        "version": "4",
        "groupKey": '{}:{alertname="DeepQueue"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "team",
        "groupLabels": {"alertname": "DeepQueue"},
        "commonLabels": {"alertname": "DeepQueue", "severity": "page"},
        "commonAnnotations": {},
        "externalURL": "http://here",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "DeepQueue", "pool": "web", "severity": "page"},
                "annotations": {"summary": "DeepQueue in web"},
                "startsAt": "2023-11-14T22:13:20.000000Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://workbench.example/alerts",
                "fingerprint": FIRING.fingerprint,
            },
            {
                "status": "resolved",
                "labels": {"alertname": "DeepQueue", "pool": "api", "severity": "page"},
                "annotations": {"summary": "DeepQueue in api"},
                "startsAt": "2023-11-14T22:13:20.000000Z",
                "endsAt": "2023-11-14T22:14:50.000000Z",
                "generatorURL": "http://workbench.example/alerts",
                "fingerprint": OVER.fingerprint,
            },
        ],
    }


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((code, "delivered") for code in (200, 202, 204)),
        *((code, "permanent") for code in (301, 400, 401, 404)),
        *((code, "temporary") for code in (408, 425, 429, 500, 502, 503)),
    ],
)
def test_codes_below_500_are_told_apart_from_those_above(receiver: Receiver, status: int, verdict: str):
    receiver.reply = Reply(status, {"Location": receiver.url}, body="" if status == 204 else "because")
    answer = send(Webhook(url=receiver.url))
    assert (answer.verdict, answer.status) == (verdict, status)
    assert len(receiver.received) == 1  # a redirection is not followed: it might lead a secret astray
    if status >= 300:
        assert answer.detail.endswith(": because")


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("7", 7.0),
        (format_datetime(datetime.fromtimestamp(NOW + 30, UTC), usegmt=True), 30.0),
        (format_datetime(datetime.fromtimestamp(NOW - 30, UTC), usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(receiver: Receiver, asked: str, seconds: float | None):
    receiver.reply = Reply(429, {"Retry-After": asked})
    assert send(Webhook(url=receiver.url)).retry_after == seconds


@pytest.mark.parametrize("reply", [Reply(delay=3.0), Reply(drip=0.05)], ids=["silent", "dripping"])
def test_a_slow_receiver_is_left_at_the_timeout(receiver: Receiver, reply: Reply):
    receiver.reply = reply
    began = time.monotonic()
    answer = send(Webhook(url=receiver.url, timeout=0.3))
    assert time.monotonic() - began < 1.5
    assert (answer.verdict, answer.detail) == (Verdict.TEMPORARY, "no answer within 0.3 s")


def test_a_receiver_that_is_down_or_talks_nonsense_may_come_back(receiver: Receiver):
    url = receiver.url
    receiver.reply = Reply(status=999)
    assert send(Webhook(url=url)).verdict is Verdict.TEMPORARY
    receiver.close()
    answer = send(Webhook(url=url))
    assert (answer.verdict, answer.status) == (Verdict.TEMPORARY, None)
    assert "refused" in answer.detail


def test_an_answer_that_repeats_a_secret_is_hidden(receiver: Receiver):
    receiver.reply = Reply(400, body="no such token: s3cr3t-token at /services/abcdefgh")
    vault = Vault({"TOKEN": "s3cr3t-token", "URL": f"{receiver.url}/services/abcdefgh"})
    answer = send(Webhook(url=Secret(env="URL"), bearer=Secret(env="TOKEN")), vault=vault)
    assert answer.status == 400
    assert "s3cr3t" not in answer.detail
    assert "abcdefgh" not in answer.detail


@pytest.mark.parametrize("secret", ["s3cr3t-token", "http://s3cr3t:99999/", "http://[s3cr3t/"])
def test_a_secret_that_is_no_address_is_refused_without_being_told(secret: str):
    answer = send(Webhook(url=Secret(env="URL")), vault=Vault({"URL": secret}))
    assert answer.verdict is Verdict.PERMANENT
    assert "s3cr3t" not in answer.detail


def test_an_address_is_shown_without_its_path():
    assert (
        shown_address("https://hooks.example.org:8443/services/token?x=1") == "https://hooks.example.org:8443"
    )


def test_alertmanager_gets_every_alert_with_an_end(receiver: Receiver):
    told = message(FIRING, OVER, at=NOW + 100)
    assert send(Alertmanager(url=f"{receiver.url}/am/", fires_for="1h"), told).verdict is Verdict.DELIVERED
    (got,) = receiver.received
    assert got.path == "/am/api/v2/alerts"
    assert [one["endsAt"] for one in got.body] == [
        "2023-11-14T23:15:00.000000Z",
        "2023-11-14T22:14:50.000000Z",
    ]
    assert {frozenset(one) for one in got.body} == {
        frozenset(("labels", "annotations", "startsAt", "endsAt", "generatorURL"))
    }


def test_a_file_gets_a_line_a_message_also_after_a_line_that_was_cut(tmp_path: Path):
    channel = File(path=tmp_path / "out.jsonl")
    assert send(channel, key="k1").verdict is Verdict.DELIVERED
    with channel.path.open("a") as file:
        file.write('{"key": "cu')
    assert send(channel, key="k2").verdict is Verdict.DELIVERED
    first, cut, second = channel.path.read_text().splitlines()
    assert (json.loads(first)["key"], json.loads(second)["key"], cut) == ("k1", "k2", '{"key": "cu')
    assert json.loads(first)["alerts"][1]["status"] == "resolved"


def test_a_file_that_cannot_be_written_may_be_later(tmp_path: Path):
    answer = send(File(path=tmp_path / "nowhere" / "out.jsonl"))
    assert answer.verdict is Verdict.TEMPORARY
    assert "No such file" in answer.detail


def test_the_log_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]):
    assert send(Log(), message(FIRING, OVER, test=True)).verdict is Verdict.DELIVERED
    (line,) = capsys.readouterr().err.splitlines()
    assert "[TEST] [FIRING:1] DeepQueue (severity=page) for team" in line
    assert line.startswith("1970-01-01 00:01:40 UTC [TEST]")
    assert 'pool="web"' in line
    assert line.endswith("key=k1")


def test_the_desktop_gets_title_and_text_of_a_real_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert send(Desktop()).verdict is Verdict.PERMANENT
    program = tmp_path / "notify-send"
    program.write_text(
        f"#!{sys.executable}\nimport sys, pathlib\npathlib.Path({str(tmp_path / 'shown')!r})"
        ".write_text('\\n'.join(sys.argv[1:]))\n"
    )
    program.chmod(0o755)
    assert send(Desktop()).verdict is Verdict.DELIVERED
    shown = (tmp_path / "shown").read_text().splitlines()
    assert shown[:4] == [
        "--app-name=workbench",
        "--urgency=critical",
        "--",
        "[FIRING:1] DeepQueue (severity=page)",
    ]
    assert shown[-1] == "key: k1"


@pytest.mark.parametrize(
    ("status", "verdict"), [(200, "delivered"), (400, "permanent"), (429, "temporary"), (503, "temporary")]
)
def test_apprise_delivers_through_a_real_service_and_tells_the_codes_apart(
    receiver: Receiver, status: int, verdict: str
):
    receiver.reply = Reply(status)
    vault = Vault({"SERVICE": f"json://127.0.0.1:{receiver.port}/s3cr3t-path"})
    answer = send(Apprise(url=Secret(env="SERVICE")), vault=vault)
    assert (answer.verdict, answer.status) == (verdict, None if status == 200 else status)
    assert "s3cr3t" not in answer.detail
    (got,) = receiver.received
    assert got.body["title"] == "[FIRING:1] DeepQueue (severity=page)"
    assert "key: k1" in got.body["message"]
    assert "summary: DeepQueue in web" in got.body["message"]


def test_apprise_is_left_at_the_timeout_and_knows_what_is_no_address(receiver: Receiver):
    receiver.reply = Reply(delay=3.0)
    vault = Vault({"SERVICE": f"json://127.0.0.1:{receiver.port}/", "NONE": "nosuch://s3cr3t-token"})
    began = time.monotonic()
    answer = send(Apprise(url=Secret(env="SERVICE"), timeout=0.4), vault=vault)
    assert time.monotonic() - began < 2.0
    assert answer.verdict is Verdict.TEMPORARY
    answer = send(Apprise(url=Secret(env="NONE")), vault=vault)
    assert answer.verdict is Verdict.PERMANENT
    assert "s3cr3t" not in answer.detail


EXAMPLES = {
    "webhook": {"url": "http://127.0.0.1:9/"},
    "alertmanager": {"url": "http://127.0.0.1:9/"},
    "apprise": {"url": {"env": "SERVICE"}},
    "file": {"path": "/dev/full"},
    "log": {},
    "desktop": {},
}


@pytest.mark.parametrize("kind", list(CHANNELS))
def test_every_channel_answers_and_shows_where_it_leads(kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    channel = CHANNELS.read({"kind": kind, **EXAMPLES[kind]})
    assert CHANNELS.read(json.loads(channel.model_dump_json())) == channel
    assert channel.address
    assert CHANNELS[kind].summary.startswith(f"{kind}: ")
    vault = Vault({"SERVICE": "json://127.0.0.1:9/"})
    answer = send(channel, vault=vault)
    assert answer.detail
    assert answer.verdict is (Verdict.DELIVERED if kind == "log" else answer.verdict)
