"""How a load is spread over servers."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.charts import Evenness, evenness, server_shares_chart, server_shares_data

TABLE = pa.table(
    {"server_id": [0, 2], "requests": [3, 1], "share": [0.75, 0.25], "ok": [3, 1], "utilisation": [0.6, None]}
)


def test_a_server_without_requests_is_shown_with_none():
    data = server_shares_data(TABLE, names=("a", "b", "c"))
    assert data.servers == ("a", "b", "c")
    assert data.requests == (3, 0, 1)
    assert data.shares == (0.75, 0.0, 0.25)
    assert data.utilisations == (0.6, None, None)


def test_evenness_is_unknown_where_a_server_is():
    data = server_shares_data(TABLE, names=("a", "b", "c"))
    assert data.share_evenness == Evenness(imbalance=2.25, jain=pytest.approx(1 / (3 * 0.625)))
    assert data.utilisation_evenness is None


def test_nothing_is_no_even_spread():
    assert evenness([0.0, 0.0]) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50).filter(lambda values: sum(values) > 1e-6))
def test_evenness_has_the_bounds_that_its_measures_have(values: list[float]):
    found = evenness(values)
    assert 1 - 1e-9 <= found.imbalance <= len(values) + 1e-9
    assert 1 / len(values) - 1e-9 <= found.jain <= 1 + 1e-9


@given(st.floats(1e-3, 1), st.integers(1, 50))
def test_even_is_one(value: float, servers: int):
    found = evenness([value] * servers)
    assert (found.imbalance, found.jain) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.parametrize("servers", [2, 500])
def test_axes_name_what_they_show_and_its_unit(servers: int):
    layout = server_shares_chart(
        server_shares_data(TABLE, names=tuple(f"s{number}" for number in range(3, 3 + servers)))
    ).layout
    assert layout.yaxis.title.text == "requests (%)"
    assert layout.yaxis2.title.text == "slots busy (%)"
    assert layout.xaxis2.showticklabels == (servers == 2)


def test_an_even_share_is_drawn_as_a_line():
    chart = server_shares_chart(server_shares_data(TABLE, names=("a", "b", "c")))
    assert chart.layout.shapes[0].y0 == pytest.approx(100 / 3)
    assert chart.data[0].y == (75.0, 0.0, 25.0)
    assert chart.data[1].y == (60.0, None, None)
