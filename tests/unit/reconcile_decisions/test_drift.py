"""Drift is told from chance, and a missing value is a value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import ks_2samp

from workbench.errors import InputError
from workbench.reconcile.drift import drift


def test_psi_is_the_sum_over_bins_of_what_moved():
    before = pa.table({"rule": ["a"] * 50 + ["b"] * 50})
    now = pa.table({"rule": ["a"] * 80 + ["b"] * 20})
    (found,) = drift(before, now, columns=["rule"])
    assert found.psi == pytest.approx(0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5))
    assert found.ks is None
    assert found.alarm


def test_ks_is_that_of_scipy():
    rng = np.random.default_rng(1)
    before, now = rng.normal(size=400), rng.normal(0.3, size=500)
    (found,) = drift(pa.table({"x": before}), pa.table({"x": now}), columns=["x"])
    assert found.ks == pytest.approx(ks_2samp(before, now).statistic)


def test_what_does_not_move_raises_no_alarm_and_rarely_exceeds_its_limit():
    rng = np.random.default_rng(2)
    above = 0
    for _ in range(300):
        before, now = pa.table({"x": rng.lognormal(size=2000)}), pa.table({"x": rng.lognormal(size=1500)})
        (found,) = drift(before, now, columns=["x"])
        above += found.psi > found.psi_limit or found.ks > found.ks_limit
    # At just 1 in 1000 for each of the two more than 4 of 300 would come in 1 of 2500 tests.
    assert above <= 4


@pytest.mark.parametrize(
    "now",
    [np.random.default_rng(3).normal(0.5, 1, 2000), np.random.default_rng(3).normal(0, 2, 2000)],
    ids=["moved", "wider"],
)
def test_what_moves_raises_the_alarm(now):
    before = np.random.default_rng(4).normal(size=2000)
    (found,) = drift(pa.table({"x": before}), pa.table({"x": now}), columns=["x"])
    assert found.alarm


def test_values_that_go_missing_raise_the_alarm():
    before = pa.table({"x": [float(n) for n in range(1000)]})
    now = pa.table({"x": [float(n) if n % 2 else None for n in range(1000)]})
    (found,) = drift(before, now, columns=["x"])
    assert (found.missing_before, found.missing, found.alarm) == (0.0, 0.5, True)


def test_a_column_that_is_missing_altogether_is_no_error():
    table = pa.table({"x": pa.nulls(100, pa.float64()), "t": pa.nulls(100, pa.string())})
    assert [(one.psi, one.ks, one.alarm) for one in drift(table, table, columns=["x", "t"])] == [
        (0.0, None, False)
    ] * 2


def test_a_constant_column_is_no_error():
    table = pa.table({"x": [1.0] * 50, "b": [True] * 50})
    assert [one.psi for one in drift(table, table, columns=["x", "b"])] == [0.0, 0.0]


def test_a_new_text_is_seen_though_the_reference_lacks_it():
    (found,) = drift(
        pa.table({"c": ["GBP"] * 1000}), pa.table({"c": ["GBP"] * 600 + ["EUR"] * 400}), columns=["c"]
    )
    assert found.alarm


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(5)
    before, now = rng.normal(size=300), np.round(rng.normal(size=300), 1)
    one = drift(pa.table({"x": before}), pa.table({"x": now}), columns=["x"])
    assert drift(pa.table({"x": before[::-1]}), pa.table({"x": np.sort(now)}), columns=["x"]) == one


def test_what_is_not_there_is_named():
    table = pa.table({"x": [1.0]})
    with pytest.raises(InputError, match="columns: given y; allowed in the reference: x"):
        drift(table, table, columns=["y"])
    with pytest.raises(InputError, match="current proposals: given none"):
        drift(table, table.slice(0, 0), columns=["x"])
