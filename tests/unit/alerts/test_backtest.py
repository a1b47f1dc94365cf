"""Backtests and advice on signals of which the right answers are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from workbench.alerts.advice import advise, changed_rule, choose, grid, pareto_front
from workbench.alerts.backtest import Episode, Incident, backtest
from workbench.alerts.conditions import Threshold
from workbench.alerts.labels import Labels
from workbench.alerts.rules import Rule, make_rules
from workbench.alerts.series import MemorySource, SeriesSet
from workbench.errors import InputError

INTERVAL = 10.0


def rule(above: float = 5.0, **keys: Any) -> Rule:
    keys = {"name": "Deep", **keys}
    return make_rules({"condition": {"kind": "threshold", "of": "depth", "above": above}, **keys}).every_rule[
        0
    ]


def episode(levels: list[tuple[float, float]], *incidents: Incident, until: float = 1000.0) -> Episode:
    """Make an episode whose signal takes each level from a time on."""
    times = np.arange(0.0, until + 1, 5.0)
    values = np.zeros(len(times))
    for begin, level in levels:
        values[times >= begin] = level
    source = MemorySource({"depth": SeriesSet.gather([(Labels({"server": "a"}), times, values)])})
    return Episode(source, 0.0, until, incidents, recovery=50.0)


def test_a_detection_a_false_alarm_and_a_miss_are_told_apart():
    overload, second = Incident("overload", 203.0, 400.0), Incident("crowd", 600.0, 700.0)
    one = episode([(100, 9.0), (120, 0.0), (225, 9.0), (425, 0.0)], overload, second)
    (score,) = backtest([rule()], [one], interval=INTERVAL).scores
    assert (score.incidents, score.detected, score.false_alarms, score.already_firing) == (2, 1, 1, 0)
    assert score.delays == (27.0, math.inf)  # the evaluation at 230 is the first to see it
    assert score.resets == (30.0,)
    assert score.healthy_s == 1000.0 - (450.0 - 203.0) - 150.0
    assert score.recall.value == 0.5
    assert score.delay(0.5).value == 27.0
    assert score.delay(0.9).value == math.inf
    assert score.delays_of("crowd") == (math.inf,)


def test_an_alarm_that_stood_already_tells_nobody():
    one = episode([(100, 9.0)], Incident("overload", 203.0, 400.0))
    (score,) = backtest([rule()], [one], interval=INTERVAL).scores
    assert (score.detected, score.already_firing, score.false_alarms) == (0, 1, 1)
    assert score.resets == (math.inf,)


def test_an_alarm_in_the_recovery_is_neither_right_nor_false():
    one = episode([(420, 9.0), (440, 0.0)], Incident("overload", 203.0, 400.0))
    (score,) = backtest([rule()], [one], interval=INTERVAL).scores
    assert (score.detected, score.false_alarms) == (0, 0)


def test_who_pages_first_is_counted_by_fault():
    one = episode([(200, 4.0), (300, 9.0), (400, 0.0)], Incident("overload", 200.0, 400.0))
    two = episode([(200, 9.0), (400, 0.0)], Incident("overload", 200.0, 400.0))
    rules = [rule(above=5.0), rule(above=3.0, name="Early", **{"for": 20.0})]
    result = backtest(rules, [one, two], interval=INTERVAL)
    assert result.first == {"overload": {"Early": 1, "Deep": 1}}


def test_healthy_time_without_incidents_is_all():
    assert episode([]).healthy == 1000.0


def noisy(seed: int) -> Episode:
    """Make an episode of noise from 0 to 1, with lone spikes to 3, and an incident at level 4."""
    rng = np.random.default_rng(seed)
    times = np.arange(0.0, 20_001.0, 10.0)
    values = rng.random(len(times))
    values[rng.random(len(times)) < 0.01] = 3.0
    start = 10_000.0 + 10 * rng.random()
    values[(times >= start) & (times < start + 600)] = 4.0
    source = MemorySource({"depth": SeriesSet.gather([(Labels(), times, values)])})
    return Episode(source, 0.0, 20_000.0, (Incident("fault", start, start + 600),), 100.0)


def test_advice_finds_a_threshold_that_only_the_fault_passes():
    advice = advise(rule(above=2.0), [noisy(seed) for seed in range(6)], interval=INTERVAL, budget=0.0)
    assert advice.chosen is not None
    assert advice.confirmed is not None
    assert 3.0 <= advice.chosen.threshold < 4.0
    assert advice.chosen.hold == 0.0
    assert (advice.confirmed.false_alarms, advice.confirmed.recall.value) == (0, 1.0)
    assert advice.present.false_alarms > 30
    assert advice.confirmed.incidents == 3  # the half that had no part in the choice


def test_a_hold_does_what_a_threshold_may_not():
    advice = advise(
        rule(),
        [noisy(seed) for seed in range(4)],
        interval=INTERVAL,
        budget=0.0,
        thresholds=[2.0],
        holds=[0, 30],
    )
    assert advice.chosen is not None
    assert (advice.chosen.threshold, advice.chosen.hold) == (2.0, 30.0)


def test_a_budget_that_nothing_keeps_gives_no_advice():
    advice = advise(rule(), [noisy(1), noisy(2)], interval=INTERVAL, budget=0.0, thresholds=[2.0], holds=[0])
    assert advice.chosen is None
    assert advice.confirmed is None


def test_of_the_front_none_beats_another_and_each_other_is_beaten():
    candidates = grid(
        rule(), [noisy(1)], thresholds=[0.5, 0.9, 2.0, 3.5, 9.0], holds=[0, 20, 60], interval=INTERVAL
    )
    front = pareto_front(candidates)
    figures = [
        (one.score.false_alarms, -one.score.detected, one.score.delay(0.5).value) for one in candidates
    ]

    def beaten(mine: tuple[float, ...]) -> bool:
        return any(
            other != mine and all(a <= b for a, b in zip(other, mine, strict=True)) for other in figures
        )

    expected = {mine for mine in figures if not beaten(mine)}
    assert {
        (one.score.false_alarms, -one.score.detected, one.score.delay(0.5).value) for one in front
    } == expected
    assert choose(candidates, budget=math.inf) in candidates


def test_a_grid_gives_what_each_rule_alone_gives():
    episodes = [noisy(3), noisy(4)]
    for one in grid(rule(), episodes, thresholds=[0.9, 3.5], holds=[0, 20], interval=INTERVAL):
        alone = changed_rule(rule(), threshold=one.threshold, hold=one.hold)
        assert backtest([alone], episodes, interval=INTERVAL).scores == (one.score,)


def test_clear_at_keeps_its_share_of_the_threshold():
    condition = {"kind": "threshold", "of": "depth", "above": 10, "clear_at": 5}
    changed = changed_rule(rule(condition=condition), threshold=4.0, hold=0.0).condition
    assert isinstance(changed, Threshold)
    assert changed.clear_at == 2.0


def test_advice_without_truth_or_threshold_is_refused():
    with pytest.raises(InputError, match="two or more replications"):
        advise(rule(), [noisy(1)], interval=INTERVAL, budget=1.0)
    with pytest.raises(InputError, match="kind absence"):
        changed_rule(rule(condition={"kind": "absence", "metric": "m"}), threshold=1.0, hold=0.0)
