"""A webhook that receives what Alertmanager's webhook does, version 4."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from workbench.alerts.channels._base import CHANNELS, Answer, Channel
from workbench.alerts.channels.http import Address, post, shown_address
from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.messages import Message, timestamp
from workbench.alerts.secrets import Secret, Vault

NEVER = "0001-01-01T00:00:00Z"
"""How Alertmanager writes the end of an alert that has none."""


@CHANNELS.register
class Webhook(Channel):
    """POST with Alertmanager's body, version 4, and the headers `Idempotency-Key` and `X-Workbench-Test`.

    From: prometheus.io/docs/alerting/latest/configuration, webhook_config.
    """

    summary: ClassVar[str] = "webhook: POST with Alertmanager's body, version 4"
    kind: Literal["webhook"] = "webhook"
    url: Address
    """Where to: an address, or where the secret is that holds it."""
    bearer: Secret | None = None
    """Sent as `Authorization: Bearer ...`."""
    external_url: str = ""
    """Where people find these alerts; it is in the body only."""

    @property
    def address(self) -> str:
        """Where it leads, without anything that may be secret."""
        return shown_address(self.url)

    def send(self, message: Message, *, key: str, vault: Vault, now: float) -> Answer:
        """Try once to deliver."""
        url = vault.reveal(self.url) if isinstance(self.url, Secret) else self.url
        headers = {"Idempotency-Key": key, "User-Agent": "balancer-workbench"}
        if self.bearer is not None:
            headers["Authorization"] = f"Bearer {vault.reveal(self.bearer)}"
        if message.test:
            headers["X-Workbench-Test"] = "true"
        body = json.dumps(webhook_body(message, external_url=self.external_url)).encode()
        return post(url, body, headers=headers, timeout=self.timeout, vault=vault, now=now)


def webhook_body(message: Message, *, external_url: str = "") -> dict[str, Any]:
    """Give the body that Alertmanager's webhook would send."""
    return {
        "version": "4",
        "groupKey": message.group_key,
        "truncatedAlerts": 0,
        "status": message.status,
        "receiver": message.receiver,
        "groupLabels": dict(message.group_labels),
        "commonLabels": message.common_labels,
        "commonAnnotations": message.common_annotations,
        "externalURL": external_url,
        "alerts": [_alert(alert) for alert in message.alerts],
    }


def _alert(alert: AlertInstance) -> dict[str, Any]:
    firing = alert.state is State.FIRING
    began = alert.active_at if alert.fired_at is None else alert.fired_at
    return {
        "status": "firing" if firing else "resolved",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": timestamp(began),
        "endsAt": NEVER if firing or alert.resolved_at is None else timestamp(alert.resolved_at),
        "generatorURL": alert.generator,
        "fingerprint": alert.fingerprint,
    }
