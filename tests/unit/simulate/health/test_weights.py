"""Rules of weights: what they set is what is wanted, and a loop closes or swings as control theory has it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from tests.unit.simulate.health.watch import Weighing, as_lists, pool, seeded
from workbench.simulate.weights import (
    WEIGHT_RULES,
    Feedback,
    GrpcOrca,
    HaproxyAgent,
    Schedule,
    WeightRule,
)

PAGE = Path(__file__).parents[4] / "docs" / "dynamic-weights.md"

SCHEDULE = Schedule(
    changes=[
        {"at": "20s", "servers": "s*", "weight": 7},
        {"at": "5s", "servers": ["s1"], "percent": 50},
        {"at": "5s", "servers": ["s1", "s2"], "percent": 25},
        {"at": "20s", "servers": "s0", "weight": 0},
    ]
)


def test_a_schedule_is_kept_in_the_order_of_time():
    rule = Weighing(SCHEDULE, pool(weights=[10, 10, 5]))
    assert SCHEDULE.times() == [5, 20]
    assert rule.reweigh(4) == [10, 10, 5]
    assert rule.reweigh(5) == [10, 2, 1]
    assert rule.reweigh(20) == [0, 7, 7]
    assert rule.reweigh(99) == [0, 7, 7]


def test_half_a_weight_is_what_the_binary_makes_of_it():
    # pick_sequences.json, haproxy.set_weight_50pct_s1_of_10_10_10: the first picks are b c b c a, so 5 of 25.
    rule = Weighing(Schedule(changes=[{"at": 0, "servers": "s0", "percent": 50}]), pool(weights=[10, 10, 10]))
    assert rule.reweigh(0) == [5, 10, 10]


def test_a_server_without_weight_stays_so():
    assert Weighing(SCHEDULE, pool(weights=[1, 1, 0])).reweigh(20) == [0, 7, 0]


MEAN_SERVICE = np.array([1 / 10, 1 / 20])
"""Two servers, the second twice as fast; 18 requests a second."""


def loop(gain: float, *, rounds: int = 400, smoothing: float = 1.0) -> np.ndarray[Any, Any]:
    """Close the loop over two M/M/1 queues in balance; give the second server's share in each round."""
    rule = Feedback(by="latency", gain=gain, smoothing=smoothing, resolution=1000)
    weighing = Weighing(rule, pool(weights=[1, 1]), period=10)
    shares = []
    for number in range(rounds):
        weights = np.array(weighing.state.weight)
        shares.append(weights[1] / weights.sum())
        arrivals = 18 * weights / weights.sum()
        # The mean response time of M/M/1; an overloaded server's is what 10 s of it amount to.
        idle = 1 / MEAN_SERVICE - arrivals
        latency = np.where(idle > 0.1, 1 / np.maximum(idle, 0.1), 10.0)
        answers = [1000, 1000]
        weighing.reweigh(10.0 * number, answers=answers, seconds=list(latency * 1000))
    return np.array(shares)


EQUAL = 14 / 18
"""The share at which both queues have the same mean: 10 - 4 = 20 - 14 requests a second are free."""


@pytest.mark.parametrize("gain", [0.02, 0.1, 0.3])
def test_a_low_gain_converges_to_equal_latency(gain: float):
    shares = loop(gain)
    assert np.abs(shares[-50:] - EQUAL).max() < 0.003
    distance = np.abs(shares - EQUAL)
    assert (np.diff(distance) < 0.003).all()


@pytest.mark.parametrize("gain", [2, 5])
def test_a_high_gain_swings_from_side_to_side(gain: float):
    shares = loop(gain)[-100:]
    assert shares.max() > EQUAL + 0.03
    assert shares.min() < EQUAL - 0.03
    crossings = (np.diff(np.sign(shares - EQUAL)) != 0).sum()
    assert crossings > 20


def test_a_lower_gain_is_slower():
    def settled(gain: float) -> int:
        return int(np.argmax(np.abs(loop(gain) - EQUAL) < 0.02))

    assert settled(0.02) > 2 * settled(0.1) > 0


ROWS = re.findall(r"^\| ([\d.]+) \| (\w+) \| ([\d.]+) and ([\d.]+) \|$", PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_page_tells_what_the_loop_does(row: tuple[str, ...]):
    gain, rounds, low, high = row
    shares = loop(float(gain))
    away = np.nonzero(np.abs(shares - EQUAL) >= 0.02)[0]
    settles = "never" if away[-1] == len(shares) - 1 else str(away[-1] + 1)
    assert (settles, f"{shares[-100:].min():.3f}", f"{shares[-100:].max():.3f}") == (rounds, low, high)


def test_the_page_has_rows_that_settle_and_rows_that_do_not():
    assert {row[1] == "never" for row in ROWS} == {True, False}


@pytest.mark.parametrize(
    ("by", "seen"),
    [
        ("latency", {"answers": [10, 10], "seconds": [10.0, 30.0]}),
        ("utilisation", {"busy": [0.3, 0.9]}),
        ("queue", {"queue": [1, 3]}),
        ("in_flight", {"in_flight": [2, 6]}),
    ],
)
def test_a_weight_moves_by_gain_times_the_distance_from_the_mean(by: Any, seen: dict[str, Any]):
    # 1 and 3 are half a mean of 2 away from it; so the factors are 1.1 and 0.9.
    assert Weighing(Feedback(by=by, gain=0.2), pool(weights=[1, 1])).reweigh(10, **seen) == [110, 90]
    assert Weighing(Feedback(by=by, gain=0.2, resolution=10), pool(weights=[1, 3])).reweigh(10, **seen) == [
        12,
        28,
    ]


def test_bounds_hold_and_factors_have_a_mean_of_one():
    rule = Weighing(Feedback(by="queue", gain=50, least=0.5, most=1.2), pool(weights=[1, 1, 1]))
    assert rule.reweigh(10, queue=[0, 0, 30]) == [120, 120, 50]


def test_without_a_measurement_weights_stay():
    rule = Weighing(Feedback(by="latency"), pool(weights=[2, 1]))
    assert rule.reweigh(10) == [2, 1]
    assert rule.reweigh(20, answers=[0, 5], seconds=[0, 5]) == [200, 100]
    idle = Weighing(Feedback(by="queue"), pool(weights=[2, 1]))
    assert idle.reweigh(10) == [2, 1]


def test_smoothing_takes_a_part_of_each_new_measurement():
    rule = Weighing(Feedback(by="queue", gain=0.5, smoothing=0.25), pool(weights=[1, 1]))
    rule.reweigh(10, queue=[4, 4])
    # 4 + (0 - 4) / 4 = 3 and 4 + (12 - 4) / 4 = 6: a third of the mean of 4.5 on either side.
    assert rule.reweigh(20, queue=[0, 12]) == [117, 83]


@given(st.lists(st.tuples(*[st.integers(0, 40)] * 3), max_size=40), st.floats(0.01, 100))
@settings(max_examples=50)
def test_weights_stay_in_their_bounds_whatever_comes(queues: list[tuple[int, ...]], gain: float):
    rule = Weighing(Feedback(by="queue", gain=gain), pool(weights=[1, 4, 0]))
    for number, queue in enumerate(queues):
        weights = rule.reweigh(10 * number, queue=queue)
        assert weights[2] == 0
        assert weights[:2] == [1, 4] or (10 <= weights[0] <= 1000 and 40 <= weights[1] <= 4000)


def test_orca_weights_are_requests_a_second_by_utilisation():
    rule = Weighing(GrpcOrca(blackout_period=0), pool(weights=[1] * 3))
    # 100 / 0.5 = 200, 100 / (0.5 + 50 / 100) = 100, and no report: the mean of 150.
    weights = rule.reweigh(1, answers=[100, 50, 0], errors=[0, 50, 0], busy=[0.5, 0.5, 0])
    assert weights == [65_535, 32_768, 49_151]


@pytest.mark.parametrize(("penalty", "weight"), [(0, 65_535), (1, 32_768), (3, 16_384)])
def test_errors_count_as_utilisation(penalty: float, weight: int):
    rule = Weighing(GrpcOrca(blackout_period=0, error_utilization_penalty=penalty), pool(weights=[1, 1]))
    assert rule.reweigh(1, answers=[100, 50], errors=[0, 50], busy=[0.5, 0.5]) == [65_535, weight]


def test_orca_weights_wait_for_the_blackout_and_expire():
    rule = Weighing(GrpcOrca(blackout_period=10, weight_expiration_period=30), pool(weights=[5, 1, 0]))
    seen: dict[str, Any] = {"answers": [100, 100, 0], "busy": [0.4, 0.8, 0]}
    history = {time: rule.reweigh(time, **(seen if time <= 20 else {})) for time in range(1, 60)}
    # First reports at 1 s, last ones at 20 s.
    assert [time for time in history if history[time] == [65_535, 32_768, 0]] == list(range(11, 50))
    assert all(history[time] == [1, 1, 0] for time in history if not 11 <= time < 50)
    after = [rule.reweigh(time, **seen) for time in range(60, 72)]
    assert after.index([65_535, 32_768, 0]) == 10


def test_reports_out_of_band_are_of_their_whole_period():
    rule = Weighing(GrpcOrca(blackout_period=0, oob_reporting_period=5), pool(weights=[1, 1]))
    busy = [[0.1, 0.5], [0.3, 0.5], [0.1, 0.5], [0.5, 0.5], [0.25, 0.5]]
    history = [rule.reweigh(1 + time, answers=[10, 10], busy=each) for time, each in enumerate(busy)]
    # 10 / 0.25 and 10 / 0.5.
    assert history == [[1, 1]] * 4 + [[65_535, 32_768]]


def test_one_weight_alone_is_none():
    rule = Weighing(GrpcOrca(blackout_period=0), pool(weights=[1, 1]))
    assert rule.reweigh(1, answers=[100, 0], busy=[0.5, 0]) == [1, 1]


def test_an_agent_tells_the_idle_share():
    rule = Weighing(HaproxyAgent(least=5), pool(weights=[200, 150, 0, 20]))
    assert rule.reweigh(2, busy=[0.25, 0.499, 0.5, 1]) == [150, 75, 0, 1]


RULES: list[WeightRule] = [
    SCHEDULE,
    *[Feedback(by=by, smoothing=0.3) for by in ("latency", "utilisation", "queue", "in_flight")],
    GrpcOrca(blackout_period=3, weight_expiration_period=4, oob_reporting_period=2),
    HaproxyAgent(),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_weights_are_the_same_compiled(rule: WeightRule):
    def script(*, fast: bool) -> tuple[Any, ...]:
        weighing = Weighing(rule, pool(weights=[120, 100, 0, 110]), fast=fast)
        chance = seeded(7)
        seen = []
        for number in range(60):
            counts = [
                [int(10 * chance.random()) for _ in range(4)]
                for _ in ("answers", "errors", "queue", "in_flight")
            ]
            shares = [[chance.random() for _ in range(4)] for _ in ("seconds", "busy")]
            told = dict(zip(("answers", "errors", "queue", "in_flight"), counts, strict=True))
            seen.append(weighing.reweigh(1.0 + number, **told, seconds=shares[0], busy=shares[1]))
        return seen, as_lists(weighing.state)

    assert script(fast=False) == script(fast=True)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"kind": "schedule", "changes": []}, "at least 1 item"),
        ({"kind": "schedule", "changes": [{"at": 1}]}, "either a weight or a percent"),
        ({"kind": "schedule", "changes": [{"at": 1, "weight": 1, "percent": 1}]}, "either a weight"),
        ({"kind": "schedule", "changes": [{"at": 1, "weight": 65_536}]}, "less than or equal to 65535"),
        ({"kind": "schedule", "changes": [{"at": 1, "weight": 1, "servers": []}]}, "at least 1 item"),
        ({"kind": "feedback"}, "Field required"),
        ({"kind": "feedback", "by": "queue", "period": "1us"}, "1ms or more"),
        ({"kind": "feedback", "by": "mood"}, "'latency'"),
        ({"kind": "feedback", "by": "queue", "gain": 0}, "greater than 0"),
        ({"kind": "feedback", "by": "queue", "least": 1, "most": 1}, "least below most"),
        ({"kind": "feedback", "by": "queue", "smoothing": 1.1}, "less than or equal to 1"),
        ({"kind": "grpc.orca", "weight_update_period": "50ms"}, "100ms or more"),
        ({"kind": "haproxy.agent", "least": 0}, "greater than or equal to 1"),
    ],
)
def test_a_setting_out_of_range_is_refused(given: dict[str, Any], allowed: str):
    with pytest.raises(ValidationError, match=allowed):
        WEIGHT_RULES.read(given)


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (Schedule(changes=[{"at": 1, "servers": "web-*", "weight": 1}]), r"pool \(s0, s1\), not web-\*"),
        (Feedback(by="queue", resolution=10_000), "a resolution of at most 65,"),
        (HaproxyAgent(least=10), "weights of 10 to 256 in the pool"),
    ],
)
def test_a_pool_that_does_not_fit_is_refused(rule: WeightRule, allowed: str):
    with pytest.raises(PydanticCustomError, match=allowed):
        rule.check_pool(pool(weights=[100, 1]))


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_pool_that_fits_is_not_refused(rule: WeightRule):
    if isinstance(rule, Feedback):
        rule.check_pool(pool(weights=[1, 60, 0]))
    else:
        rule.check_pool(pool(weights=[100, 200, 0]))
