"""What would flip an answer: the search on figures whose flip is known."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.experiments import Interval, Standing, Verdict
from workbench.experiments.robustness import between, ladders, nearest_flip, spread, still_holds
from workbench.experiments.sweeps.answers import Judged, Place
from workbench.simulate import load_scenario

NOUGHT = Interval(0.0, 0.0, 0.0)


def place(best: str, other: str, verdict: Verdict) -> Place:
    def judged(name: str, what: Verdict) -> Judged:
        return Judged(0, {}, Standing(name, (), NOUGHT, NOUGHT, what), None, {})

    return Place("", {}, [judged(best, Verdict.BEST), judged(other, verdict)], 0)


def course(*flipped: float) -> dict[float, Place]:
    return {
        value: place("b", "a", Verdict.WORSE) if value in flipped else place("a", "b", Verdict.WORSE)
        for value in (0.2, 0.4, 0.6, 0.8)
    }


def test_the_nearest_flip_on_each_side_counts():
    places = course(0.2, 0.6, 0.8)
    above = nearest_flip(0.5, places, "a", above=True)
    below = nearest_flip(0.5, places, "a", above=False)
    assert above is not None
    assert (above.value, above.best, above.held) == (0.6, "b", 0.5)
    assert below is not None
    assert (below.value, below.held) == (0.2, 0.4)


def test_what_never_flips_has_no_flip():
    assert nearest_flip(0.5, course(), "a", above=True) is None


def test_what_is_not_told_apart_from_the_best_still_holds():
    assert still_holds(place("b", "a", Verdict.NOT_TOLD_APART), "a")
    assert still_holds(place("b", "a", Verdict.WORSE), "a") is False
    assert still_holds(place("b", "a", Verdict.NO_ANSWER), "a") is None


def test_the_next_value_lies_half_way():
    flip = nearest_flip(0.5, course(0.8), "a", above=True)
    assert flip is not None
    assert between(0.5, flip, logarithmic=False) == pytest.approx(0.7)
    assert between(0.5, flip, logarithmic=True) == pytest.approx((0.6 * 0.8) ** 0.5, rel=1e-5)


def test_some_of_many_values_are_spread_from_the_first_to_the_last():
    assert spread([1, 2, 3], 5) == [1, 2, 3]
    assert spread(list(range(11)), 3) == [0, 5, 10]


def scenario(**more: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "arrivals": {"kind": "poisson", "rate": "160/s"},
        "service": {"kind": "exponential", "mean": "20ms"},
        "pool": {"count": 4},
        "balancers": {"strategy": "random", "count": 2, "view": "shared"},
        "horizon": "2000 requests",
    } | more


def test_dials_are_tried_on_both_sides_of_where_the_scenario_stands():
    found = {one.dial: one for one in ladders(load_scenario(scenario()))}
    assert found["load"].base == pytest.approx(0.8)
    assert min(found["load"].values) < 0.8 < max(found["load"].values) <= 0.98
    assert found["variability"].base == 1.0
    assert found["slow_share"].values == (0.25, 0.5)
    assert found["staleness"].values[0] == pytest.approx(0.002)


@pytest.mark.parametrize(
    ("more", "dial", "reason"),
    [
        (
            {"arrivals": {"kind": "closed_loop", "users": 2, "think": {"kind": "exponential", "mean": "1s"}}},
            "load",
            "closed loop",
        ),
        ({"service": {"kind": "pareto", "least": "10ms", "alpha": 1.5}}, "variability", "infinite"),
        ({"balancers": {"strategy": "random"}}, "staleness", "one balancer"),
        ({"balancers": {"strategy": "random", "count": 2}}, "staleness", "their own requests only"),
        ({"pool": {"count": 1}}, "slow_share", "several servers"),
    ],
)
def test_a_dial_that_means_nothing_here_says_why(more: dict[str, Any], dial: str, reason: str):
    found = {one.dial: one for one in ladders(load_scenario(scenario(**more)))}
    assert reason in found[dial].reason
    assert found[dial].values == ()
