"""A comparison as it is stored: four strategies, one of them a bound, three replications."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.charts import Standings, read_standings
from workbench.workflows.results import ComparisonView, StandingView


def standing(strategy: str, verdict: str, values: list[float | None], **given: Any) -> StandingView:
    """A strategy at the mean of its values, 0.1 s around it, as far from the best at 1 s as that says."""
    known = [value for value in values if value is not None]
    value = sum(known) / len(known) if len(known) == len(values) else None
    around = {} if value is None else {"low": value - 0.1, "high": value + 0.1}
    apart = {} if value is None else {"difference": value - 1.0}
    apart |= {} if value is None else {"difference_low": value - 1.2, "difference_high": value - 0.8}
    nothing = dict.fromkeys(("low", "high", "difference", "difference_low", "difference_high", "relative"))
    quantiles = {"p50": value, "p99": None if value is None else 4 * value, "p99_9": None}
    return StandingView(
        strategy=strategy,
        verdict=verdict,
        value=value,
        values=values,
        run_ids=[10 * len(strategy) + number for number in range(len(values))],
        **{**nothing, **around, **apart, "quantiles": quantiles, **given},
    )


@pytest.fixture
def document() -> dict[str, Any]:
    """What the catalogue keeps of it."""
    return ComparisonView(
        comparison_id=1,
        scenario="pool of four",
        lake="data/lake",
        measure="response_mean",
        measure_label="response time, mean",
        replications=3,
        level=0.95,
        method="bootstrap",
        method_text="less is better",
        standings=[
            standing("least_work_left", "bound", [0.8, 0.9, 1.0]),
            standing("join_shortest_queue", "best", [0.9, 1.0, 1.1]),
            standing("power_of_two", "not told apart", [1.0, 1.1, 1.2]),
            standing("random", "worse", [5.0, 6.0, 7.0]),
            standing("broken", "no answer", [1.0, None, 1.0]),
        ],
        reused=0,
        simulated=15,
        notes=[],
    ).model_dump(mode="json")


@pytest.fixture
def standings(document: dict[str, Any]) -> Standings:
    return read_standings(document)
