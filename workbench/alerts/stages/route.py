"""Route: which ways an alert takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from workbench.alerts.labels import Labels
from workbench.alerts.matchers import Matcher, all_match
from workbench.alerts.receivers import GROUP_INTERVAL, GROUP_WAIT, REPEAT_INTERVAL, Plan, Route
from workbench.alerts.stages._base import Known, Parcel, Stage, Way

ALL_LABELS = "..."


@dataclass(frozen=True)
class _Branch:
    way: Way
    matchers: tuple[Matcher, ...]
    continues: bool
    below: tuple[_Branch, ...]

    def ways(self, labels: Labels) -> list[Way]:
        """Go down as Alertmanager does: the deepest that match, one of a list unless it continues."""
        if not all_match(self.matchers, labels):
            return []
        found: list[Way] = []
        for branch in self.below:
            deeper = branch.ways(labels)
            found += deeper
            if deeper and not branch.continues:
                break
        return found or [self.way]

    def all(self) -> Iterator[Way]:
        yield self.way
        for branch in self.below:
            yield from branch.all()


class RouteStage(Stage):
    """Gives each alert a parcel of its own for each way that it takes."""

    def __init__(self, plan: Plan) -> None:
        start = Way(
            0, "", plan.route.receiver or "", frozenset(), GROUP_WAIT, GROUP_INTERVAL, REPEAT_INTERVAL
        )
        self._root = _branch(plan.route, start, count())

    def apply(self, parcel: Parcel, known: Known) -> list[Parcel]:
        """Choose the ways."""
        return [
            replace(parcel, alerts=(alert,), way=way)
            for alert in parcel.alerts
            for way in self._root.ways(alert.labels)
        ]

    def ways(self) -> list[Way]:
        """Return all ways, in the order of the document."""
        return list(self._root.all())


def _branch(route: Route, above: Way, numbers: Iterator[int]) -> _Branch:
    own = ",".join(str(matcher) for matcher in sorted(route.matchers, key=lambda one: (one.name, one.value)))
    number = next(numbers)
    group_by = above.group_by
    if route.group_by is not None:
        group_by = None if ALL_LABELS in route.group_by else frozenset(route.group_by)
    way = Way(
        number=number,
        key=f"{above.key}/{{{own}}}" if number else "{}",
        receiver=route.receiver or above.receiver,
        group_by=group_by,
        group_wait=route.group_wait or above.group_wait,
        group_interval=route.group_interval or above.group_interval,
        repeat_interval=route.repeat_interval or above.repeat_interval,
        mute=tuple(route.mute_time_intervals),
        active=tuple(route.active_time_intervals),
        escalate=tuple(sorted(route.escalate, key=lambda step: step.after)),
    )
    below = tuple(_branch(one, way, numbers) for one in route.routes)
    return _Branch(way, tuple(route.matchers), route.continues, below)
