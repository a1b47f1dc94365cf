"""What is said of the cells, on figures whose answer is known beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.documents import check
from workbench.experiments.sweeps import RESULTS, Sweep, judge, points


def row(p99: float | None, *, failed: int = 0, utilisation: float = 0.5) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(RESULTS.names)
    return empty | {
        "requests": 1000,
        "ok": 1000 - failed,
        "attempts": 1000,
        "utilisation": utilisation,
        "response_p99_s": p99,
    }


def sweep_of(document: dict[str, Any], **more: Any) -> Sweep:
    return check(document | more, Sweep, name="sweep", folder=Path.cwd())


def rows_of(*values: list[float | None]) -> dict[int, list[dict[str, Any] | None]]:
    return {number: [row(value) for value in row_values] for number, row_values in enumerate(values)}


def test_the_best_at_each_circumstance_is_named(document: dict[str, Any]):
    sweep = sweep_of(document)
    verdicts = judge(
        sweep,
        points(sweep),
        rows_of([1.0, 1.1, 1.2], [0.5, 0.6, 0.7], [2.0, 2.1, 2.2], [3.0, 3.2, 3.1]),
    )
    assert [place.best.standing.strategy for place in verdicts.places if place.best] == [
        "join_shortest_queue",
        "random",
    ]
    assert [place.close for place in verdicts.places] == [[], []]
    assert "at 1 of 2 circumstances" in verdicts.answer


def test_a_difference_whose_interval_holds_nought_is_not_told_apart(document: dict[str, Any]):
    sweep = sweep_of(document)
    near, far = [1.0, 1.5, 1.2], [1.1, 1.3, 1.4]
    verdicts = judge(sweep, points(sweep), rows_of(near, far, near, far))
    assert verdicts.places[0].close == ["join_shortest_queue"]
    assert "at 2 of 2 circumstances" in verdicts.answer


def test_the_first_that_surely_holds_the_target_is_named(document: dict[str, Any]):
    document["parameters"] = {"pool.count": [4, 5, 6, 7]}
    sweep = sweep_of(document, target="300ms")
    verdicts = judge(
        sweep,
        points(sweep),
        # By hand: 4 is above; 5 has a mean of 0.29 and a half-width of 4.303 * 0.01 / sqrt 3 = 0.025.
        rows_of([0.5, 0.51, 0.52], [0.28, 0.29, 0.30], [0.2, 0.21, 0.22], [0.1, 0.11, 0.12]),
    )
    (place,) = verdicts.places
    assert place.least is not None
    assert place.least.standing.strategy == "6"
    assert {one.standing.strategy: one.holds for one in place.judged} == {
        "4": False,
        "5": False,
        "6": True,
        "7": True,
    }
    assert verdicts.answer == "first that surely holds response time, p99 at 300 ms: 6"


def test_what_nobody_holds_is_said(document: dict[str, Any]):
    document["parameters"] = {"pool.count": [4, 5]}
    sweep = sweep_of(document, target="1ms")
    verdicts = judge(sweep, points(sweep), rows_of([0.5, 0.51, 0.52], [0.28, 0.29, 0.30]))
    assert verdicts.answer.endswith("none of those tried")


def test_cells_that_are_missing_are_counted_and_their_decision_is_left_out(document: dict[str, Any]):
    sweep = sweep_of(document)
    rows = rows_of([1.0, 1.1, 1.2], [0.5, 0.6, 0.7], [2.0, 2.1, 2.2], [3.0, 3.2, 3.1])
    rows[1][2] = None
    verdicts = judge(sweep, points(sweep), rows)
    assert verdicts.places[0].missing == 1
    assert [one.standing.strategy for one in verdicts.places[0].judged] == ["random"]
    assert "1 cells are missing" in verdicts.notes[0]


def test_failures_behind_good_times_are_pointed_out(document: dict[str, Any]):
    sweep = sweep_of(document)
    rows = rows_of([1.0, 1.1, 1.2], [0.5, 0.6, 0.7], [2.0, 2.1, 2.2], [3.0, 3.2, 3.1])
    rows[1] = [row(0.5, failed=100) for _ in range(3)]
    (note,) = judge(sweep, points(sweep), rows).notes
    assert "at 1 of 2 circumstances more than 0.1 % of the best's requests fail" in note


def test_a_strategy_that_knows_the_future_is_a_bound_and_does_not_win(document: dict[str, Any]):
    document["parameters"] = {"balancers.strategy": ["random", "least_work_left"]}
    sweep = sweep_of(document)
    verdicts = judge(sweep, points(sweep), rows_of([1.0, 1.1, 1.2], [0.5, 0.6, 0.7]))
    assert verdicts.answer == "random"


def test_every_measure_has_words_and_a_value_where_there_is_one(document: dict[str, Any]):
    sweep = sweep_of(document, measure="failed")
    rows = {number: [row(1.0, failed=10 * number)] * 3 for number in range(4)}
    verdicts = judge(sweep, points(sweep), rows)
    worst = verdicts.places[0].judged[-1]
    assert worst.standing.measure.value == pytest.approx(0.01)
    assert sweep.measure.shown(worst.standing.measure.value) == "1 %"
