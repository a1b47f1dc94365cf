"""Metrics from histograms, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.monitor import Watched
from workbench.monitor.latencies import histogram_points
from workbench.tables import Outcome, Timing, histogram_bins

WEB = [Watched("a"), Watched("b")]


def bin_of(seconds: float) -> int:
    return int(histogram_bins(np.array([round(seconds * 1e6)]))[0])


def value(points, series: str, **labels: str) -> float:
    (found,) = [one.value for one in points if one.series == series and one.labels == labels]
    return found


@pytest.fixture
def found(histograms):
    """Of `a` 3 ok of 30 ms and 1 of 2 s, 2 time-outs; of `b` 4 ok of 30 ms; 5 that had no server."""
    rows = [
        {"server_id": None, "bin": bin_of(0.03), "n": 7},
        {"server_id": None, "bin": bin_of(2.0), "n": 1},
        {"server_id": None, "outcome": Outcome.TIMEOUT, "bin": bin_of(5.0), "n": 2},
        {"server_id": None, "outcome": Outcome.NO_HEALTHY_SERVER, "bin": -1, "n": 5},
        {"server_id": 0, "bin": bin_of(0.03), "n": 3},
        {"server_id": 0, "bin": bin_of(2.0), "n": 1},
        {"server_id": 0, "timing": Timing.WAIT, "bin": -1, "n": 4},
        {"server_id": 0, "outcome": Outcome.TIMEOUT, "bin": bin_of(5.0), "n": 2},
        {"server_id": 1, "bin": bin_of(0.03), "n": 4},
    ]
    return histogram_points(histograms(rows), servers=WEB)


def test_requests_are_counted_by_outcome(found):
    assert value(found, "workbench_requests_total", server="a", outcome="ok") == 4
    assert value(found, "workbench_answers_total", server="a") == 6
    assert value(found, "workbench_errors_total", server="a") == 2
    assert value(found, "workbench_timed_out_total", server="a") == 2
    assert value(found, "workbench_errors_total", server="b") == 0


def test_requests_without_a_server_are_told_apart(found):
    assert value(found, "workbench_requests_total", server="none", outcome="no_healthy_server") == 5
    assert value(found, "workbench_answers_total", server="none") == 5


def test_goodput_is_ok_requests_by_the_length_of_the_slice(found):
    assert value(found, "workbench_goodput_per_second", server="a") == pytest.approx(0.4)


def test_buckets_count_ok_requests_up_to_their_bound(found):
    name = "workbench_response_seconds"
    counts = {
        one.labels["le"]: one.value
        for one in found
        if one.series == f"{name}_bucket" and one.labels["server"] == "a"
    }
    assert counts["0.025"] == 0
    assert counts["0.05"] == counts["1"] == 3
    assert counts["2.5"] == counts["+Inf"] == value(found, f"{name}_count", server="a") == 4
    assert value(found, f"{name}_sum", server="a") == pytest.approx(3 * 0.03 + 2.0, rel=0.0099)


def test_waiting_times_of_0_are_in_every_bucket(found):
    assert value(found, "workbench_wait_seconds_bucket", server="a", le="0.005") == 4
    assert value(found, "workbench_wait_seconds_sum", server="a") == 0
