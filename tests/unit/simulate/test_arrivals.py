"""When requests arrive: rates, variability and courses against their formulas."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy import stats

from workbench.errors import TraceError
from workbench.simulate.arrivals import (
    ARRIVALS,
    ArrivalProcess,
    FlashCrowd,
    Gamma,
    Mmpp,
    Poisson,
    RateOverTime,
    TraceArrivals,
    Uniform,
)

LEVEL = 1e-3
"""A right process fails one of these tests with this probability, if its draws change."""
BATCHES = 50

Floats = NDArray[np.float64]

DAY = [(0, 0), (10, 200), (15, 50), (25, 50), (25.5, 0), (30, 0), (40, 300)]
RENEWAL: list[tuple[ArrivalProcess, Any]] = [
    (Poisson(rate=4), stats.expon(scale=0.25)),
    (Gamma(rate=4, cv2=1), stats.expon(scale=0.25)),
    (Gamma(rate=0.5, cv2=4), stats.gamma(0.25, scale=8)),
    (Gamma(rate=50, cv2=0.1), stats.gamma(10, scale=0.002)),
    (Uniform(rate=4, spread=1), stats.uniform(0, 0.5)),
    (Uniform(rate=10, spread=0.4), stats.uniform(0.06, 0.08)),
]
MODULATED: list[ArrivalProcess] = [
    Mmpp(rates=[0.2, 1.4], dwell=[20, 20]),
    Mmpp(rates=[0, 30, 5], dwell=[3, 0.5, 1]),
    RateOverTime(points=DAY, repeat=True),
    RateOverTime(points=DAY, between="step", repeat=True),
    FlashCrowd(rate=50, factor=4, at=10, rise=3, hold=20, fall=6),
]
renewal = pytest.mark.parametrize(("process", "gap"), RENEWAL, ids=[str(process) for process, _ in RENEWAL])


def draw(process: ArrivalProcess, count: int, *, seed: int = 1, replication: int = 0) -> Floats:
    return process.start(np.random.default_rng(seed), replication=replication)(count).time


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A trace of 40 requests in 80 s: two bursts, then one request every two seconds."""
    times = np.concatenate((np.linspace(0, 1, 10), np.linspace(20, 21, 10), np.linspace(42, 80, 20)))
    file = tmp_path / "trace.csv"
    rows = (f"{1000 + time!r},{row}\n" for row, time in enumerate(times.tolist()))
    file.write_text("time,size\n" + "".join(rows))
    return file


def test_every_process_is_tested_here():
    tested = {process.kind for process, _ in RENEWAL} | {process.kind for process in MODULATED}
    assert tested | {"trace", "closed_loop"} == set(ARRIVALS)


@renewal
def test_gaps_follow_their_distribution_from_the_first_on(process: ArrivalProcess, gap: Any):
    gaps = np.diff(draw(process, 200_000), prepend=0.0)
    assert stats.kstest(gaps, gap.cdf).pvalue > LEVEL


@renewal
def test_gaps_are_independent(process: ArrivalProcess, gap: Any):
    ranks = stats.rankdata(np.diff(draw(process, 200_000)))
    correlation = np.corrcoef(ranks[:-1], ranks[1:])[0, 1]
    assert abs(correlation) < stats.norm.isf(LEVEL / 2) / np.sqrt(len(ranks))


@renewal
def test_the_mean_rate_and_the_cv2_of_gaps_are_as_given(process: ArrivalProcess, gap: Any):
    batches = np.diff(draw(process, 200_000), prepend=0.0).reshape(BATCHES, -1)
    rate = process.mean_rate()
    assert rate == pytest.approx(1 / gap.mean(), rel=1e-12)
    assert stats.ttest_1samp(batches.mean(axis=1), 1 / rate).pvalue > LEVEL
    cv2 = getattr(process, "cv2", gap.var() / gap.mean() ** 2)
    squares = ((batches * rate - 1) ** 2).mean(axis=1)
    assert stats.ttest_1samp(squares, cv2).pvalue > LEVEL


def test_without_spread_arrivals_are_evenly_paced():
    np.testing.assert_allclose(draw(Uniform(rate=8), 1000), np.arange(1, 1001) / 8, rtol=1e-12)


every_process = pytest.mark.parametrize(
    "process",
    [
        *(process for process, _ in RENEWAL),
        *MODULATED,
        RateOverTime(points=DAY),
        Mmpp(rates=[0, 3000], dwell=[0.1, 0.001]),
    ],
    ids=str,
)


@every_process
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_arrivals_do_not_depend_on_the_size_of_the_chunks(process: ArrivalProcess, size: int):
    source = process.start(np.random.default_rng(5), replication=0)
    pieces: list[Floats] = []
    for done in range(0, 2500, size):
        asked = min(size, 2500 - done)
        pieces.append(source(asked).time)
        if len(pieces[-1]) < asked:
            break
    np.testing.assert_array_equal(np.concatenate(pieces), draw(process, 2500, seed=5))


@every_process
def test_times_never_decrease(process: ArrivalProcess):
    times = draw(process, 100_000)
    assert times[0] >= 0
    assert (np.diff(times) >= 0).all()


@every_process
def test_asking_for_no_arrival_changes_nothing(process: ArrivalProcess):
    source = process.start(np.random.default_rng(5), replication=0)
    assert len(source(0).time) == 0
    np.testing.assert_array_equal(source(100).time, draw(process, 100, seed=5))


def counts_until(process: ArrivalProcess, end: float, *, runs: int, most: int) -> Floats:
    """Arrivals in [0, end] of independent runs."""
    counts = []
    for seed in range(runs):
        times = draw(process, most, seed=seed)
        assert times[-1] > end
        counts.append(np.searchsorted(times, end))
    return np.array(counts, dtype=float)


def two_state_variance_ratio(rates: list[float], dwell: list[float], time: float) -> float:
    """Variance by mean of the arrivals in a stretch of time (Fischer and Meier-Hellstern, 1993)."""
    leave = 1 / np.array(dwell)
    share = leave[::-1] / leave.sum()
    mean = share @ rates
    variance, speed = share[0] * share[1] * (rates[0] - rates[1]) ** 2, leave.sum()
    return float(1 + 2 * variance / (mean * speed) * (1 + np.expm1(-speed * time) / (speed * time)))


@pytest.mark.parametrize(
    ("rates", "dwell", "time"),
    [([0.2, 1.4], [20, 20], 10), ([0.2, 1.4], [20, 20], 200), ([0, 10], [3, 1], 2), ([0, 10], [3, 1], 40)],
)
def test_mmpp_counts_have_the_mean_and_the_variance_of_their_formula(
    rates: list[float], dwell: list[float], time: float
):
    """The formula holds for a process that is stationary from its start, which the first state makes it."""
    process = Mmpp(rates=rates, dwell=dwell)
    mean = process.mean_rate() * time
    assert process.mean_rate() == pytest.approx(np.dot(rates, dwell) / np.sum(dwell), rel=1e-12)
    counts = counts_until(process, time, runs=4000, most=int(max(rates) * time * 2 + 60))
    assert stats.ttest_1samp(counts, mean).pvalue > LEVEL
    ratios = ((counts - mean) ** 2 / mean).reshape(BATCHES, -1).mean(axis=1)
    assert stats.ttest_1samp(ratios, two_state_variance_ratio(rates, dwell, time)).pvalue > LEVEL


def test_mmpp_goes_round_its_states_in_order():
    """Of three states with rates far apart and long dwell times, each follows the one before."""
    times = draw(Mmpp(rates=[1, 10, 100], dwell=[1000, 100, 10]), 20_000)
    rates = 20 / (times[20:] - times[:-20])
    states = np.select([rates < 3, rates < 30], [0, 1], 2)
    held = [state for state, length in run_lengths(states) if length > 150]
    steps = {(first, second) for first, second in pairwise(held) if first != second}
    assert steps == {(0, 1), (1, 2), (2, 0)}


def run_lengths(values: NDArray[np.int64]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(values, prepend=-1, append=-1))
    return [(int(values[low]), int(high - low)) for low, high in pairwise(edges)]


def expected_count(points: list[tuple[float, float]], between: str, low: float, high: float) -> float:
    """Integrate a course of the rate between two times by the trapezium rule on a fine grid."""
    times, rates = np.array(points, dtype=float).T
    grid = np.linspace(low, high, 2001)
    middle = (grid[:-1] + grid[1:]) / 2
    if between == "line":
        rate = np.interp(middle, times, rates)
    else:
        rate = rates[np.searchsorted(times, middle, side="right") - 1]
    return float(rate.mean() * (high - low))


@pytest.mark.parametrize("between", ["line", "step"])
def test_counts_follow_the_integral_of_the_rate(between: Any):
    """Counts of a Poisson process in disjoint bins are independent, so the sum of squares is chi-square."""
    points = [(time, 100.0 * rate) for time, rate in DAY]
    times = draw(RateOverTime(points=points, between=between), 1_000_000)
    edges = np.unique([np.linspace(low, high, 9) for (low, _), (high, _) in pairwise(DAY)])
    found, _ = np.histogram(times, edges)
    expected = np.array([expected_count(points, between, low, high) for low, high in pairwise(edges)])
    none = expected == 0
    assert none.sum() >= 8
    assert not found[none].any()
    statistic = np.sum((found[~none] - expected[~none]) ** 2 / expected[~none])
    assert LEVEL / 2 < stats.chi2.sf(statistic, np.sum(~none)) < 1 - LEVEL / 2
    assert found.sum() == len(times)


@pytest.mark.parametrize("between", ["line", "step"])
def test_the_mean_rate_is_that_of_one_course(between: Any):
    process = RateOverTime(points=DAY, between=between)
    whole = sum(expected_count(DAY, between, low, high) for (low, _), (high, _) in pairwise(DAY))
    assert process.mean_rate() == pytest.approx(whole / 40, rel=1e-9)


def test_arrivals_end_after_the_last_point():
    source = RateOverTime(points=[(0, 5), (100, 5)]).start(np.random.default_rng(1), replication=0)
    first, rest, none = source(300).time, source(10_000).time, source(10).time
    assert len(first) == 300
    assert 100 < len(rest) < 300
    assert rest[-1] <= 100
    assert len(none) == 0


def test_a_course_that_repeats_is_the_same_in_every_round():
    process = RateOverTime(points=[(0, 10), (4, 50), (5, 0), (10, 0)], between="step", repeat=True)
    times = draw(process, 200_000)
    rounds = int(times[-1] // 10)
    assert rounds > 1000
    found, _ = np.histogram(times[times < rounds * 10] % 10, [0, 4, 5, 10])
    assert found[2] == 0
    expected = np.array([40, 50]) * rounds
    assert stats.chi2.sf(np.sum((found[:2] - expected) ** 2 / expected), 2) > LEVEL


@pytest.mark.parametrize(
    ("crowd", "course"),
    [
        (
            FlashCrowd(rate=500, peak=2000, at=10, rise=3, hold=20, fall=6),
            [(0, 500), (10, 500), (13, 2000), (33, 2000), (39, 500), (60, 500)],
        ),
        (
            FlashCrowd(rate=800, factor=3, at=0, hold=5),
            [(0, 2400), (5 - 1e-9, 2400), (5, 800), (60, 800)],
        ),
    ],
    ids=str,
)
def test_a_crowd_comes_and_goes_along_its_course(crowd: FlashCrowd, course: list[tuple[float, float]]):
    times = draw(crowd, 200_000)
    edges = np.linspace(0, 60, 121)
    found, _ = np.histogram(times, edges)
    expected = np.array([expected_count(course, "line", low, high) for low, high in pairwise(edges)])
    statistic = np.sum((found - expected) ** 2 / expected)
    assert LEVEL / 2 < stats.chi2.sf(statistic, len(expected)) < 1 - LEVEL / 2


def test_after_a_crowd_arrivals_go_on_at_their_rate_without_end():
    crowd = FlashCrowd(rate=1000, factor=2, at=1, hold=1)
    gaps = np.diff(draw(crowd, 3_100_000)[-200_000:])
    assert crowd.mean_rate() == 1000
    assert stats.kstest(gaps, stats.expon(scale=0.001).cdf).pvalue > LEVEL


@pytest.mark.parametrize("count", [1, 40, 60])
def test_a_trace_is_replayed_as_recorded(recorded: Path, count: int):
    process = TraceArrivals(file=recorded, time_column="time")
    arrivals = process.start(np.random.default_rng(1), replication=0)(count)
    assert arrivals.row is not None
    assert arrivals.row.tolist() == list(range(min(count, 40)))
    np.testing.assert_array_equal(arrivals.time, process.times()[:count])
    assert arrivals.time[0] == 0


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("replication", [0, 1])
def test_a_trace_does_not_depend_on_the_size_of_the_chunks(recorded: Path, size: int, replication: int):
    process = TraceArrivals(file=recorded, time_column="time", resample=13)
    whole = process.start(np.random.default_rng(1), replication=replication)(1000)
    source = process.start(np.random.default_rng(1), replication=replication)
    pieces = [source(size) for _ in range(len(whole.time) // size + 1)]
    assert whole.row is not None
    np.testing.assert_array_equal(np.concatenate([piece.time for piece in pieces]), whole.time)
    np.testing.assert_array_equal(
        np.concatenate([piece.row for piece in pieces if piece.row is not None]), whole.row
    )


def test_speed_divides_a_traces_times(recorded: Path):
    plain, fast = (TraceArrivals(file=recorded, time_column="time", speed=speed) for speed in (1, 4))
    np.testing.assert_allclose(draw(fast, 40) * 4, draw(plain, 40), rtol=1e-12)
    assert fast.mean_rate() == pytest.approx(4 * (plain.mean_rate() or 0), rel=1e-12)
    assert plain.mean_rate() == pytest.approx(40 / 80)


def test_without_resampling_every_replication_is_as_recorded(recorded: Path):
    process = TraceArrivals(file=recorded, time_column="time")
    np.testing.assert_array_equal(draw(process, 100, replication=3), process.times())


def test_with_resampling_the_first_replication_is_as_recorded(recorded: Path):
    process = TraceArrivals(file=recorded, time_column="time", resample=10)
    np.testing.assert_array_equal(draw(process, 100), process.times())
    assert len(draw(process, 100, replication=1)) > 0
    assert draw(process, 100, replication=1).tolist() != process.times().tolist()


@pytest.mark.parametrize("block", [3.0, 17.0, 500.0])
def test_resampled_rows_keep_their_distances_within_a_block(recorded: Path, block: float):
    """Each request is one of the trace's, and lies in its block where it lay in the trace's time."""
    process = TraceArrivals(file=recorded, time_column="time", resample=block)
    recorded_times = process.times()
    length = recorded_times[-1] * 40 / 39
    arrivals = process.start(np.random.default_rng(3), replication=1)(10_000)
    assert arrivals.row is not None
    assert arrivals.time[0] >= 0
    assert arrivals.time[-1] <= length
    shift = (arrivals.time - recorded_times[arrivals.row]) % length
    in_block = (arrivals.time // block).astype(int)
    for number in np.unique(in_block):
        shifts = shift[in_block == number]
        apart = np.abs(shifts - shifts[0])
        assert np.minimum(apart, length - apart).max() < 1e-9


def test_resampling_keeps_the_mean_rate_and_uses_every_row_equally(recorded: Path):
    process = TraceArrivals(file=recorded, time_column="time", resample=10)
    counts = np.zeros((2000, 40))
    for seed in range(len(counts)):
        rows = process.start(np.random.default_rng(seed), replication=1)(1000).row
        counts[seed] = np.bincount(rows if rows is not None else [], minlength=40)
    assert stats.ttest_1samp(counts.sum(axis=1), 40).pvalue > LEVEL
    each = stats.ttest_1samp(counts, 1.0).pvalue
    assert each.min() > LEVEL / 40


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("poisson", {"rate": 0}),
        ("poisson", {"rate": -1}),
        ("poisson", {"rate": "fast"}),
        ("gamma", {"rate": 1, "cv2": 0}),
        ("uniform", {"rate": 1, "spread": 1.5}),
        ("mmpp", {"rates": [1], "dwell": [1]}),
        ("mmpp", {"rates": [1, 2], "dwell": [1, 2, 3]}),
        ("mmpp", {"rates": [0, 0], "dwell": [1, 2]}),
        ("mmpp", {"rates": [0, 1], "dwell": [1, 0]}),
        ("rate_over_time", {"points": [[0, 1]]}),
        ("rate_over_time", {"points": [[1, 1], [2, 1]]}),
        ("rate_over_time", {"points": [[0, 1], [2, 1], [2, 3]]}),
        ("rate_over_time", {"points": [[0, 0], [2, 0]]}),
        ("rate_over_time", {"points": [[0, 0], [2, 5]], "between": "step"}),
        ("flash_crowd", {"rate": 1, "at": 1, "hold": 1}),
        ("flash_crowd", {"rate": 1, "at": 1, "hold": 1, "peak": 2, "factor": 2}),
        ("flash_crowd", {"rate": 3, "at": 1, "hold": 1, "peak": 2}),
        ("flash_crowd", {"rate": 3, "at": 1, "hold": 1, "factor": 0.5}),
        ("flash_crowd", {"rate": 3, "at": 1, "hold": 0, "factor": 2}),
        ("flash_crowd", {"rate": 0, "at": 1, "hold": 1, "peak": 2}),
        ("closed_loop", {"users": 0, "think": {"kind": "exponential", "mean": 1}}),
        ("closed_loop", {"users": 5}),
        ("trace", {"file": "nowhere.csv", "time_column": "time"}),
        ("trace", {"file": __file__, "time_column": "time", "speed": 0}),
    ],
)
def test_parameters_out_of_range_are_refused(kind: str, parameters: dict[str, Any]):
    with pytest.raises(ValidationError):
        ARRIVALS[kind].model_validate({"kind": kind, **parameters})


def test_a_file_that_is_no_trace_is_an_error_when_it_is_read():
    process = TraceArrivals(file=Path(__file__), time_column="time")
    with pytest.raises(TraceError, match="test_arrivals"):
        process.start(np.random.default_rng(1), replication=0)


def test_a_closed_loop_has_no_arrivals_of_its_own():
    process = ARRIVALS["closed_loop"].model_validate(
        {"kind": "closed_loop", "users": 5, "think": {"kind": "exponential", "mean": 1}}
    )
    assert process.mean_rate() is None
    with pytest.raises(TypeError, match="made by the engine"):
        process.start(np.random.default_rng(1), replication=0)
