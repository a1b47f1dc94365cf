"""Who is told of which alerts, how and when: the document that delivery follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from workbench.alerts.channels import CHANNELS, Channel
from workbench.alerts.channels.alertmanager import Alertmanager
from workbench.alerts.matchers import Condition
from workbench.alerts.mute_times import TimeInterval
from workbench.documents import OneOrMany, Section, read_document
from workbench.quantities import PositiveDuration, format_duration

GROUP_WAIT, GROUP_INTERVAL, REPEAT_INTERVAL = 30.0, 300.0, 14_400.0
"""Alertmanager's defaults, seconds."""


_Place = tuple[str | int, ...]


class Limit(Section):
    """At most so many messages in any stretch of time of a length."""

    messages: int = Field(ge=1, le=100_000)
    per: PositiveDuration


class Receiver(Section):
    """Somebody who is told, by all of the channels."""

    name: str = Field(min_length=1, max_length=200)
    channels: Annotated[list[Annotated[Channel, CHANNELS]], OneOrMany()] = Field([], max_length=20)
    """A receiver without channels is told nothing, on purpose."""
    at_most: Limit | None = None
    """Messages beyond it wait until there is room again; none is lost."""


class Escalation(Section):
    """Somebody else who is told of what nobody has acknowledged."""

    after: PositiveDuration
    """From when the route's receiver was told, seconds."""
    to: str
    """A receiver's name."""


class Route(Section):
    """Which alerts go to whom.

    What is left out is as in the route above it, but for mute times and escalation.
    """

    receiver: str | None = None
    matchers: list[Condition] = Field([], max_length=100)
    """All must hold."""
    continues: bool = False
    """Whether an alert that goes this way may go the ways below this one in the list too."""
    group_by: list[str] | None = Field(None, max_length=100)
    """Labels; alerts with the same values share a message. `...` stands for all labels."""
    group_wait: PositiveDuration | None = None
    """From a group's first alert to its first message, seconds."""
    group_interval: PositiveDuration | None = None
    """From one look at a group to the next, seconds."""
    repeat_interval: PositiveDuration | None = None
    """How old the last message must be for the same to be told again, seconds."""
    mute_time_intervals: list[str] = Field([], max_length=100)
    """Names of time intervals in which it tells nothing."""
    active_time_intervals: list[str] = Field([], max_length=100)
    """Names of time intervals outside which it tells nothing."""
    escalate: Annotated[list[Escalation], OneOrMany()] = Field([], max_length=20)
    """Who is told next if nobody acknowledges."""
    routes: list[Route] = Field([], max_length=1000)
    """The first that matches is taken."""


class InhibitRule(Section):
    """While some alert fires, others are not told."""

    source_matchers: list[Condition] = Field(min_length=1, max_length=100)
    """Which alerts keep others quiet."""
    target_matchers: list[Condition] = Field(min_length=1, max_length=100)
    """Which are kept quiet."""
    equal: list[str] = Field([], max_length=100)
    """Labels that both must have with the same values; a missing one counts as empty."""


class DeadMansSwitch(Section):
    """A message at regular times as long as all is well, for somebody who notices when it stays away."""

    receiver: str
    every: PositiveDuration = Field(60.0, ge=1)
    """Seconds, 1 or more."""


class Plan(Section):
    """The whole document."""

    receivers: list[Receiver] = Field(min_length=1, max_length=1000)
    route: Route
    """Where every alert begins; it names a receiver and has no matchers."""
    time_intervals: list[TimeInterval] = Field([], max_length=1000)
    inhibit_rules: list[InhibitRule] = Field([], max_length=1000)
    dead_mans_switch: DeadMansSwitch | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        wrong = [*_wrong_root(self.route), *_twice("receivers", self.receivers)]
        wrong += _twice("time_intervals", self.time_intervals)
        wrong += _unknown(self)
        if wrong:
            raise ValidationError.from_exception_data("plan", wrong)
        return self

    def channels(self) -> dict[tuple[str, int], Channel]:
        """Return all channels by receiver and number."""
        return {
            (receiver.name, number): channel
            for receiver in self.receivers
            for number, channel in enumerate(receiver.channels)
        }

    def doubts(self) -> list[str]:
        """Say what is allowed but hardly meant."""
        found = (_doubtful_repeats, _unused_receivers, _short_firing, _unheard)
        return [doubt for find in found for doubt in find(self)]


def load_plan(file: Path) -> Plan:
    """Read the document that delivery follows.

    Raises:
        DocumentError: it is missing, is not YAML, or holds what is not allowed.
    """
    return read_document(file, Plan)


def _all(route: Route, place: _Place = ("route",)) -> Iterator[tuple[_Place, Route]]:
    """Go through a route and those below it, each with its place in the document."""
    yield place, route
    for number, below in enumerate(route.routes):
        yield from _all(below, (*place, "routes", number))


def _wrong(place: _Place, given: Any, allowed: str) -> InitErrorDetails:
    detail = PydanticCustomError("plan", "{allowed}", {"allowed": allowed})
    return InitErrorDetails(type=detail, loc=place, input=given)


def _wrong_root(route: Route) -> Iterator[InitErrorDetails]:
    if route.receiver is None:
        yield _wrong(("route", "receiver"), None, "the name of a receiver, for what no route below matches")
    if route.matchers:
        yield _wrong(
            ("route", "matchers"), ", ".join(map(str, route.matchers)), "none: all alerts begin here"
        )
    if route.continues:
        yield _wrong(("route", "continues"), True, "false: there is no route beside the first")


def _twice(key: str, named: Sequence[Receiver | TimeInterval]) -> Iterator[InitErrorDetails]:
    seen: set[str] = set()
    for number, one in enumerate(named):
        if one.name in seen:
            yield _wrong((key, number, "name"), one.name, "each name once")
        seen.add(one.name)


def _unknown(plan: Plan) -> Iterator[InitErrorDetails]:
    receivers = {receiver.name for receiver in plan.receivers}
    intervals = {interval.name for interval in plan.time_intervals}

    def look(place: _Place, name: str | None, known: set[str], key: str) -> Iterator[InitErrorDetails]:
        if name is not None and name not in known:
            there = ", ".join(sorted(known)) or "none is there"
            yield _wrong(place, name, f"a name of {key}: {there}")

    for place, route in _all(plan.route):
        yield from look((*place, "receiver"), route.receiver, receivers, "receivers")
        for number, step in enumerate(route.escalate):
            yield from look((*place, "escalate", number, "to"), step.to, receivers, "receivers")
        for key in ("mute_time_intervals", "active_time_intervals"):
            for number, name in enumerate(getattr(route, key)):
                yield from look((*place, key, number), name, intervals, "time_intervals")
    if plan.dead_mans_switch is not None:
        switch = plan.dead_mans_switch.receiver
        yield from look(("dead_mans_switch", "receiver"), switch, receivers, "receivers")


def _intervals(
    route: Route, interval: float = GROUP_INTERVAL, repeat: float = REPEAT_INTERVAL
) -> Iterator[tuple[Route, float, float]]:
    """Go through a route and those below it, each with its group and repeat intervals, in seconds."""
    own, again = route.group_interval or interval, route.repeat_interval or repeat
    yield route, own, again
    for below in route.routes:
        yield from _intervals(below, own, again)


def _doubtful_repeats(plan: Plan) -> Iterator[str]:
    for route, interval, repeat in _intervals(plan.route):
        where = f"route to {route.receiver}" if route.receiver else "a route"
        if repeat < interval:
            yield f"{where}: repeat_interval is below group_interval, so that it repeats at every look"
        elif repeat == interval:
            doubled = format_duration(2 * interval)
            yield f"{where}: repeat_interval is group_interval, so that it repeats every {doubled} only"


def _unused_receivers(plan: Plan) -> list[str]:
    used = {route.receiver for _, route in _all(plan.route)}
    used |= {step.to for _, route in _all(plan.route) for step in route.escalate}
    used |= {plan.dead_mans_switch.receiver} if plan.dead_mans_switch else set()
    return [f"receiver {one.name}: no route leads to it" for one in plan.receivers if one.name not in used]


def _short_firing(plan: Plan) -> list[str]:
    longest = max(interval + repeat for _, interval, repeat in _intervals(plan.route))
    return [
        f"receiver {name}: its Alertmanager takes alerts for resolved before they are told again; "
        f"raise fires_for above {format_duration(longest)}"
        for (name, _), channel in plan.channels().items()
        if isinstance(channel, Alertmanager) and channel.fires_for <= longest
    ]


def _unheard(plan: Plan) -> list[str]:
    silent = {receiver.name for receiver in plan.receivers if not receiver.channels}
    found = []
    for route, receiver in _receivers(plan.route):
        if route.escalate and receiver in silent:
            found.append(f"route to {receiver}: nobody is told first, so that nothing is escalated")
    return found


def _receivers(route: Route, receiver: str = "") -> Iterator[tuple[Route, str]]:
    """Go through a route and those below it, each with its receiver."""
    own = route.receiver or receiver
    yield route, own
    for below in route.routes:
        yield from _receivers(below, own)
