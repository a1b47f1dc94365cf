"""Metrics from samples, against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from workbench.monitor import Watched, sample_points

WEB = [Watched("a", slots=2, queue_limit=10), Watched("b", slots=2)]


def values(points, series: str) -> dict[str, float]:
    return {
        point.labels.get("server", point.labels.get("pool")): point.value
        for point in points
        if point.series == series
    }


def test_gauges_are_of_the_last_interval_and_counters_of_all(samples):
    rows = [
        {"ts_us": 0, "arrivals": 8, "completions": 5, "refused": 1},
        {
            "ts_us": 1_000_000,
            "interval_us": 2_000_000,
            "queue_depth": 4.0,
            "queue_max": 7,
            "in_service": 1.5,
            "utilisation": 0.75,
            "arrivals": 10,
            "completions": 4,
            "refused": 2,
            "oldest_us": 1_250_000,
        },
    ]
    found = sample_points(samples(rows), servers=WEB)
    expected = {
        "workbench_queue_depth": 4.0,
        "workbench_queue_depth_highest": 7.0,
        "workbench_in_service": 1.5,
        "workbench_in_flight": 5.5,
        "workbench_oldest_wait_seconds": 1.25,
        "workbench_utilisation_ratio": 0.75,
        "workbench_saturation_ratio": 2.75,
        "workbench_arrivals_per_second": 5.0,
        "workbench_throughput_per_second": 2.0,
        # By 4 between the middles of the intervals, 1.5 s; there is room for 10 - 4 = 6.
        "workbench_overflow_seconds": 2.25,
        "workbench_arrivals_total": 18.0,
        "workbench_completions_total": 9.0,
        "workbench_refused_total": 3.0,
        "workbench_share_ratio": 1.0,
    }
    assert {one.series: one.value for one in found if one.labels == {"server": "a"}} == expected


def test_a_queue_that_does_not_grow_never_overflows(samples):
    rows = [{"ts_us": 0, "queue_depth": 3.0}, {"ts_us": 1_000_000, "queue_depth": 3.0}]
    found = sample_points(samples(rows), servers=WEB)
    assert values(found, "workbench_overflow_seconds") == {"a": math.inf}


def test_how_a_queue_grew_in_a_gap_is_not_known(samples):
    rows = [{"ts_us": 0, "queue_depth": 3.0}, {"ts_us": 2_000_000, "queue_depth": 5.0}]
    found = sample_points(samples(rows), servers=WEB)
    assert values(found, "workbench_overflow_seconds") == {}


def test_what_is_null_is_left_out(samples):
    row = {"ts_us": 0, "queue_depth": 2.0, "in_service": None, "arrivals": None, "utilisation": None}
    found = {one.series for one in sample_points(samples([row]), servers=WEB)}
    assert "workbench_queue_depth" in found
    assert not found & {
        "workbench_in_service",
        "workbench_in_flight",
        "workbench_saturation_ratio",
        "workbench_utilisation_ratio",
        "workbench_arrivals_total",
        "workbench_arrivals_per_second",
        "workbench_share_ratio",
    }


def test_a_member_that_counts_nothing_has_no_part_in_the_shares(samples):
    rows = [{"ts_us": 0, "arrivals": 4}, {"ts_us": 0, "server_id": 1, "arrivals": None}]
    assert values(sample_points(samples(rows), servers=WEB), "workbench_share_ratio") == {"a": 1.0}


def test_shares_and_imbalance_compare_the_servers_of_a_pool(samples):
    rows = [{"ts_us": 0, "server_id": 0, "arrivals": 30}, {"ts_us": 0, "server_id": 1, "arrivals": 10}]
    found = sample_points(samples(rows), servers=WEB)
    assert values(found, "workbench_share_ratio") == {"a": 0.75, "b": 0.25}
    assert values(found, "workbench_imbalance_ratio") == {"all": 1.5}
    assert values(found, "workbench_jain_ratio") == {"all": pytest.approx(1600 / (2 * 1000))}


def test_pools_are_compared_apart(samples):
    servers = [Watched("x/a", pool="x"), Watched("y/b", pool="y")]
    rows = [{"ts_us": 0, "server_id": 0, "arrivals": 30}, {"ts_us": 0, "server_id": 1, "arrivals": 10}]
    found = sample_points(samples(rows), servers=servers)
    assert values(found, "workbench_share_ratio") == {"x/a": 1.0, "y/b": 1.0}


def test_a_pool_is_not_compared_where_a_server_has_a_gap(samples):
    rows = [
        {"ts_us": 0, "server_id": 0, "arrivals": 30},
        {"ts_us": 1_000_000, "server_id": 0, "arrivals": 30},
        {"ts_us": 0, "server_id": 1, "arrivals": 10},
    ]
    found = sample_points(samples(rows), servers=WEB)
    assert values(found, "workbench_share_ratio") == {}
    assert values(found, "workbench_arrivals_total") == {"a": 60.0, "b": 10.0}


def test_every_interval_has_its_own_time_and_a_gap_has_none(samples):
    rows = [{"ts_us": 0, "arrivals": 1}, {"ts_us": 5_000_000, "arrivals": 2}]
    found = sample_points(samples(rows), servers=WEB, began=1000.0, every=True)
    totals = [(one.at, one.value) for one in found if one.series == "workbench_arrivals_total"]
    assert totals == [(1001.0, 1.0), (1006.0, 3.0)]
    shares = [one.at for one in found if one.series == "workbench_share_ratio"]
    assert shares == [1001.0, 1006.0]


def test_no_samples_give_no_metrics(samples):
    assert sample_points(samples([]), servers=WEB) == []
