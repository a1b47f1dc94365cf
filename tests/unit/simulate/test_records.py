"""What records say of a run, and how they are written as a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.errors import SimulationError
from workbench.simulate import Records
from workbench.simulate.records import microseconds
from workbench.tables import REQUESTS, Outcome

NAN = np.nan


@pytest.fixture
def records() -> Records:
    """Three requests on the way to a server with a delay of .25 s: served, refused, and sent nowhere."""
    return Records(
        arrival=np.array([1.0, 2.0, 3.0]),
        begin=np.array([1.75, NAN, NAN]),
        finish=np.array([4.75, NAN, NAN]),
        answered=np.array([5.0, 2.5, 3.0]),
        balancer=np.array([0, 1, 0]),
        server=np.array([1, 1, -1]),
        outcome=np.array([Outcome.OK, Outcome.REFUSED, Outcome.NO_HEALTHY_SERVER]),
        queue_depth=np.array([3, 4, -1]),
        delay=np.array([0.0, 0.25]),
        until=3.0,
        area=4.5,
    )


def test_times_of_a_request_add_up(records: Records):
    assert records.response.tolist() == [4.0, 0.5, 0.0]
    assert records.wait.tolist() == [0.5, 0.0, 0.0]
    assert records.served.tolist() == records.ok().tolist() == [True, False, False]
    assert records.drained == 5.0
    assert len(records) == 3


def test_a_table_has_a_row_for_each_request(records: Records):
    table = records.to_table(7)
    assert table.schema.equals(REQUESTS, check_metadata=True)
    assert table.to_pylist() == [
        {
            "run_id": 7,
            "req_id": 0,
            "arrival_us": 1_000_000,
            "balancer_id": 0,
            "server_id": 1,
            "outcome": 0,
            "queue_depth": 3,
            "wait_us": 500_000,
            "service_us": 3_000_000,
            "response_us": 4_000_000,
        },
        {
            "run_id": 7,
            "req_id": 1,
            "arrival_us": 2_000_000,
            "balancer_id": 1,
            "server_id": 1,
            "outcome": 1,
            "queue_depth": 4,
            "wait_us": 0,
            "service_us": 0,
            "response_us": 500_000,
        },
        {
            "run_id": 7,
            "req_id": 2,
            "arrival_us": 3_000_000,
            "balancer_id": 0,
            "server_id": None,
            "outcome": 2,
            "queue_depth": None,
            "wait_us": 0,
            "service_us": 0,
            "response_us": 0,
        },
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.0, 0), (1e-6, 1), (0.4e-6, 0), (0.6e-6, 1), (1234.567891, 1_234_567_891)]
)
def test_seconds_are_rounded_to_whole_microseconds(seconds: float, expected: int):
    assert microseconds(np.array([seconds])).tolist() == [expected]


@pytest.mark.parametrize("seconds", [1e13, np.inf, np.nan])
def test_a_time_that_does_not_fit_is_an_error(seconds: Any):
    with pytest.raises(SimulationError, match="290,000 years"):
        microseconds(np.array([0.0, seconds]))
