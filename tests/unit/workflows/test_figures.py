"""Figures of stored results."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from workbench.errors import InputError, NotFoundError
from workbench.settings import Settings


@pytest.mark.parametrize(
    "name", ["latency", "distribution", "tail", "queue", "queue_most", "utilisation", "servers"]
)
def test_a_run_has_figures_with_its_data(scenario: dict[str, Any], settings: Settings, name: str):
    run = wb.run(scenario, settings=settings)
    drawn = wb.figure(run, name, settings=settings)
    assert any(len(trace.x) > 0 for trace in drawn.data)
    assert wb.figure(run.run_id, name, settings=settings) == drawn


def test_the_figure_of_the_shares_says_what_the_run_says(scenario: dict[str, Any], settings: Settings):
    run = wb.run(scenario, settings=settings)
    drawn = wb.figure(run, "servers", settings=settings)
    heights = [float(value) for trace in drawn.data for value in trace.y]
    for server in run.servers:
        assert any(value == pytest.approx(100 * server.share) for value in heights)


@pytest.mark.parametrize("name", ["differences", "values", "quantiles", "replications"])
def test_a_comparison_has_figures_that_name_its_strategies(
    scenario: dict[str, Any], settings: Settings, name: str
):
    names = ["round_robin", "random"]
    view = wb.compare(scenario, strategies=names, replications=3, settings=settings)
    assert "random" in wb.figure(view, name, settings=settings).to_json()


def test_an_unknown_figure_is_refused_with_those_there_are(scenario: dict[str, Any], settings: Settings):
    run = wb.run(scenario, settings=settings)
    with pytest.raises(InputError, match=r"given 'pie'; allowed: latency, distribution"):
        wb.figure(run, "pie", settings=settings)
    with pytest.raises(NotFoundError):
        wb.figure(4711, settings=settings)
