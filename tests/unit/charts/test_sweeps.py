"""Charts of sweeps."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.charts import (
    pareto_chart,
    pareto_data,
    read_sweep,
    sweep_lines_chart,
    sweep_lines_data,
    sweep_map_chart,
    sweep_map_data,
)


def decision(name: str, value: float | None, verdict: str, **numbers: float) -> dict[str, Any]:
    return {
        "decision": name,
        "verdict": verdict,
        "holds": None,
        "value": value,
        "low": None if value is None else 0.9 * value,
        "high": None if value is None else 1.1 * value,
        "numbers": numbers,
        "figures": {"response_p99": value, "failed": numbers.get("failed", 0.0)},
    }


def place(label: str, *decisions: dict[str, Any]) -> dict[str, Any]:
    number = float(label.removesuffix("%")) / 100
    return {
        "place": label,
        "options": {"load": label},
        "numbers": {"load": number},
        "decisions": list(decisions),
    }


@pytest.fixture
def document() -> dict[str, Any]:
    return {
        "measure": "response_p99",
        "measures": {
            "response_p99": {"label": "response time, p99", "unit": "duration"},
            "failed": {"label": "requests that failed", "unit": "share"},
        },
        "target": 0.3,
        "level": 0.95,
        "parameters": {"load": ["50%", "80%"], "balancers.strategy": ["a", "b"]},
        "decide": ["balancers.strategy"],
        "places": [
            place("50%", decision("b", 0.1, "best"), decision("a", 0.2, "worse")),
            place("80%", decision("b", 0.5, "best"), decision("a", None, "no answer")),
        ],
    }


def test_a_map_shows_each_decision_by_the_best_of_its_circumstance(document: dict[str, Any]):
    data = sweep_map_data(read_sweep(document))
    assert (data.places, data.decisions) == (("50%", "80%"), ("b", "a"))
    assert data.ratios == ((1.0, 1.0), (2.0, None))
    assert data.texts == (("100 ms ◆", "500 ms ◆"), ("200 ms", "– –"))
    (heat,) = sweep_map_chart(data).data
    assert heat.z[0][0] == 0.0
    assert heat.z[1][1] is None


def test_lines_go_over_the_parameter_that_is_a_number(document: dict[str, Any]):
    data = sweep_lines_data(read_sweep(document))
    assert data is not None
    assert data.parameter == "load"
    assert {line.name: (line.at, line.values) for line in data.lines} == {
        "b": ((0.5, 0.8), (0.1, 0.5)),
        "a": ((0.5,), (0.2,)),
    }
    figure = sweep_lines_chart(data)
    assert [trace.name for trace in figure.data] == ["b", "a"]
    assert figure.data[0].error_y.array == pytest.approx((0.01, 0.05))


def test_a_wide_range_is_logarithmic_and_one_with_a_nought_in_it_goes_step_by_step(document: dict[str, Any]):
    document["places"] = [place(f"{percent}%", decision("b", 0.1, "best")) for percent in (0, 1, 100)]
    steps = sweep_lines_chart(sweep_lines_data(read_sweep(document)))
    assert list(steps.data[0].x) == [0, 1, 2]
    assert steps.layout.xaxis.ticktext == ("0%", "1%", "100%")
    document["places"] = document["places"][1:]
    wide = sweep_lines_chart(sweep_lines_data(read_sweep(document)))
    assert wide.layout.xaxis.type == "log"
    assert list(wide.data[0].x) == [0.01, 1.0]


def test_where_no_parameter_is_a_number_there_are_no_lines(document: dict[str, Any]):
    for one in document["places"]:
        one["numbers"] = {}
    assert sweep_lines_data(read_sweep(document)) is None


def test_the_front_holds_what_is_not_beaten_in_both(document: dict[str, Any]):
    document["places"] = [
        place(
            "50%",
            decision("fast", 0.1, "best", failed=0.2),
            decision("safe", 0.3, "worse", failed=0.0),
            decision("neither", 0.4, "worse", failed=0.1),
            decision("twin", 0.1, "same", failed=0.2),
            decision("oracle", 0.01, "bound", failed=0.0),
        )
    ]
    data = pareto_data(read_sweep(document), place=0, x="failed")
    assert {point.decision: point.front for point in data.points} == {
        "fast": True,
        "safe": True,
        "neither": False,
        "twin": True,
    }
    line, front, beaten = pareto_chart(data).data
    assert list(line.x) == [0.0, 0.2, 0.2]
    assert (len(front.x), len(beaten.x)) == (3, 1)


def test_a_decided_number_may_be_an_axis_of_the_front(document: dict[str, Any]):
    document["places"] = [
        place("50%", decision("4", 0.5, "worse", servers=4), decision("6", 0.2, "best", servers=6))
    ]
    data = pareto_data(read_sweep(document), place=0, x="servers")
    assert [(point.x, point.y, point.front) for point in data.points] == [(4, 0.5, True), (6, 0.2, True)]
