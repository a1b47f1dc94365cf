"""Rate limit: how many messages a receiver can take."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.alerts.receivers import Receiver
from workbench.alerts.stages._base import Known, Outcome, Parcel, Stage


class RateLimitStage(Stage):
    """Holds back what goes beyond a receiver's limit, counted for each of its channels; nothing is lost."""

    def __init__(self, receivers: Sequence[Receiver]) -> None:
        self._limits = {receiver.name: receiver.at_most for receiver in receivers}

    def apply(self, parcel: Parcel, known: Known) -> list[Parcel]:
        """Hold back what is too much."""
        if parcel.destination is None or parcel.outcome is not Outcome.TELL:
            return [parcel]
        limit = self._limits[parcel.destination.receiver]
        if limit is None:
            return [parcel]
        sent = known.sent.get((parcel.destination.receiver, parcel.destination.channel), ())
        lately = sum(time > parcel.now - limit.per for time in sent)
        if lately < limit.messages:
            return [parcel]
        return [parcel.ending(Outcome.HOLD, f"rate limit of {limit.messages} messages reached")]
