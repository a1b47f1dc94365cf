"""Steps, guards and watching, on a balancer in memory whose clock is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.configuration import (
    Ending,
    Observation,
    Outcome,
    ServerStanding,
    ServerState,
    Standing,
    Step,
    Target,
    check_left,
    make_steps,
    parse_guard,
    steps_between,
    watch,
)
from workbench.configuration.guards import Watch
from workbench.errors import InputError, TargetError

CARRIES = frozenset({"weight", "state", "limit"})


class InMemory(Target):
    """A balancer whose servers are a dict; what it is told to break breaks."""

    kind: Literal["memory"] = "memory"
    carries: ClassVar[frozenset[str]] = CARRIES
    servers: dict[str, dict[str, int | str]]
    deaf: tuple[str, ...] = ()
    """Servers that stay as they are whatever is asked."""
    refuses: str = ""
    """A server whose steps are refused."""

    @property
    def address(self) -> str:
        return "memory"

    def current(self) -> Standing:
        return Standing(
            {
                name: ServerStanding(int(one["weight"]), ServerState(str(one["state"])), int(one["limit"]))
                for name, one in self.servers.items()
            }
        )

    def apply(self, steps: Sequence[Step]) -> Standing:
        for step in steps:
            if step.server == self.refuses and step.after == 9:
                raise TargetError("refused")
            if step.server not in self.deaf:
                self.servers[step.server][step.key] = step.after or 0
        return self.current()

    def observe(self) -> Observation:
        usable = sum(one["state"] == "ready" and int(one["weight"]) > 0 for one in self.servers.values())
        return Observation(usable, 0, 0, 0, 0)


def balancer(**given) -> InMemory:
    one = {"weight": 1, "state": "ready", "limit": 0}
    return InMemory(servers={name: dict(one) for name in "abc"}, **given)


def seen(usable=3, queued=0, requests=0, errors=0, response_s=None) -> Observation:
    return Observation(usable, queued, 0, requests, errors, response_s)


standings = st.fixed_dictionaries(
    {
        name: st.builds(
            ServerStanding, st.integers(0, 3), st.sampled_from(list(ServerState)), st.integers(0, 2)
        )
        for name in "abc"
    }
).map(Standing)


@given(standings, standings)
def test_steps_lead_from_one_standing_to_another_and_back(before: Standing, after: Standing):
    target = InMemory(
        servers={
            name: {k: v for k, v in vars(one).items() if k != "up"} for name, one in before.servers.items()
        }
    )
    steps = steps_between(before, after, carries=CARRIES)
    assert target.apply(steps) == after
    assert target.apply([step.reversed() for step in reversed(steps)]) == before


@given(standings, standings)
def test_between_steps_never_fewer_servers_are_usable_than_at_both_ends(before: Standing, after: Standing):
    """So whoever is killed between two steps leaves the fewer of the two at the least."""
    target = InMemory(
        servers={
            name: {k: v for k, v in vars(one).items() if k != "up"} for name, one in before.servers.items()
        }
    )
    counts = [target.observe().usable]
    for step in steps_between(before, after, carries=CARRIES):
        target.apply([step])
        counts.append(target.observe().usable)
    assert min(counts) >= min(counts[0], counts[-1])


def test_what_is_read_back_otherwise_is_taken_back():
    target = balancer(deaf=("b",))
    steps = [Step("a", "weight", 1, 5), Step("b", "weight", 1, 5)]
    outcome = make_steps(target, steps)
    assert outcome == Outcome(
        Ending.TAKEN_BACK, "read back otherwise: b.weight: asked for 5, found 1", None, 0.0
    )
    assert target.current().servers["a"].weight == 1


def test_what_is_refused_halfway_is_taken_back():
    target = balancer(refuses="b")
    outcome = make_steps(target, [Step("a", "weight", 1, 9), Step("b", "weight", 1, 9)])
    assert (outcome.ending, outcome.told) == (Ending.TAKEN_BACK, "refused")
    assert target.current() == balancer().current()


def test_what_cannot_be_taken_back_is_told():
    target = balancer()
    steps = [Step("a", "weight", 1, 5)]
    assert make_steps(target, steps) is None
    stuck = target.model_copy(update={"deaf": ("a",)})
    outcome = watched(stuck, steps, ["usable < 4"])
    assert (outcome.ending, outcome.told) == (
        Ending.STUCK,
        "guard usable < 4 fired 0 s after the change: 3; not put back: a.weight: asked for 1, found 5",
    )


def watched(target: Target, steps: Sequence[Step], guards: list[str], lasts: float = 10.0) -> Outcome:
    """Watch with a clock that only sleeping moves."""
    time = [100.0]

    def sleep(seconds: float) -> None:
        time[0] += seconds

    chosen = [parse_guard(text) for text in guards]
    return watch(target, steps, chosen, seen(), lasts=lasts, clock=lambda: time[0], sleep=sleep)


def test_a_watch_without_a_guard_that_fires_keeps_the_change():
    outcome = watched(balancer(), [Step("a", "weight", 0, 1)], ["usable < 3"], lasts=4.5)
    assert (outcome.ending, outcome.watched) == (Ending.KEPT, 4.5)


def test_a_balancer_that_does_not_answer_any_more_counts_as_a_guard_that_fires():
    class Gone(InMemory):
        def observe(self) -> Observation:
            raise TargetError("memory: does not answer")

    target = Gone(servers=balancer().servers)
    outcome = watched(target, [Step("a", "weight", 3, 1)], [])
    assert (outcome.ending, outcome.told) == (Ending.TAKEN_BACK, "memory: does not answer")
    assert target.current().servers["a"].weight == 3


@pytest.mark.parametrize(
    ("text", "quiet", "firing"),
    [
        ("usable < 2", seen(usable=2), seen(usable=1)),
        ("queued > 10", seen(queued=10), seen(queued=11)),
        ("errors > 2 %", seen(requests=200, errors=4), seen(requests=200, errors=5)),
        ("errors > 2 %", seen(requests=19, errors=19), seen(requests=20, errors=1)),
        ("response > 250ms", seen(response_s=0.25), seen(response_s=0.251)),
        ("response > 150 %", seen(response_s=0.15), seen(response_s=0.1501)),
        ("response > 150 %", seen(response_s=None), seen(response_s=1.0)),
    ],
)
def test_a_guard_fires_beyond_its_value(text: str, quiet: Observation, firing: Observation):
    guard, before = parse_guard(text), seen(response_s=0.1)
    assert not guard.broken(before, quiet)
    assert guard.broken(before, firing)


def test_counters_of_before_the_change_do_not_count():
    before = seen(requests=1000, errors=900)
    assert not parse_guard("errors > 5 %").broken(before, seen(requests=1100, errors=905))


def test_a_guard_that_must_last_starts_anew_when_it_holds_again():
    times = [(0.0, 1), (1.0, 1), (2.0, 3), (3.0, 1), (4.9, 1)]
    looking = Watch([parse_guard("usable < 2 for 2s")], seen())
    assert [looking.fired(seen(usable=usable), at) for at, usable in times] == [None] * 5
    assert looking.fired(seen(usable=1), 5.0) == "guard usable < 2 for 2s fired 5 s after the change: 1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "usable",
        "usable < 2 %",
        "errors > 2",
        "latency > 1s",
        "response > 5",
        "queued > 3 for x",
        "a > ..",
    ],
)
def test_what_is_no_guard_is_refused(text: str):
    with pytest.raises(InputError, match=r"guard: given .*; allowed: usable, queued or in_flight"):
        parse_guard(text)


def test_servers_that_are_down_do_not_count_as_left():
    down = Standing(
        {
            "a": ServerStanding(1, ServerState.READY, 0, up=True),
            "b": ServerStanding(1, ServerState.READY, 0, up=False),
            "c": ServerStanding(1, ServerState.MAINT, 0, up=False),
        }
    )
    drained = Step("a", "state", "ready", "drain")
    with pytest.raises(InputError, match=r"leave no usable server \(down now: b, c\)"):
        check_left(down, [drained])
    check_left(down, [drained, Step("c", "state", "maint", "ready")])
    check_left(down, [])
