"""Percentiles and load over a run."""

from __future__ import annotations

import pyarrow as pa

from workbench.charts import latency_over_time_chart, latency_over_time_data

TABLE = pa.table(
    {
        "ts_s": [0.0, 10.0, 20.0],
        "requests": [50, 0, 25],
        "mean_s": [0.1, None, 0.2],
        "p50_s": [0.1, None, 0.2],
        "p95_s": [0.3, None, 0.4],
        "p99_s": [0.5, None, 0.6],
    }
)


def test_the_rate_of_the_last_bucket_counts_what_there_is_of_it():
    data = latency_over_time_data(TABLE, length_s=25.0, window_s=(2.5, 25.0))
    assert data.rates_per_s == (5.0, 0.0, 5.0)
    assert data.width_s == 10.0


def test_a_bucket_without_ok_requests_is_a_gap():
    data = latency_over_time_data(TABLE, length_s=25.0, window_s=(2.5, 25.0))
    assert data.percentiles_s == {"p99": (0.5, None, 0.6), "p95": (0.3, None, 0.4), "p50": (0.1, None, 0.2)}
    assert latency_over_time_chart(data).data[0].y == (0.5, None, 0.6)


def test_a_run_without_requests_has_nothing_to_show():
    assert latency_over_time_data(TABLE.slice(0, 0), length_s=0.0, window_s=(0.0, 0.0)) is None


def test_a_run_in_which_none_ended_well_still_shows_its_load():
    table = TABLE.set_column(3, "p50_s", pa.nulls(3, pa.float64()))
    table = table.set_column(4, "p95_s", pa.nulls(3, pa.float64())).set_column(
        5, "p99_s", pa.nulls(3, pa.float64())
    )
    chart = latency_over_time_chart(latency_over_time_data(table, length_s=25.0, window_s=(0.0, 25.0)))
    assert chart.data[-1].y == (5.0, 0.0, 5.0, 5.0)


def test_axes_name_what_they_show_and_its_unit():
    layout = latency_over_time_chart(
        latency_over_time_data(TABLE, length_s=25.0, window_s=(2.5, 25.0))
    ).layout
    assert layout.yaxis.title.text == "response time (log scale)"
    assert layout.yaxis.ticktext == ("100 ms", "200 ms", "500 ms")
    assert layout.yaxis2.title.text == "arrivals (1/s)"
    assert layout.xaxis2.title.text == "simulated clock (s)"


def test_what_lies_outside_the_window_is_shaded():
    layout = latency_over_time_chart(
        latency_over_time_data(TABLE, length_s=25.0, window_s=(2.5, 20.0))
    ).layout
    assert {(shape.x0, shape.x1) for shape in layout.shapes} == {(0.0, 2.5), (20.0, 30.0)}
