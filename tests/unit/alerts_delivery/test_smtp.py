"""E-mail by Apprise to a real SMTP server on loopback."""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.parity.programs import free_ports
from tests.unit.alerts_delivery.loopback import alert, message
from workbench.alerts.channels import Apprise, Verdict
from workbench.alerts.secrets import Secret, Vault

# What Apprise loads asks for a module that Python 3.13 no longer has, and has its own in reserve.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Mailbox:
    """Takes every message, or answers every one with a refusal."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.refusal: str | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusal is not None:
            return self.refusal
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.received.append(parsed)
        return "250 taken"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def vault(mailbox: Mailbox) -> Iterator[Vault]:
    (port,) = free_ports(1)
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    address = f"mailto://127.0.0.1:{port}/?mode=insecure&from=alerts@example.org&to=s3cr3t.person@example.org"
    yield Vault({"MAIL": address})
    controller.stop()


def send(vault: Vault, **changes):
    channel = Apprise(url=Secret(env="MAIL"), timeout=5)
    return channel.send(message(alert(pool="wéb"), **changes), key="k1", vault=vault, now=time.time())


def test_an_email_says_what_fires_and_bears_the_key(mailbox: Mailbox, vault: Vault):
    answer = send(vault, test=True)
    assert answer.verdict is Verdict.DELIVERED, answer.detail
    (got,) = mailbox.received
    assert got["Subject"] == "[TEST] [FIRING:1] DeepQueue (pool=wéb, severity=page)"
    assert "s3cr3t.person@example.org" in got["To"]
    text = got.get_body(("plain",)).get_content()
    assert "This is a test; nothing is wrong." in text
    assert "summary: DeepQueue in wéb" in text
    assert "key: k1" in text


def test_an_email_that_is_refused_may_be_taken_later(mailbox: Mailbox, vault: Vault):
    mailbox.refusal = "451 try later"
    answer = send(vault)
    assert answer.verdict is Verdict.TEMPORARY
    assert "s3cr3t" not in answer.detail
    mailbox.refusal = None
    assert send(vault).verdict is Verdict.DELIVERED
    assert len(mailbox.received) == 1
