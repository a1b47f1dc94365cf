"""What would flip the answer, against a flip that can be reckoned by hand."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.charts import best_map_chart, best_map_data, read_sweep
from workbench.errors import InputError
from workbench.settings import Settings
from workbench.workflows import robustness

# One server of speed 10 and four of speed 1. haproxy.first sends all to the fast one: M/M/1 with a load of
# 1.4 rho, mean 0.1 / (1 - 1.4 rho) of a slow server's service time. A draw by weights gives all the load
# rho: mean (10/14 * 0.1 + 4/14) / (1 - rho). They are equal at rho = (0.357 - 0.1) / (0.5 - 0.1) = 0.643.
FLIP = 0.643
RANDOM = {"kind": "haproxy.random", "draws": 1}


@pytest.fixture
def scenario() -> dict[str, Any]:
    return {
        "name": "one fast",
        "arrivals": {"kind": "poisson", "rate": "56/s"},
        "service": {"kind": "exponential", "mean": "100ms"},
        "pool": [
            {"name": "fast", "speed": 10, "weight": 10},
            {"name": "slow", "count": 4, "speed": 1, "weight": 1},
        ],
        "balancers": {"strategy": "random"},
        "horizon": "10k requests",
        "comparison": {"strategies": ["haproxy.first", RANDOM]},
    }


@pytest.mark.slow
def test_the_load_at_which_the_answer_flips_is_found(scenario: dict[str, Any], settings: Settings):
    view = robustness(
        scenario,
        measure="response_mean",
        replications=4,
        dials=["load"],
        on="serial",
        settings=settings,
    )
    assert view.best == "haproxy.first"
    load = next(dial for dial in view.dials if dial.dial == "load")
    assert load.base == pytest.approx(0.4)
    assert load.below is None
    assert load.above is not None
    # Where it flips surely lies somewhat above, by what four replications can tell apart.
    assert load.above.held < load.above.value
    assert FLIP < load.above.value < FLIP + 0.06
    assert load.above.held > FLIP - 0.03
    assert load.above.best == "haproxy.random(draws=1)"
    assert "load rises from 40 %" in view.answer
    assert view.map is None


def test_a_map_shows_where_which_is_best(scenario: dict[str, Any], settings: Settings):
    scenario["horizon"] = "1000 requests"
    view = robustness(
        scenario, replications=2, rounds=0, dials=["load"], over=["load", "variability"], settings=settings
    )
    assert view.map is not None
    assert len(view.map.places) == 36
    x, y = view.map_here
    results = read_sweep(view.map.model_dump(mode="json", by_alias=True))
    data = best_map_data(results, x="load", y="variability", here=(x, y))
    assert x in data.x[1]
    assert y in data.y[1]
    assert len(data.fields) == 36
    chart = best_map_chart(data)
    assert sum(len(trace.x) for trace in chart.data) == 36 + 1


def test_one_strategy_has_nothing_to_be_compared_with(scenario: dict[str, Any], settings: Settings):
    with pytest.raises(InputError, match="two or more"):
        robustness(scenario, strategies=["random"], settings=settings)


def test_a_map_needs_two_dials(scenario: dict[str, Any], settings: Settings):
    with pytest.raises(InputError, match="map: given load, laod; allowed: two of load, variability"):
        robustness(scenario, over=["load", "laod"], settings=settings)
