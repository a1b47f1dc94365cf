"""Which points a sweep has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.documents import check
from workbench.errors import InputError
from workbench.experiments.sweeps import Sweep, cells, points, resolve


def sweep_of(document: dict[str, Any], **more: Any) -> Sweep:
    return check(document | more, Sweep, name="sweep", folder=Path.cwd())


def test_a_grid_has_every_combination_circumstance_by_circumstance(document: dict[str, Any]):
    found = points(sweep_of(document))
    assert [(point.place, point.decision) for point in found] == [
        ("50%", "random"),
        ("50%", "join_shortest_queue"),
        ("80%", "random"),
        ("80%", "join_shortest_queue"),
    ]


def test_each_point_is_the_scenario_with_its_settings(document: dict[str, Any]):
    sweep = sweep_of(document)
    scenarios = [resolve(sweep, point) for point in points(sweep)]
    assert [one.balancers.strategy.kind for one in scenarios] == ["random", "join_shortest_queue"] * 2
    loads = [(one.offered_load() or 0) / one.capacity() for one in scenarios]
    assert loads == pytest.approx([0.5, 0.5, 0.8, 0.8])


def test_a_parameter_of_one_strategy_multiplies_only_that_one(document: dict[str, Any]):
    document["parameters"] = {
        "balancers.strategy": ["random", "power_of_two"],
        "choices": {
            "path": "balancers.strategy.choices",
            "values": [2, 3, 4],
            "when": {"balancers.strategy": "power_of_two"},
        },
    }
    sweep = sweep_of(document)
    labels = [resolve(sweep, point).balancers.strategy.label for point in points(sweep)]
    assert labels == ["random", "power_of_two", "power_of_two(choices=3)", "power_of_two(choices=4)"]


def test_what_hangs_on_a_parameter_that_is_left_out_is_left_out_too(document: dict[str, Any]):
    document["parameters"] = {
        "balancers.strategy": ["random", "power_of_two"],
        "balancers.strategy.choices": {"values": [2, 3], "when": {"balancers.strategy": "power_of_two"}},
        "load": {"values": [0.5, 0.6], "when": {"balancers.strategy.choices": 3}},
    }
    assert {(point.decision, point.place) for point in points(sweep_of(document))} == {
        ("random", ""),
        ("power_of_two, choices 2", ""),
        ("power_of_two, choices 3", "0.5"),
        ("power_of_two, choices 3", "0.6"),
    }


def test_named_options_set_several_things_together(document: dict[str, Any], scenario: dict[str, Any]):
    scenario["pool"] = [{"name": "a", "count": 2, "speed": 2}, {"name": "b", "count": 2}]
    document["scenario"] = scenario
    document["parameters"] = {
        "weights": {
            "options": {
                "even": {"pool.0.weight": 1, "pool.1.weight": 1},
                "by speed": {"pool.0.weight": 2, "pool.1.weight": 1},
            }
        }
    }
    sweep = sweep_of(document)
    weights = {point.decision: resolve(sweep, point).servers().weight for point in points(sweep)}
    assert weights == {"even": [1, 1, 1, 1], "by speed": [2, 2, 1, 1]}


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_a_sampled_design_draws_circumstances_and_tries_every_decision_there(
    document: dict[str, Any], kind: str
):
    document["parameters"]["load"] = {"from": "50%", "to": "90%"}
    found = points(sweep_of(document, design={"kind": kind, "points": 8}))
    by_place: dict[str, list[str]] = {}
    for point in found:
        by_place.setdefault(point.place, []).append(point.decision)
    assert len(by_place) == 8
    assert set(map(tuple, by_place.values())) == {("random", "join_shortest_queue")}
    loads = [dict(point.options)["load"].number or 0 for point in found]
    assert 0.5 <= min(loads) < max(loads) < 0.9


def test_more_random_points_begin_with_the_same_ones(document: dict[str, Any]):
    document["parameters"]["load"] = {"from": "50%", "to": "90%"}
    few, many = (points(sweep_of(document, design={"kind": "random", "points": n})) for n in (5, 9))
    assert many[: len(few)] == few


def test_sobol_points_fill_every_eighth_of_a_range_equally(document: dict[str, Any]):
    document["parameters"]["load"] = {"from": 0.1, "to": 0.9}
    found = points(sweep_of(document, design={"kind": "sobol", "points": 30}))
    loads = {dict(point.options)["load"].number or 0 for point in found}
    assert len(loads) == 32
    counts = [sum(0.1 + k * 0.1 <= load < 0.2 + k * 0.1 for load in loads) for k in range(8)]
    assert counts == [4] * 8


def test_a_logarithmic_range_has_even_ratios(document: dict[str, Any]):
    document["parameters"] = {
        "staleness": {"from": "1ms", "to": "1s", "points": 4, "scale": "log"},
    }
    found = points(sweep_of(document, decide=["staleness"]))
    assert [point.decision for point in found] == ["1 ms", "10 ms", "100 ms", "1 s"]


def test_whole_ranges_stay_whole(document: dict[str, Any]):
    document["parameters"] = {"pool.count": {"from": 2, "to": 9, "step": 3}}
    sweep = sweep_of(document)
    assert [resolve(sweep, point).servers().count for point in points(sweep)] == [2, 5, 8]


def test_a_cells_key_is_that_of_its_scenario_and_replication(document: dict[str, Any]):
    sweep = sweep_of(document)
    first = points(sweep)[0]
    scenario = resolve(sweep, first)
    found = cells(0, first.settings, scenario, 3)
    assert [cell.key for cell in found] == [
        scenario.key(replication=number, engine="reference") for number in range(3)
    ]
    assert len({cell.key for cell in found}) == 3


def test_settings_that_do_not_go_together_are_named(document: dict[str, Any]):
    document["parameters"] = {
        "balancers.count": [1, 2],
        "faults": [[], [{"kind": "crash", "servers": "server-3", "at": "1s"}]],
        "pool.count": [4, 2],
    }
    sweep = sweep_of(document)
    with pytest.raises(InputError, match=r"small sweep at .*pool\.count 2"):
        [resolve(sweep, point) for point in points(sweep)]
