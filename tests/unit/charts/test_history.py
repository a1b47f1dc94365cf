"""Charts of a run's history: heat map, balance, what happened, and what a rule saw."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from workbench import charts

HEAT = pa.table(
    {
        "ts_s": [0.0, 0.0, 0.0, 10.0, 10.0],
        "end_s": [10.0, 10.0, 10.0, 20.0, 20.0],
        "lower_s": [0.0, 0.1, 0.4, 0.2, 0.4],
        "upper_s": [0.0, 0.2, 0.8, 0.4, 0.8],
        "count": [1, 6, 3, 1, 3],
    }
)


def test_a_column_of_the_heat_map_holds_shares_of_its_slice():
    data = charts.latency_heat_map_data(HEAT, length_s=20.0)
    assert data.edges_s == (0.0, 10.0, 20.0)
    assert data.bounds_s == pytest.approx((0.1, 0.2, 0.4, 0.8))
    expected = np.array([[0.6, np.nan], [np.nan, 0.25], [0.3, 0.75]])
    np.testing.assert_allclose(data.shares, expected)
    assert data.zero_share == pytest.approx(1 / 14)


def test_a_heat_map_of_nothing_or_of_times_of_zero_is_none():
    assert charts.latency_heat_map_data(HEAT.slice(0, 0), length_s=20.0) is None
    assert charts.latency_heat_map_data(HEAT.slice(0, 1), length_s=20.0) is None


def test_the_imbalance_is_the_largest_share_by_the_mean_and_a_gap_where_nothing_came():
    table = pa.table(
        {
            "ts_s": [0.0, 1.0, 0.0, 1.0],
            "width_s": [1.0] * 4,
            "server_id": [0, 0, 1, 1],
            "arrivals": [3, 0, 1, 0],
        }
    )
    data = charts.balance_over_time_data(table, names=("a", "b"), length_s=2.0)
    np.testing.assert_allclose(data.shares, [[0.75, np.nan], [0.25, np.nan]])
    np.testing.assert_allclose(data.imbalance, [1.5, np.nan])
    assert charts.balance_over_time_chart(data).data[0].zmax == 75.0


OUTAGES = pa.table(
    {"fault": ["crash"], "server_id": [1], "begin_s": [2.0], "end_s": pa.nulls(1, pa.float64())}
)
EVENTS = pa.table(
    {
        "at_s": [2.0, 2.5, 4.0],
        "kind": ["fault_begins", "ejected", "panic_begins"],
        "server_id": pa.array([1, 1, None], pa.int16()),
        "detail": ["crash", "", ""],
    }
)


def test_a_fault_that_lasts_ends_with_the_run_and_what_balancers_did_are_moments():
    data = charts.happenings_data(OUTAGES, EVENTS, names=("a", "b"), length_s=9.0)
    assert [(one.what, one.server, one.begin_s, one.end_s) for one in data.spans] == [
        ("crash", "b", 2.0, 9.0)
    ]
    assert [(one.kind, one.server) for one in data.moments] == [("ejected", "b"), ("panic_begins", "all")]


def test_nothing_happened_is_none_and_marks_nothing():
    assert charts.happenings_data(OUTAGES.slice(0, 0), EVENTS.slice(0, 0), names=("a",), length_s=9.0) is None
    figure = charts.latency_heat_map_chart(charts.latency_heat_map_data(HEAT, length_s=20.0))
    assert not charts.marked(figure, None, length_s=20.0).layout.shapes


def test_faults_and_ejections_are_marked_in_the_unit_of_the_clock():
    figure = charts.latency_heat_map_chart(charts.latency_heat_map_data(HEAT, length_s=20.0))
    data = charts.happenings_data(OUTAGES, EVENTS, names=("a", "b"), length_s=1200.0)
    shapes = charts.marked(figure, data, length_s=1200.0).layout.shapes
    assert (shapes[0].x0, shapes[0].x1) == pytest.approx((2 / 60, 20.0))
    assert [shape.x0 for shape in shapes[3:]] == pytest.approx([2.5 / 60, 4 / 60])


def test_what_a_live_run_was_told_is_a_mark_with_its_words():
    told = pa.table(
        {
            "at_s": [3.0],
            "kind": ["command"],
            "server_id": pa.array([0], pa.int16()),
            "detail": ["drain (ann)"],
        }
    )
    data = charts.happenings_data(OUTAGES.slice(0, 0), told, names=("a",), length_s=20.0)
    (trace,) = charts.happenings_chart(data).data
    assert (trace.x, trace.customdata) == ((3.0,), ("a drain (ann)",))
    figure = charts.latency_heat_map_chart(charts.latency_heat_map_data(HEAT, length_s=20.0))
    assert [shape.x0 for shape in charts.marked(figure, data, length_s=20.0).layout.shapes] == [3.0]


@pytest.mark.parametrize(("above", "kept"), [(True, "high"), (False, "low")])
def test_of_many_series_those_nearest_to_firing_are_drawn(above: bool, kept: str):
    series = {f"{place}": np.array([1.0, np.nan]) for place in range(8)}
    series |= {"high": np.array([np.nan, 5.0]), "low": np.array([0.5, 1.0])}
    data = charts.rule_course_data(
        times_s=[0.0, 1.0],
        series=series,
        threshold=2.0,
        clear_at=None,
        above=above,
        firings=[(0.0, 1.0)],
        signal="x",
        length_s=1.0,
    )
    assert next(iter(data.series)) == kept
    assert data.left_out == 2
    assert len(charts.rule_course_chart(data).data) == 8
