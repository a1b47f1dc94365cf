"""Each distribution of demand against an independent one, and the draws against both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy import integrate, stats

from workbench.errors import TraceError
from workbench.simulate.services import (
    SERVICES,
    Deterministic,
    Empirical,
    Erlang,
    Exponential,
    Hyperexponential,
    Lognormal,
    Pareto,
    ServiceDemand,
    TraceDemand,
)

LEVEL = 1e-3
"""A right distribution fails one of these tests with this probability, if its draws change."""
DRAWS = 200_000
BATCHES = 50

Floats = NDArray[np.float64]


class Known(NamedTuple):
    """A distribution as somebody else computes it."""

    cdf: Callable[[Floats], Floats]
    mean: float
    cv2: float


def frozen(distribution: Any) -> Known:
    return Known(
        distribution.cdf, float(distribution.mean()), float(distribution.var() / distribution.mean() ** 2)
    )


def integrated(cdf: Callable[[Any], Any]) -> Known:
    """Take the moments of a demand by integrating the tail of its distribution."""
    mean, _ = integrate.quad(lambda x: 1 - cdf(x), 0, np.inf, limit=500)
    square, _ = integrate.quad(lambda x: 2 * x * (1 - cdf(x)), 0, np.inf, limit=500)
    return Known(cdf, mean, square / mean**2 - 1)


def two_exponentials(mean: float, cv2: float) -> Known:
    """Find the mixture whose two parts have equal weight in the mean, from its definition."""
    # p m1 = (1 - p) m2 = mean / 2, and E[S^2] = 2 p m1^2 + 2 (1 - p) m2^2 = (cv2 + 1) mean^2
    p = (1 + np.sqrt(1 - 2 / (cv2 + 1))) / 2
    often, seldom = mean / (2 * p), mean / (2 * (1 - p))
    return integrated(lambda x: 1 - p * np.exp(-x / often) - (1 - p) * np.exp(-x / seldom))


CONTINUOUS: list[tuple[ServiceDemand, Known]] = [
    (Exponential(mean=0.2), frozen(stats.expon(scale=0.2))),
    (Erlang(mean=3, stages=1), frozen(stats.expon(scale=3))),
    (Erlang(mean=3, stages=7), frozen(stats.gamma(7, scale=3 / 7))),
    (Lognormal(mean=2, cv2=0.25), frozen(stats.lognorm(np.sqrt(np.log(1.25)), scale=2 / np.sqrt(1.25)))),
    (Lognormal(mean=0.01, cv2=3), frozen(stats.lognorm(np.sqrt(np.log(4)), scale=0.01 / np.sqrt(4)))),
    (Hyperexponential(mean=1, cv2=1), frozen(stats.expon(scale=1))),
    (Hyperexponential(mean=1, cv2=4), two_exponentials(1, 4)),
    (Hyperexponential(mean=0.05, cv2=20), two_exponentials(0.05, 20)),
    (Pareto(least=2, alpha=2.5), frozen(stats.pareto(2.5, scale=2))),
    (Pareto(least=0.5, alpha=1.5), frozen(stats.pareto(1.5, scale=0.5))),
    (Pareto(least=1, alpha=1.1, most=1000), frozen(stats.truncpareto(1.1, 1000, scale=1))),
    (Pareto(least=1, alpha=1, most=50), frozen(stats.truncpareto(1, 50, scale=1))),
    (Pareto(least=0.1, alpha=2, most=5), frozen(stats.truncpareto(2, 50, scale=0.1))),
    (Pareto(least=0.1, alpha=0.3, most=5), frozen(stats.truncpareto(0.3, 50, scale=0.1))),
]
DISCRETE: list[ServiceDemand] = [
    Deterministic(value=0.25),
    Empirical(values=[1, 2, 5]),
    Empirical(values=[1, 2, 5, 9], weights=[3, 0, 6, 1]),
]
continuous = pytest.mark.parametrize(
    ("service", "known"), CONTINUOUS, ids=[str(service) for service, _ in CONTINUOUS]
)
every_service = pytest.mark.parametrize("service", [s for s, _ in CONTINUOUS] + DISCRETE, ids=str)


def draw(service: ServiceDemand, count: int = DRAWS, *, seed: int = 1) -> Floats:
    return service.start(np.random.default_rng(seed))(count, None)


def test_every_distribution_is_tested_here():
    tested = {service.kind for service, _ in CONTINUOUS} | {service.kind for service in DISCRETE}
    assert tested | {"trace"} == set(SERVICES)


@continuous
def test_draws_follow_the_distribution(service: ServiceDemand, known: Known):
    assert stats.kstest(draw(service), known.cdf).pvalue > LEVEL


@continuous
def test_moments_are_those_of_the_distribution(service: ServiceDemand, known: Known):
    mean, cv2 = service.moments()
    assert mean == pytest.approx(known.mean, rel=1e-6)
    assert cv2 == pytest.approx(known.cv2, rel=1e-6)


def has_fourth_moment(service: ServiceDemand) -> bool:
    return not isinstance(service, Pareto) or service.most is not None


@every_service
def test_draws_have_the_mean_and_cv2_that_moments_says(service: ServiceDemand):
    mean, cv2 = service.moments()
    drawn = draw(service)
    if cv2 == 0:
        assert (drawn == mean).all()
        return
    batches = drawn.reshape(BATCHES, -1)
    if np.isfinite(cv2):
        assert stats.ttest_1samp(batches.mean(axis=1), mean).pvalue > LEVEL
    if has_fourth_moment(service):
        squares = ((batches - mean) ** 2).mean(axis=1) / mean**2
        assert stats.ttest_1samp(squares, cv2).pvalue > LEVEL


@every_service
def test_draws_are_independent(service: ServiceDemand):
    drawn = draw(service)
    if drawn.std() == 0:
        return
    ranks = stats.rankdata(drawn)
    ranks += np.random.default_rng(2).random(len(ranks))  # a tie is broken by chance
    correlation = np.corrcoef(ranks[:-1], ranks[1:])[0, 1]
    assert abs(correlation) < stats.norm.isf(LEVEL / 2) / np.sqrt(len(drawn))


@every_service
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_demands_do_not_depend_on_the_size_of_the_chunks(service: ServiceDemand, size: int):
    source = service.start(np.random.default_rng(5))
    pieces = [source(min(size, 2500 - done), None) for done in range(0, 2500, size)]
    np.testing.assert_array_equal(np.concatenate(pieces), draw(service, 2500, seed=5))


@every_service
def test_no_demand_is_drawn_where_none_is_asked_for(service: ServiceDemand):
    assert len(draw(service, 0)) == 0


@pytest.mark.parametrize("weights", [None, [3, 0, 6, 1], [0.003, 0, 0.006, 0.001]])
def test_empirical_values_come_as_often_as_their_weights_say(weights: list[float] | None):
    values = [4.0, 1.0, 9.0, 2.0]
    service = Empirical(values=values, weights=weights)
    shares = np.array(weights or [1, 1, 1, 1]) / sum(weights or [1, 1, 1, 1])
    drawn = draw(service)
    counts = np.array([np.sum(drawn == value) for value in values])
    assert counts.sum() == len(drawn)
    assert not counts[shares == 0].any()
    possible = shares > 0
    assert stats.chisquare(counts[possible], shares[possible] * len(drawn)).pvalue > LEVEL
    mean = float(np.dot(shares, values))
    assert service.moments() == pytest.approx(
        (mean, float(np.dot(shares, np.square(values))) / mean**2 - 1), rel=1e-12
    )


def test_a_bounded_pareto_stays_within_its_bounds():
    drawn = draw(Pareto(least=0.1, alpha=0.2, most=5))
    assert drawn.min() >= 0.1
    assert drawn.max() <= 5


def test_the_variance_of_a_heavy_tail_is_infinite():
    assert Pareto(least=1, alpha=2).moments() == (2.0, float("inf"))


def test_moments_hold_for_extreme_tails():
    """No power of a small number underflows: of alpha 100 hardly anything is above the least."""
    mean, cv2 = Pareto(least=1e-6, alpha=100, most=1).moments()
    assert mean == pytest.approx(1e-6 * 100 / 99, rel=1e-12)
    assert cv2 == pytest.approx(100 / 98 / (100 / 99) ** 2 - 1, rel=1e-9)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("deterministic", {"value": -1}),
        ("exponential", {"mean": 0}),
        ("exponential", {"mean": "1/s"}),
        ("erlang", {"mean": 1, "stages": 0}),
        ("lognormal", {"mean": 1, "cv2": 0}),
        ("lognormal", {"mean": 1, "cv2": float("nan")}),
        ("hyperexponential", {"mean": 1, "cv2": 0.9}),
        ("pareto", {"least": 1, "alpha": 1}),
        ("pareto", {"least": 1, "alpha": 2, "most": 1}),
        ("empirical", {"values": []}),
        ("empirical", {"values": [1, 2], "weights": [1]}),
        ("empirical", {"values": [1, 2], "weights": [0, 0]}),
        ("empirical", {"values": [1, 2], "weights": [1, -1]}),
        ("empirical", {"values": [1, 2], "weights": [1, float("inf")]}),
        ("trace", {"file": __file__, "per": {}}),
        ("trace", {"file": __file__, "per": {"size": "-1s"}}),
    ],
)
def test_parameters_out_of_range_are_refused(kind: str, parameters: dict[str, Any]):
    with pytest.raises(ValidationError):
        SERVICES[kind].model_validate({"kind": kind, **parameters})


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    file = tmp_path / "tokens.csv"
    file.write_text("time,prompt,answer\n0,10,1\n1,20,0\n2,30,5\n")
    return file


def test_trace_demand_is_a_constant_and_so_much_for_each_unit(tokens: Path):
    service = TraceDemand(file=tokens, constant=0.5, per={"prompt": "10ms", "answer": "2s"})
    expected = [0.5 + 0.01 * x + 2 * y for x, y in [(10, 1), (20, 0), (30, 5)]]
    assert service.demands().tolist() == pytest.approx(expected, rel=1e-12)
    rows = np.array([2, 0, 0, 1])
    found = service.start(np.random.default_rng(1))(4, rows)
    assert found.tolist() == pytest.approx([expected[row] for row in rows], rel=1e-12)
    assert service.moments() == pytest.approx((np.mean(expected), np.var(expected) / np.mean(expected) ** 2))


def test_without_the_traces_own_requests_rows_are_drawn_equally_often(tokens: Path):
    drawn = draw(TraceDemand(file=tokens, per={"prompt": 1}), 30_000)
    counts = [np.sum(drawn == value) for value in (10, 20, 30)]
    assert sum(counts) == 30_000
    assert stats.chisquare(counts).pvalue > LEVEL


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_drawn_rows_do_not_depend_on_the_size_of_the_chunks(tokens: Path, size: int):
    service = TraceDemand(file=tokens, per={"prompt": 1})
    source = service.start(np.random.default_rng(5))
    pieces = [source(min(size, 2500 - done), None) for done in range(0, 2500, size)]
    np.testing.assert_array_equal(np.concatenate(pieces), draw(service, 2500, seed=5))


@pytest.mark.parametrize(
    ("per", "problem"),
    [({"price": 1}, "no column 'price'"), ({"answer": 0}, "every request's demand is 0")],
)
def test_a_trace_without_demand_is_an_error_that_names_the_file(
    tokens: Path, per: dict[str, float], problem: str
):
    with pytest.raises(TraceError, match=problem) as error:
        TraceDemand(file=tokens, per=per).demands()
    assert str(tokens) in str(error.value)
