"""Mute: times in which a way tells nothing."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.alerts.mute_times import TimeInterval
from workbench.alerts.stages._base import Known, Parcel, Stage


class MuteStage(Stage):
    """Withholds everything within a way's mute times, and outside its active times if it has any."""

    def __init__(self, intervals: Sequence[TimeInterval]) -> None:
        self._intervals = {interval.name: interval for interval in intervals}

    def apply(self, parcel: Parcel, known: Known) -> list[Parcel]:
        """Withhold what is muted."""
        reason = self._reason(parcel)
        return [parcel if reason is None else parcel.without(lambda _: reason)]

    def _reason(self, parcel: Parcel) -> str | None:
        if parcel.way is None:
            return None
        for name in parcel.way.mute:
            if self._intervals[name].contains(parcel.now):
                return f"muted by {name}"
        active = parcel.way.active
        if active and not any(self._intervals[name].contains(parcel.now) for name in active):
            return f"outside {', '.join(active)}"
        return None
