"""The charts of a comparison."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from workbench.charts import (
    Standings,
    differences_chart,
    differences_data,
    intervals_chart,
    intervals_data,
    quantile_profile_chart,
    quantile_profile_data,
    read_standings,
    replications_chart,
    replications_data,
)
from workbench.charts.standings import MARKS
from workbench.experiments import Verdict

STRATEGIES = ("least_work_left", "join_shortest_queue", "power_of_two", "random", "broken")


def without(standings: Standings, *verdicts: str) -> Standings:
    return replace(standings, rows=tuple(row for row in standings.rows if row.verdict not in verdicts))


def test_a_stored_comparison_is_read_as_it_was(standings: Standings):
    assert standings.strategies == STRATEGIES
    assert standings.resampled
    assert standings.best.strategy == "join_shortest_queue"
    assert standings.best.values == (0.9, 1.0, 1.1)
    assert standings.rows[4].value is None


def test_keys_that_a_later_version_adds_do_no_harm(document: dict[str, Any]):
    document["standings"][0]["colour"] = "green"
    assert read_standings(document).strategies == STRATEGIES


def test_every_verdict_has_a_mark_of_its_own():
    assert MARKS.keys() == {verdict.value for verdict in Verdict}
    assert len(set(MARKS.values())) == len(MARKS)


def test_marks_differ_in_shape_and_not_in_colour_alone():
    assert len({symbol for _, symbol in MARKS.values()}) == len(MARKS)


def test_a_strategy_without_a_value_keeps_its_line(standings: Standings):
    data = intervals_data(standings)
    assert data.strategies == STRATEGIES
    assert [row.strategy for row in data.rows] == list(STRATEGIES[:4])
    assert intervals_chart(data).layout.yaxis.categoryarray == STRATEGIES


def test_an_interval_is_drawn_from_its_low_to_its_high_end(standings: Standings):
    best = intervals_data(standings).rows[1]
    assert (best.value, best.low, best.high) == (1.0, 0.9, pytest.approx(1.1))
    bar = intervals_chart(intervals_data(standings)).data[1].error_x
    assert bar.array[0] == pytest.approx(0.1)
    assert bar.arrayminus[0] == pytest.approx(0.1)


def test_a_difference_is_a_ratio_to_the_best(standings: Standings):
    data = differences_data(standings)
    rows = {row.strategy: row for row in data.rows}
    assert data.best == "join_shortest_queue"
    assert rows["random"].ratio == pytest.approx(6.0)
    assert (rows["random"].low, rows["random"].high) == (pytest.approx(5.8), pytest.approx(6.2))
    assert rows["least_work_left"].ratio == pytest.approx(0.9)
    assert rows["random"].difference_s == pytest.approx(5.0)


def test_the_first_view_is_of_those_close_to_the_best_and_points_at_the_others(standings: Standings):
    data = differences_data(standings)
    assert data.shown == (pytest.approx(0.7), pytest.approx(1.3))
    assert [note.text for note in differences_chart(data).layout.annotations] == ["+500 % ▸"]


def test_the_first_view_is_of_all_where_none_is_close_to_the_best(standings: Standings):
    data = differences_data(without(standings, "bound", "not told apart", "no answer"))
    assert data.shown == (pytest.approx(0.8), pytest.approx(6.2))
    assert not differences_chart(data).layout.annotations


def test_an_interval_that_reaches_below_zero_time_is_cut(standings: Standings):
    wide = replace(standings.rows[2], difference_low=-3.0)
    data = differences_data(replace(standings, rows=(*standings.rows[:2], wide)))
    assert data.rows[2].low == 0.1


def test_there_are_no_differences_without_a_best_above_zero(standings: Standings):
    assert differences_data(without(standings, "best")) is None
    nothing = replace(standings.rows[1], value=0.0, difference=0.0)
    assert differences_data(replace(standings, rows=(nothing,))) is None


def test_strategies_that_are_all_the_same_can_be_drawn(standings: Standings):
    same = replace(
        standings.rows[1],
        strategy="least_connections",
        verdict="same",
        difference_low=0.0,
        difference_high=0.0,
    )
    best = replace(same, strategy="join_shortest_queue", verdict="best")
    chart = differences_chart(differences_data(replace(standings, rows=(best, same))))
    assert chart.layout.xaxis.ticktext == ("0",)


def test_every_replication_is_a_mark_and_one_without_a_value_is_none(standings: Standings):
    data = replications_data(standings)
    broken = data.strips[4]
    assert broken.replications == (0, 2)
    assert broken.values == (1.0, 1.0)
    assert broken.run_ids == (standings.rows[4].run_ids[0], standings.rows[4].run_ids[2])
    assert sum(len(trace.x) for trace in replications_chart(data).data) == 14


def test_the_trace_as_recorded_has_a_mark_of_its_own(standings: Standings):
    resampled = replications_chart(replications_data(standings)).data[1]
    assert resampled.marker.symbol == ("diamond", "line-ns-open", "line-ns-open")
    independent = replications_chart(replications_data(replace(standings, resampled=False))).data[1]
    assert set(independent.marker.symbol) == {"line-ns-open"}


def test_a_quantile_is_compared_with_the_least_of_its_column(standings: Standings):
    data = quantile_profile_data(standings)
    assert data.quantiles == ("p50", "p99", "p99.9")
    assert data.values_s[1] == (1.0, 4.0, None)
    assert data.ratios[0] == (1.0, 1.0, None)
    assert data.ratios[3] == (pytest.approx(6 / 0.9), pytest.approx(6 / 0.9), None)
    assert quantile_profile_chart(data).data[0].text[1] == ["1 s", "4 s", ""]


def test_a_quantile_of_zero_is_the_least(standings: Standings):
    none, some = (
        replace(standings.rows[place], quantiles={"p50": value}) for place, value in ((0, 0.0), (1, 0.1))
    )
    data = quantile_profile_data(replace(standings, rows=(none, some, replace(none, strategy="another"))))
    assert [row[0] for row in data.ratios] == [1.0, float("inf"), 1.0]


def test_axes_name_what_they_show_and_its_unit(standings: Standings):
    measure = intervals_chart(intervals_data(standings)).layout.xaxis
    assert (measure.title.text, measure.ticktext) == (
        "response time, mean (log scale)",
        ("1 s", "2 s", "5 s"),
    )
    difference = differences_chart(differences_data(standings)).layout.xaxis
    assert difference.title.text == "difference to the best (%, log scale of the ratio)"
    assert difference.ticktext == ("-20 %", "-10 %", "0", "+10 %", "+20 %")
    every = replications_chart(replications_data(standings)).layout.xaxis
    assert (every.title.text, every.ticktext) == ("response time, mean (log scale)", ("1 s", "2 s", "5 s"))
    assert quantile_profile_chart(quantile_profile_data(standings)).layout.xaxis.title.text == (
        "quantile of response time"
    )
