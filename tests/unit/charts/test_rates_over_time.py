"""Arrivals, throughput and goodput over time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from workbench import charts

SAMPLES = pa.table(
    {
        "ts_s": [10.0, 12.0, 14.0, 10.0, 14.0],
        "arrivals": [4, 2, 1, 6, 1],
        "completions": [2, 2, 2, 2, 2],
    }
)
ANSWERS = pa.table({"ts_s": [10.0, 14.0], "ok": [3, 1]})


def test_servers_are_added_up_and_the_bucket_that_goes_on_is_divided_by_what_there_is_of_it():
    data = charts.rates_over_time_data(SAMPLES, ANSWERS, width_s=2.0, end_s=15.0)
    assert data.times_s == (10.0, 12.0, 14.0)
    np.testing.assert_allclose(data.rates_per_s["arrivals"], [5.0, 1.0, 2.0])
    np.testing.assert_allclose(data.rates_per_s["throughput"], [2.0, 1.0, 4.0])
    np.testing.assert_allclose(data.rates_per_s["goodput"], [1.5, 0.0, 1.0])
    assert [line.name for line in charts.rates_over_time_chart(data).data] == list(data.rates_per_s)


def test_what_nobody_tells_has_no_line_and_a_gap_is_no_zero():
    unknown = SAMPLES.set_column(1, "arrivals", pa.nulls(5, pa.int64()))
    assert set(charts.rates_over_time_data(unknown, None, width_s=2.0, end_s=16.0).rates_per_s) == {
        "throughput"
    }
    gap = charts.rates_over_time_data(SAMPLES.take([0, 2]), None, width_s=2.0, end_s=16.0)
    assert np.isnan(gap.rates_per_s["arrivals"][1])


def test_there_is_nothing_to_show_without_samples():
    assert charts.rates_over_time_data(SAMPLES.slice(0, 0), None, width_s=1.0, end_s=1.0) is None
