"""What every channel has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self, cast

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from workbench.alerts.messages import Message
from workbench.alerts.secrets import HIDDEN, Vault
from workbench.documents import Family, Member
from workbench.quantities import PositiveDuration


class Verdict(StrEnum):
    """What came of one attempt to deliver."""

    DELIVERED = "delivered"
    TEMPORARY = "temporary"
    """Trying again may help: the receiver is down, slow, overloaded or faulty."""
    PERMANENT = "permanent"
    """Trying again will not help: the receiver refuses the message, or the channel is set up wrongly."""


@dataclass(frozen=True)
class Answer:
    """How an attempt to deliver ended.

    Args:
        verdict: what came of it.
        detail: in words, without secrets.
        status: the code of HTTP or SMTP, where there is one.
        retry_after: seconds that the receiver asks to be left alone, where it does.
    """

    verdict: Verdict
    detail: str
    status: int | None = None
    retry_after: float | None = None


class Channel(Member):
    """A way to one receiver."""

    send_resolved: bool = True
    """Whether it also tells that alerts have resolved."""
    timeout: PositiveDuration = Field(10.0, le=300)
    """Longest time of one attempt, seconds."""

    @abstractmethod
    def send(self, message: Message, *, key: str, vault: Vault, now: float) -> Answer:
        """Try once to deliver; what goes wrong on the way is an answer, not an error.

        Args:
            message: what to tell.
            key: the same for each attempt to deliver this message, and for no other message.
            vault: where secrets are read.
            now: time of day, in seconds.

        Raises:
            InputError: a secret is not where it should be.
        """

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it leads, without anything that may be secret."""

    @model_validator(mode="wrap")
    @classmethod
    def _show_no_values(cls, value: Any, handler: Callable[[Any], Self]) -> Self:
        """Leave out what unknown keys hold: somebody may have written a password there."""
        try:
            return handler(value)
        except ValidationError as error:
            details = [_without_value(cast(dict[str, Any], item)) for item in error.errors()]
        raise ValidationError.from_exception_data(cls.__name__, details)


def _without_value(item: dict[str, Any]) -> InitErrorDetails:
    known = item["type"] not in ("unknown_key", "extra_forbidden")
    detail = PydanticCustomError(item["type"], "{text}", {"text": item["msg"]})
    return InitErrorDetails(type=detail, loc=item["loc"], input=item["input"] if known else HIDDEN)


CHANNELS: Family[Channel] = Family("channel", Channel)  # type: ignore[type-abstract]
