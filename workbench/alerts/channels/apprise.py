"""Any of the services that Apprise knows: e-mail, Slack, Teams, PagerDuty, Telegram and a hundred more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal

from workbench.alerts.channels import wording
from workbench.alerts.channels._base import CHANNELS, Answer, Channel, Verdict
from workbench.alerts.messages import Message
from workbench.alerts.secrets import Secret, Vault

if TYPE_CHECKING:
    from apprise import AppriseResult, NotifyType

_CODE = re.compile(r"\berror\s*[=:]\s*(\d{3})\b")
"""How the services of Apprise log the code of HTTP that they were answered with."""

_TRY_AGAIN = (408, 425, 429)


@CHANNELS.register
class Apprise(Channel):
    """One service of Apprise, named by its address, which is a secret as a whole.

    From: github.com/caronc/apprise. Needs `pip install balancer-workbench[notify]`.
    """

    summary: ClassVar[str] = "apprise: e-mail, Slack, Teams, PagerDuty, Telegram and a hundred more"
    kind: Literal["apprise"] = "apprise"
    url: Secret
    """Where the service's address is, such as `mailtos://user:password@example.org`."""

    @property
    def address(self) -> str:
        """Where it leads, without anything that may be secret."""
        return str(self.url)

    def send(self, message: Message, *, key: str, vault: Vault, now: float) -> Answer:
        """Try once to deliver."""
        try:
            import apprise
        except ImportError:
            missing = "Apprise is not installed: pip install 'balancer-workbench[notify]'"
            return Answer(Verdict.PERMANENT, missing)
        # Nothing of what it learns about an account is kept on the disk, and no file is read for it.
        asset = apprise.AppriseAsset(
            app_id="workbench", app_desc="workbench alerts", storage_mode=apprise.PersistentStoreMode.MEMORY
        )
        service = apprise.Apprise(asset=asset)
        if not service.add(vault.reveal(self.url)):
            return Answer(Verdict.PERMANENT, f"{self.url} holds no address that Apprise knows")
        result = service.notify(
            title=wording.title(message),
            body=wording.text(message, key=key),
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=_type(message),
            timeout=self.timeout,
        )
        return _answer(result, vault, self.timeout)


def _type(message: Message) -> NotifyType:
    from apprise import NotifyType

    if message.test:
        return NotifyType.INFO
    return NotifyType.FAILURE if message.firing else NotifyType.SUCCESS


def _answer(result: AppriseResult, vault: Vault, timeout: float) -> Answer:
    from apprise import AppriseResultStatus

    if result:
        return Answer(Verdict.DELIVERED, "accepted")
    if result.status == AppriseResultStatus.TIMEOUT:
        return Answer(Verdict.TEMPORARY, f"no answer within {timeout:g} s")
    said = "; ".join(str(entry.message) for entry in result.logs()) or "Apprise gives no reason"
    found = _CODE.search(said)
    status = int(found[1]) if found else None
    refused = status is not None and 400 <= status < 500 and status not in _TRY_AGAIN
    return Answer(Verdict.PERMANENT if refused else Verdict.TEMPORARY, vault.hide(said)[:300], status)
