"""Histograms and tails of times."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from workbench.charts import distribution_chart, distribution_data, tail_chart, tail_data


def bins(*rows: tuple[float, float, int]) -> pa.Table:
    return pa.table(dict(zip(("lower_s", "upper_s", "count"), zip(*rows, strict=True), strict=True)))


NOTHING = pa.table({"lower_s": pa.array([], pa.float64()), "upper_s": [], "count": pa.array([], pa.int64())})
ZERO = (0.0, 0.0, 2)
TABLE = bins(ZERO, (1.0, 2.0, 5), (4.0, 8.0, 3))
MARKS = {"p50": 0.0, "p99": 7.0}


def test_empty_bins_between_have_a_share_of_nothing():
    data = distribution_data(TABLE, measure="waiting time", quantiles_s=MARKS)
    assert data.edges_s == (1.0, 2.0, 4.0, 8.0)
    assert data.shares == (0.5, 0.0, 0.3)


def test_times_of_zero_count_but_stand_apart():
    data = distribution_data(TABLE, measure="waiting time", quantiles_s=MARKS)
    assert data.zero_share == 0.2
    assert data.zero_share + sum(data.shares) == 1.0
    assert data.quantiles_s == {"p99": 7.0}


def test_neighbours_that_differ_by_rounding_alone_are_neighbours():
    edge = 1.02**7 / 1e6
    table = bins((edge / 1.02, edge, 1), (math.nextafter(edge, 1), edge * 1.02, 1))
    assert len(distribution_data(table, measure="wait", quantiles_s={}).shares) == 2


def test_the_first_view_leaves_out_the_rarest_short_times():
    table = bins((1e-6, 2e-6, 1), (0.5, 1.0, 5000), (1.0, 2.0, 4999))
    assert distribution_data(table, measure="wait", quantiles_s={}).shown_s == (0.5, 2.0)


@pytest.mark.parametrize("table", [NOTHING, bins(ZERO)])
def test_there_is_no_distribution_where_nothing_took_time(table: pa.Table):
    assert distribution_data(table, measure="wait", quantiles_s={}) is None
    assert tail_data(table, measure="wait", quantiles_s={}) is None


def test_a_tail_is_what_took_longer_than_each_edge():
    data = tail_data(
        bins(ZERO, (1.0, 2.0, 5), (2.0, 4.0, 2), (4.0, 8.0, 1)), measure="wait", quantiles_s=MARKS
    )
    assert data.times_s == (2.0, 4.0)
    assert data.shares == pytest.approx((0.3, 0.1))
    assert data.quantiles_s == {"p99": 7.0}


def test_axes_name_what_they_show_and_its_unit():
    histogram = distribution_chart(distribution_data(TABLE, measure="waiting time", quantiles_s=MARKS)).layout
    assert histogram.xaxis.title.text == "waiting time (log scale)"
    assert histogram.xaxis.ticktext == ("1 s", "2 s", "5 s")
    assert histogram.yaxis.title.text == "share of requests (%)"
    tail = tail_chart(tail_data(TABLE, measure="waiting time", quantiles_s=MARKS)).layout
    assert tail.xaxis.title.text == "waiting time (log scale)"
    assert tail.yaxis.title.text == "requests that took longer (%, log scale)"


def test_quantiles_are_marked_by_name_where_they_are():
    histogram = distribution_chart(distribution_data(TABLE, measure="waiting time", quantiles_s=MARKS)).layout
    tail = tail_chart(tail_data(TABLE, measure="waiting time", quantiles_s=MARKS)).layout
    for layout in (histogram, tail):
        assert [(note.text, 10**note.x) for note in layout.annotations] == [("p99", pytest.approx(7.0))]
        assert [line.x0 for line in layout.shapes] == [7.0]
