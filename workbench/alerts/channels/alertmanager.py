"""A real Alertmanager, by its API version 2."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from workbench.alerts.channels._base import CHANNELS, Answer, Channel
from workbench.alerts.channels.http import Address, post, shown_address
from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.messages import Message, timestamp
from workbench.alerts.secrets import Secret, Vault
from workbench.quantities import PositiveDuration


@CHANNELS.register
class Alertmanager(Channel):
    """Hands alerts on to an Alertmanager, which then groups, silences and notifies by its own rules.

    It takes an alert for resolved once its end has come, so a firing one is given an end that lies
    beyond the next repetition.
    """

    summary: ClassVar[str] = "alertmanager: POST to /api/v2/alerts of an Alertmanager"
    kind: Literal["alertmanager"] = "alertmanager"
    url: Address
    """Of the Alertmanager, without `/api/v2/alerts`."""
    bearer: Secret | None = None
    """Sent as `Authorization: Bearer ...`."""
    fires_for: PositiveDuration = 36_000.0
    """How long it takes an alert for firing without being told again, seconds; longer than the route's
    `repeat_interval` and `group_interval` together."""

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
        body = json.dumps([self._alert(alert, message) for alert in message.alerts]).encode()
        target = url.rstrip("/") + "/api/v2/alerts"
        return post(target, body, headers=headers, timeout=self.timeout, vault=vault, now=now)

    def _alert(self, alert: AlertInstance, message: Message) -> dict[str, Any]:
        began = alert.active_at if alert.fired_at is None else alert.fired_at
        ended = alert.resolved_at if alert.state is not State.FIRING else None
        return {
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": timestamp(began),
            "endsAt": timestamp(message.at + self.fires_for if ended is None else ended),
            "generatorURL": alert.generator,
        }
