"""The figures that reconciliation promises, on the ledgers that come with the project.

A fifth of each side is dropped at random, so that some records have no partner; no transaction is in
both the part that trains and the part that is tested.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.open_world import open_world
from benchmarks.reconciliation import FEW, known_labels, ours, ours_at_once

pytestmark = pytest.mark.slow

SEEDS = (0, 1, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_model_of_all_labels_keeps_its_promises(tmp_path: Path, seed: int):
    training, testing = open_world(seed, tmp_path)
    found = ours(training, testing, labels=known_labels(training), complete=True)
    assert found["blocking_recall"] >= 0.999
    assert found["pairs_per_record"] <= 5
    assert found["f1"] >= 0.996
    assert found["ece"] <= 0.003
    assert found["brier"] <= 0.004
    assert found["log_loss"] <= 0.015
    assert found["share_0.99"] >= 0.97
    assert found["precision_0.99"] >= 0.99


@pytest.mark.parametrize("seed", SEEDS)
def test_among_all_rivals_it_is_as_well_calibrated(tmp_path: Path, seed: int):
    found = ours_at_once(tmp_path, seed)
    assert found["f1"] >= 0.996
    assert found["ece"] <= 0.003


@pytest.mark.parametrize("seed", SEEDS)
def test_three_hundred_labels_are_enough(tmp_path: Path, seed: int):
    training, testing = open_world(seed, tmp_path)
    found = ours(training, testing, labels=known_labels(training, FEW), complete=False)
    assert found["f1"] >= 0.99
    assert found["ece"] <= 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_no_labels_are_enough_to_rank(tmp_path: Path, seed: int):
    training, testing = open_world(seed, tmp_path)
    assert ours(training, testing, labels=None, complete=False)["f1"] >= 0.99
