"""A run from moment to moment: the same figures as pandas gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from workbench.errors import InputError
from workbench.store import Store, queries

Window = tuple[float, float] | None


@pytest.mark.parametrize("order", ["arrival", "slowest"])
def test_the_requests_of_a_window_are_all_that_arrived_in_it_in_their_order(
    measured: Store,
    frame: pd.DataFrame,
    inside: Callable[[pd.DataFrame, Window], pd.DataFrame],
    window: Window,
    order: str,
):
    found = queries.window_requests(measured, run_id=1, window=window, order=order, limit=10**6).to_pandas()
    expected = inside(frame, window)
    key = ["arrival_us", "req_id"] if order == "arrival" else ["response_us", "req_id"]
    expected = expected.sort_values(key, ascending=[order == "arrival", True])
    assert found["req_id"].tolist() == expected["req_id"].tolist()
    np.testing.assert_allclose(found["response_s"], expected["response_us"] / 1e6)


def test_a_limit_keeps_the_first(measured: Store):
    all_of_them = queries.window_requests(measured, run_id=1)
    assert queries.window_requests(measured, run_id=1, limit=3) == all_of_them.slice(0, 3)


@pytest.mark.parametrize("wrong", [{"order": "random"}, {"limit": 0}])
def test_another_order_or_no_limit_is_refused(measured: Store, wrong: dict[str, object]):
    with pytest.raises(InputError, match="allowed: arrival, slowest and 1 or more"):
        queries.window_requests(measured, run_id=1, **wrong)


def test_without_buckets_nothing_is_asked(measured: Store):
    with pytest.raises(InputError):
        queries.arrivals_over_time(measured, run_id=1, buckets=0)
    with pytest.raises(InputError):
        queries.latency_heat(measured, run_id=1, columns=0)
