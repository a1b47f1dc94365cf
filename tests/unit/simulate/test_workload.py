"""A workload is the same requests however it is taken and whoever balances them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from workbench.simulate import Workload, load_scenario, read_strategy
from workbench.simulate.streams import Stream, generator
from workbench.simulate.workload import Chunk

BASE: dict[str, Any] = {
    "name": "base",
    "arrivals": {"kind": "poisson", "rate": 10},
    "service": {"kind": "exponential", "mean": 1},
    "pool": {"count": 2},
    "balancers": {"strategy": "random", "count": 3},
    "horizon": "2500 requests",
}
CASES: dict[str, dict[str, Any]] = {
    "requests": {},
    "a time": {"horizon": "200s"},
    "a time before the first arrival": {"horizon": "1us"},
    "split draws": {
        "arrivals": {"kind": "mmpp", "rates": [0, 20], "dwell": [1, 1]},
        "service": {"kind": "hyperexponential", "mean": 1, "cv2": 9},
    },
    "uniform keys": {"keys": {"kind": "uniform", "count": 9}},
    "zipf keys": {"keys": {"kind": "zipf", "count": 9}},
    "arrivals that end": {"arrivals": {"kind": "rate_over_time", "points": [[0, 10], [60, 0]]}},
    "closed loop": {
        "arrivals": {"kind": "closed_loop", "users": 7, "think": {"kind": "erlang", "mean": 1, "stages": 3}}
    },
}


def make_workload(*, replication: int = 0, **changes: Any) -> Workload:
    return Workload(load_scenario(BASE | changes), replication=replication)


def columns(chunk: Chunk) -> list[np.ndarray[Any, Any]]:
    return [chunk.arrival, chunk.demand, chunk.balancer, chunk.key]


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    file = tmp_path / "trace.csv"
    file.write_text("time,size\n" + "".join(f"{row},{row % 7}.5\n" for row in range(30)))
    return file


def replay(file: Path, **arrivals: Any) -> dict[str, Any]:
    return {
        "arrivals": {"kind": "trace", "file": str(file), "time_column": "time", **arrivals},
        "service": {"kind": "trace", "file": str(file), "per": {"size": 1}},
        "horizon": None,
    }


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("case", CASES)
def test_requests_do_not_depend_on_the_size_of_the_chunks(case: str, size: int):
    workload = make_workload(**CASES[case])
    whole = workload.arrays()
    chunks = list(workload.chunks(size))
    assert all(len(chunk.arrival) == len(chunk.demand) == len(chunk) <= size for chunk in chunks)
    for number, column in enumerate(columns(whole)):
        pieces = [columns(chunk)[number] for chunk in chunks]
        np.testing.assert_array_equal(np.concatenate([np.empty(0), *pieces]), column)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_replayed_trace_does_not_depend_on_the_size_of_the_chunks(recorded: Path, size: int):
    workload = make_workload(replication=1, **replay(recorded, resample=4))
    pieces = [chunk.demand for chunk in workload.chunks(size)]
    np.testing.assert_array_equal(np.concatenate(pieces), workload.arrays().demand)


@pytest.mark.parametrize("case", CASES)
def test_a_workload_can_be_taken_again(case: str):
    workload = make_workload(**CASES[case])
    for first, again in zip(columns(workload.arrays()), columns(workload.arrays()), strict=True):
        np.testing.assert_array_equal(first, again)


def test_strategy_and_pool_play_no_part():
    plain = make_workload().arrays()
    scenario = load_scenario(BASE | {"pool": [{"count": 5, "slots": 2, "speed": 3}]})
    other = Workload(scenario.with_strategy(read_strategy("power_of_two(choices=3)"))).arrays()
    for first, second in zip(columns(plain), columns(other), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"arrivals": {"kind": "gamma", "rate": 3, "cv2": 2}}, ["demand", "balancer", "key"]),
        ({"service": {"kind": "pareto", "least": 1, "alpha": 2}}, ["arrival", "balancer", "key"]),
        ({"balancers": {"strategy": "random", "count": 9}}, ["arrival", "demand", "key"]),
        ({"keys": {"kind": "zipf", "count": 1000}}, ["arrival", "demand", "balancer"]),
    ],
    ids=["arrivals", "service", "balancers", "keys"],
)
def test_each_part_draws_from_a_stream_of_its_own(change: dict[str, Any], kept: list[str]):
    keys = {"keys": {"kind": "uniform", "count": 1000}}
    plain, changed = (make_workload(**keys | more).arrays() for more in ({}, change))
    for column in ("arrival", "demand", "balancer", "key"):
        same = np.array_equal(getattr(plain, column), getattr(changed, column))
        assert same == (column in kept), column


@pytest.mark.parametrize("replication", [0, 4])
def test_each_part_draws_from_the_stream_that_is_named_for_it(replication: int):
    def stream(use: Stream) -> np.random.Generator:
        return generator(1, replication=replication, stream=use)

    scenario = load_scenario(BASE)
    chunk = Workload(scenario, replication=replication).arrays()
    times = scenario.arrivals.start(stream(Stream.ARRIVALS), replication=replication)(2500).time
    np.testing.assert_array_equal(chunk.arrival, times)
    np.testing.assert_array_equal(chunk.demand, scenario.service.start(stream(Stream.SERVICE))(2500, None))
    np.testing.assert_array_equal(chunk.balancer, np.floor(3 * stream(Stream.ROUTING).random(2500)))
    closed = load_scenario(BASE | CASES["closed loop"])
    assert closed.closed is not None
    thinks = closed.closed.think.start(stream(Stream.THINK))(2500, None)
    np.testing.assert_array_equal(Workload(closed, replication=replication).arrays().arrival, thinks)


def test_streams_differ_by_seed_replication_use_and_index():
    origins = [(1, 0, Stream.ARRIVALS, 0), (2, 0, Stream.ARRIVALS, 0), (1, 1, Stream.ARRIVALS, 0)]
    origins += [(1, 0, stream, 0) for stream in Stream if stream is not Stream.ARRIVALS]
    origins += [(1, 0, Stream.BALANCER, index) for index in (1, 2)]
    draws = np.array(
        [
            generator(seed, replication=replication, stream=stream, index=index).random(20_000)
            for seed, replication, stream, index in origins
        ]
    )
    assert len(np.unique(draws[:, 0])) == len(origins)
    correlations = np.corrcoef(draws)[np.triu_indices(len(origins), 1)]
    assert np.abs(correlations).max() < stats.norm.isf(0.001 / len(correlations) / 2) / np.sqrt(20_000)


def test_a_streams_draws_are_those_of_the_released_version():
    """What a seed means never changes: stored runs and their keys depend on it."""
    first = generator(1, replication=0, stream=Stream.ARRIVALS).random(2)
    other = generator(1, replication=2, stream=Stream.BALANCER, index=3).random(2)
    assert first.tolist() == [0.37865186910797644, 0.47657237118348783]
    assert other.tolist() == [0.2916400970901273, 0.06546002328728617]


@pytest.mark.parametrize("horizon", ["5 requests", "30 requests", "100 requests", "7.5s"])
def test_a_trace_keeps_each_requests_own_row(recorded: Path, horizon: str):
    chunk = make_workload(**replay(recorded) | {"horizon": horizon}).arrays()
    expected = {"5 requests": 5, "7.5s": 8}.get(horizon, 30)
    assert chunk.arrival.tolist() == list(range(expected))
    assert chunk.demand.tolist() == [row % 7 + 0.5 for row in range(expected)]


@pytest.mark.parametrize("order", ["", "sorted"])
def test_a_resampled_trace_keeps_each_requests_own_row(tmp_path: Path, order: str):
    """Here the time of a request tells its size, also where the file is not in the order of time."""
    file = tmp_path / "trace.csv"
    rows = [f"{row},{row}.5\n" for row in range(50)]
    file.write_text("time,size\n" + "".join(rows[::-1] if order else rows))
    workload = make_workload(replication=2, **replay(file, sort=bool(order), resample=50))
    chunk = workload.arrays()
    shift = (chunk.demand - 0.5 - chunk.arrival) % 50
    assert len(chunk) >= 45
    np.testing.assert_allclose(shift, shift[0], atol=1e-9)
    assert shift[0] > 0


def test_another_traces_demand_is_drawn_at_random(recorded: Path, tmp_path: Path):
    other = tmp_path / "other.csv"
    other.write_text("size\n1\n2\n")
    changes = replay(recorded) | {"service": {"kind": "trace", "file": str(other), "per": {"size": 1}}}
    chunk = make_workload(**changes).arrays()
    assert len(chunk) == 30
    assert set(chunk.demand) == {1.0, 2.0}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 2500),
        ({"horizon": "200s"}, 2000),
        ({"horizon": "50 requests"}, 50),
        (CASES["closed loop"], 2500),
        (CASES["closed loop"] | {"horizon": "10s"}, None),
    ],
    ids=str,
)
def test_the_expected_number_of_requests_is_known_where_it_can_be(
    changes: dict[str, Any], expected: float | None
):
    assert make_workload(**changes).expected_requests() == expected


@pytest.mark.parametrize(("horizon", "expected"), [(None, 30), ("5 requests", 5), ("99 requests", 30)])
def test_no_more_requests_are_expected_than_a_trace_has(recorded: Path, horizon: Any, expected: int):
    assert make_workload(**replay(recorded) | {"horizon": horizon}).expected_requests() == expected
