"""Queues of servers over a run."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from workbench.charts import Level, queue_over_time_chart, queue_over_time_data

TABLE = pa.table(
    {
        "ts_s": [0.0, 5.0, 10.0, 0.0, 10.0],
        "server_id": [0, 0, 0, 1, 1],
        "queue_depth": [0.5, 1.0, 0.0, 2.0, 4.0],
        "queue_max": [1, 2, 0, 3, 9],
        "in_service": [1.0, 1.0, 0.2, 1.0, 1.0],
        "utilisation": [1.0, 1.0, 0.2, 1.0, 1.0],
    }
)


def laid_out(level: Level = Level.QUEUE_DEPTH, names: tuple[str, ...] = ("a", "b")):
    return queue_over_time_data(TABLE, names=names, level=level, window_s=(2.0, 12.0))


def test_a_server_is_a_row_and_a_missing_sample_a_gap():
    data = laid_out()
    assert data.times_s == (0.0, 5.0, 10.0)
    assert data.length_s == 15.0
    np.testing.assert_array_equal(data.values, [[0.5, 1.0, 0.0], [2.0, np.nan, 4.0]])


def test_utilisation_is_in_percent():
    np.testing.assert_allclose(laid_out(Level.UTILISATION).values[0], [100.0, 100.0, 20.0])


def test_there_is_nothing_to_show_without_samples():
    assert (
        queue_over_time_data(TABLE.slice(0, 0), names=("a",), level=Level.QUEUE_MAX, window_s=(0, 1)) is None
    )


@pytest.mark.parametrize(
    ("servers", "kind"), [(2, "scatter"), (4, "scatter"), (5, "heatmap"), (100, "heatmap")]
)
def test_few_servers_have_lines_and_many_a_heat_map(servers: int, kind: str):
    chart = queue_over_time_chart(laid_out(names=tuple(f"s{number}" for number in range(servers))))
    assert {trace.type for trace in chart.data} == {kind}
    assert len(chart.data) == (servers if kind == "scatter" else 1)


def test_names_that_have_no_room_are_left_to_the_pointer():
    some = queue_over_time_chart(laid_out(names=tuple(f"s{number}" for number in range(10)))).layout
    many = queue_over_time_chart(laid_out(names=tuple(f"s{number}" for number in range(1000)))).layout
    assert some.yaxis.showticklabels
    assert not many.yaxis.showticklabels
    assert many.yaxis.title.text == "1000 servers"
    assert many.height == 560


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("servers", [2, 8])
def test_axes_name_what_they_show_and_its_unit(level: Level, servers: int):
    chart = queue_over_time_chart(laid_out(level, tuple(f"s{number}" for number in range(servers))))
    shown = chart.layout.yaxis.title.text if servers == 2 else chart.data[0].colorbar.title.text
    assert shown == level.label
    assert "%" in shown or "requests" in shown
    assert chart.layout.xaxis.title.text == "simulated clock (s)"
