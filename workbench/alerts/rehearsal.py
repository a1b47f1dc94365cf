"""Rehearsals: the messages that each receiver would have had, and when."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from workbench.alerts.instances import AlertInstance
from workbench.alerts.messages import Message
from workbench.alerts.pipeline import Pipeline
from workbench.alerts.receivers import Plan
from workbench.alerts.silences import ByHand


def rehearse(
    plan: Plan,
    evaluations: Iterable[tuple[float, Iterable[AlertInstance]]],
    *,
    until: float,
    by_hand: Callable[[float], ByHand] = lambda _: ByHand(),
) -> list[Message]:
    """Pass the alerts of some evaluations through the pipeline in virtual time.

    Args:
        plan: whom to tell; its mute times see the evaluations' times as seconds since the epoch.
        evaluations: time and alerts of each, in the order of time, as `Evaluation` has them as `at` and
            `instances`.
        until: when to stop, in seconds; the alerts stay as the last evaluation has them.
        by_hand: what people have done by a time.

    Returns:
        The messages in the order of time; `at` says when each is decided.
    """
    pipeline = Pipeline(plan)
    messages: list[Message] = []

    def look(before: float) -> None:
        while (at := pipeline.next_at()) is not None and at < before:
            messages.extend(pipeline.advance(now=at, by_hand=by_hand(at)).messages)

    for at, alerts in evaluations:
        look(at)  # what is due at that very time is looked at with its alerts
        pipeline.receive(alerts, now=at, by_hand=by_hand(at))
    look(math.nextafter(until, math.inf))
    return messages
