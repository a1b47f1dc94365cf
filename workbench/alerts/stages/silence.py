"""Silence: alerts that somebody does not want to be told of for a while."""

from __future__ import annotations

from workbench.alerts.instances import AlertInstance
from workbench.alerts.stages._base import Known, Parcel, Stage


class SilenceStage(Stage):
    """Withholds what a silence covers."""

    def apply(self, parcel: Parcel, known: Known) -> list[Parcel]:
        """Withhold what is silenced."""

        def reason(alert: AlertInstance) -> str | None:
            for silence in known.by_hand.silences:
                if silence.covers(alert, parcel.now):
                    return f"silenced by {silence.silence_id}"
            return None

        return [parcel.without(reason)]
