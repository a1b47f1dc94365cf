"""Secrets: read where they are, and seen nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.alerts.channels.webhook import Webhook
from workbench.alerts.receivers import Plan
from workbench.alerts.secrets import HIDDEN, Secret, Vault
from workbench.documents import parse_document
from workbench.errors import DocumentError, InputError

TOKEN = "xoxb-0123-s3cr3t/with+signs"
ADDRESS = "https://hooks.example.org/services/T000/B000abcdef/XyZ987654321?token=q1w2e3r4"


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    vault = Vault({"TOKEN": TOKEN})
    assert vault.reveal(Secret(env="TOKEN")) == TOKEN
    assert vault.reveal(Secret(file=tmp_path / "token")) == TOKEN


@pytest.mark.parametrize("environment", [{}, {"TOKEN": ""}, {"TOKEN": "  "}])
def test_a_missing_secret_is_named_by_its_place(environment: dict[str, str]):
    with pytest.raises(InputError, match="the variable TOKEN is not set"):
        Vault(environment).reveal(Secret(env="TOKEN"))


def test_a_secret_file_that_is_missing_or_empty_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"no\.txt cannot be read \(No such file"):
        Vault({}).reveal(Secret(file=tmp_path / "no.txt"))
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(InputError, match="is empty"):
        Vault({}).reveal(Secret(file=tmp_path / "empty"))
    (tmp_path / "binary").write_bytes(bytes(range(128, 256)))
    with pytest.raises(InputError, match="not UTF-8"):
        Vault({}).reveal(Secret(file=tmp_path / "binary"))


def test_a_known_secret_and_its_telling_parts_are_hidden_in_every_spelling():
    vault = Vault({"TOKEN": TOKEN, "URL": ADDRESS})
    vault.reveal(Secret(env="TOKEN"))
    vault.reveal(Secret(env="URL"))
    said = (
        f"failed: {TOKEN}; xoxb-0123-s3cr3t%2Fwith%2Bsigns; POST {ADDRESS}; "
        "at /services/T000/B000abcdef/XyZ987654321; "
        "part XyZ987654321 and q1w2e3r4; host hooks.example.org"
    )
    hidden = vault.hide(said)
    for part in ("xoxb", "XyZ987654321", "q1w2e3r4", "B000abcdef"):
        assert part not in hidden
    assert "host hooks.example.org" in hidden
    assert HIDDEN in hidden
    assert repr(vault) == "Vault()"


def test_neither_repr_nor_json_of_a_plan_holds_a_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOOK", ADDRESS)
    channel = Webhook.model_validate({"url": {"env": "HOOK"}, "bearer": {"env": "HOOK"}})
    Vault({"HOOK": ADDRESS}).reveal(channel.bearer)
    for shown in (repr(channel), str(channel), channel.model_dump_json(), channel.address):
        assert "hooks.example" not in shown
        assert "HOOK" in shown


LEAKY = """\
receivers:
  - name: team
    channels:
      - {kind: webhook, url: "https://user:hunter2@example.org/"}
      - {kind: webhook, url: hunter2}
      - {kind: webhook, url: "https://example.org", bearer: hunter2}
      - {kind: webhook, url: "https://example.org", password: hunter2}
      - {kind: apprise, url: "slack://hunter2/hunter2/hunter2"}
      - {kind: apprise, url: {env: hunter2, file: hunter2}}
      - {kind: webhook, url: "https://hunter2:99999/"}
      - {kind: webhook, url: "https://[hunter2/"}
route: {receiver: team}
"""


def test_an_error_about_a_secret_written_into_a_document_does_not_repeat_it():
    with pytest.raises(DocumentError) as refused:
        parse_document(LEAKY, Plan, name="plan.yaml", folder=Path())
    assert [problem.line for problem in refused.value.problems] == [4, 5, 6, 7, 8, 9, 10, 11]
    assert "hunter2" not in str(refused.value)
    assert "env: NAME" in str(refused.value)
