"""Applying steps to a balancer that runs: read back, watched, and taken back where that is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from workbench.configuration.guards import Guard, Watch
from workbench.configuration.standing import (
    ServerState,
    Standing,
    Step,
    mismatches,
    standing_after,
    steps_between,
    taken_back,
)
from workbench.configuration.targets import Observation, Target
from workbench.errors import InputError, TargetError

LOOK_EVERY = 1.0
"""Seconds between two looks at a balancer that is watched."""


class Ending(StrEnum):
    """How applying ended."""

    KEPT = "kept"
    TAKEN_BACK = "taken back"
    """All is as it was before."""
    STUCK = "stuck"
    """It could not be taken back; a person must look."""


@dataclass(frozen=True)
class Outcome:
    """What became of steps."""

    ending: Ending
    told: str
    """Why they were taken back, or could not be."""
    observed: Observation | None
    """The last look while the balancer was watched."""
    watched: float
    """Seconds that it was watched."""


def make_steps(target: Target, steps: Sequence[Step]) -> Outcome | None:
    """Make the steps and read them back; what is not as asked is taken back.

    Returns:
        None where the balancer stands as asked; else what became of it.
    """
    try:
        wrong = mismatches(target.apply(steps), steps)
        told = f"read back otherwise: {'; '.join(wrong)}" if wrong else ""
    except TargetError as error:
        told = str(error)
    return take_back(target, steps, told, observed=None, watched=0.0) if told else None


def watch(
    target: Target,
    steps: Sequence[Step],
    guards: Sequence[Guard],
    before: Observation,
    *,
    lasts: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Outcome:
    """Look at a balancer after its steps were made; where a guard fires, take the steps back.

    A balancer that does not answer counts as one whose guard fires. So does an interruption by the user.

    Args:
        target: the balancer.
        steps: what was made.
        guards: what must not happen.
        before: what was observed before the steps.
        lasts: how long to look, seconds.
        clock: gives seconds that only grow.
        sleep: waits so many seconds.
    """
    looking, begin, seen = Watch(guards, before), clock(), before
    while True:
        at = clock() - begin
        try:
            seen = target.observe()
            told = looking.fired(seen, at)
            if told is None and at >= lasts:
                return Outcome(Ending.KEPT, "", seen, at)
            if told is None:
                sleep(min(LOOK_EVERY, max(0.0, lasts - at)))
        except TargetError as error:
            told = str(error)
        except KeyboardInterrupt:
            told = "stopped by the user while it was watched"
        if told is not None:
            return take_back(target, steps, told, observed=seen, watched=at)


def take_back(
    target: Target, steps: Sequence[Step], told: str, *, observed: Observation | None, watched: float
) -> Outcome:
    """Take steps back as far as they are made, and read that back, too."""
    try:
        asked = taken_back(steps)
        again = steps_between(target.current(), standing_after(asked), carries=target.carries)
        found = target.apply(again) if again else target.current()
        if wrong := mismatches(found, asked):
            return Outcome(Ending.STUCK, f"{told}; not put back: {'; '.join(wrong)}", observed, watched)
    except TargetError as error:
        return Outcome(Ending.STUCK, f"{told}; not put back: {error}", observed, watched)
    return Outcome(Ending.TAKEN_BACK, told, observed, watched)


def check_left(standing: Standing, steps: Sequence[Step]) -> None:
    """Refuse steps after which no server of the balancer would be both healthy and asked to take traffic.

    A server that comes out of maintenance may be healthy; one that is known to be down is not.

    Raises:
        InputError: none would be left.
    """
    if not steps:
        return
    wanted = standing_after(steps).servers
    for name, now in standing.servers.items():
        then = wanted.get(name)
        state = then.state if then is not None and then.state is not None else now.state
        weight = then.weight if then is not None and then.weight is not None else now.weight
        may_be_up = now.up is not False or now.state is ServerState.MAINT
        if state in (ServerState.READY, None) and weight != 0 and may_be_up:
            return
    down = ", ".join(name for name, one in standing.servers.items() if one.up is False) or "none"
    raise InputError(
        f"servers: given steps that leave no usable server (down now: {down}); allowed: one or more that "
        "are up and ready with a weight above 0, or --force"
    )
