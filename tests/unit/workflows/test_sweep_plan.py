"""How the cells of a sweep are cut into chunks, and how long they are said to take."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.experiments.sweeps import RESULTS
from workbench.workflows import load_sweep
from workbench.workflows.sweep_plan import Chunker, Plan, lay_out, plan


@pytest.fixture
def document(scenario: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "many",
        "scenario": scenario | {"engine": "reference"},
        "parameters": {"load": {"from": 0.1, "to": 0.9, "points": 100}},
        "replications": 10,
    }


def planned(document: dict[str, Any], *, workers: int = 1) -> Plan:
    sweep = load_sweep(document)
    return plan(sweep, RESULTS.empty_table(), lay_out(sweep), workers=workers)


def seconds(whole: Plan, chunk: tuple[Any, ...]) -> float:
    return sum(whole.seconds[cell.point] for cell in chunk)


def test_every_cell_is_in_one_chunk(document: dict[str, Any]):
    whole = planned(document)
    chunks = list(Chunker(whole, 2))
    assert [cell for chunk in chunks for cell in chunk] == list(whole.missing)
    assert len(whole.missing) == 1000


def test_chunks_take_half_a_second_or_more_and_get_shorter_near_the_end(document: dict[str, Any]):
    whole = planned(document)
    taken = [seconds(whole, chunk) for chunk in Chunker(whole, 4)]
    cell = max(whole.seconds)
    assert all(0.5 <= one <= 1.0 + cell for one in taken[:-1])
    assert taken[0] == pytest.approx(1.0, abs=cell)
    assert taken[-2] == pytest.approx(0.5, abs=cell)


def test_chunks_grow_with_the_workers_so_that_one_driver_keeps_up(document: dict[str, Any]):
    document["scenario"]["horizon"] = "1M requests"
    whole = planned(document | {"replications": 50}, workers=1000)
    assert min(whole.seconds) == pytest.approx(5, rel=0.01)  # so 25,000 s in all
    assert seconds(whole, next(iter(Chunker(whole, 1000)))) == pytest.approx(10, rel=0.01)


def test_what_took_longer_than_thought_makes_smaller_chunks(document: dict[str, Any]):
    whole = planned(document)
    chunker = Chunker(whole, 1)
    chunks = iter(chunker)
    first = next(chunks)
    chunker.told(first, 10 * seconds(whole, first))
    assert len(next(chunks)) == pytest.approx(len(first) / 10, abs=1)


def test_the_time_that_is_left_is_shared_by_the_workers(document: dict[str, Any]):
    whole = planned(document)
    assert whole.remaining(workers=2) == pytest.approx(whole.remaining(workers=1) / 2)
    assert whole.expected_requests() == pytest.approx(1000 * 4000)


def test_points_that_are_the_same_scenario_are_simulated_once(document: dict[str, Any]):
    document["parameters"] = {
        "twice": {"options": {"a": {"load": 0.5}, "b": {"load": 0.5}}},
    }
    whole = planned(document)
    assert (len(whole.cells), len(whole.missing)) == (20, 10)


def test_the_compiled_engine_is_taken_where_all_cells_together_are_worth_it(document: dict[str, Any]):
    document["scenario"]["engine"] = "auto"
    assert len(planned(document).compiled) == 100
    assert not planned(document, workers=50).compiled
    document["scenario"]["faults"] = [{"kind": "crash", "servers": "server-0", "at": "1s"}]
    assert len(planned(document).compiled) == 100
