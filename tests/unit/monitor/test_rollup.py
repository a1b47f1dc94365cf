"""Coarser steps: nothing that was counted is lost, and nothing is brought together across a gap."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from workbench.monitor.rollup import Coarser, in_order, roll_up
from workbench.store.validation import validated

SECOND = 1_000_000
COUNTS = ("arrivals", "completions", "refused")


def seconds(samples, count: int = 6, server: int = 0, **columns) -> pa.Table:
    rows = [
        {
            "server_id": server,
            "ts_us": second * SECOND,
            **{name: each[second] for name, each in columns.items()},
        }
        for second in range(count)
    ]
    return samples(rows)


def test_counts_add_up_means_are_weighted_and_the_largest_stays(samples):
    table = samples(
        [
            {"ts_us": 0, "arrivals": 4, "queue_depth": 1.0, "queue_max": 3, "oldest_us": 9},
            {"ts_us": SECOND, "interval_us": 3 * SECOND, "arrivals": 8, "queue_depth": 5.0, "queue_max": 2},
        ]
    )
    (row,) = roll_up(table, step_us=4 * SECOND).to_pylist()
    assert (row["ts_us"], row["interval_us"]) == (0, 4 * SECOND)
    assert (row["arrivals"], row["queue_depth"], row["queue_max"], row["oldest_us"]) == (12, 4.0, 3, 9)


def test_intervals_begin_at_multiples_of_the_step(samples):
    table = seconds(samples, 7, arrivals=range(7))
    rolled = roll_up(table, step_us=3 * SECOND).to_pylist()
    assert [(row["ts_us"] // SECOND, row["arrivals"]) for row in rolled] == [(0, 3), (3, 12), (6, 6)]


def test_what_lies_on_either_side_of_a_gap_stays_apart(samples):
    table = seconds(samples, 6, arrivals=[1] * 6)
    gap = table.filter(pa.array([True, True, False, True, True, True]))
    rolled = roll_up(gap, step_us=6 * SECOND).to_pylist()
    assert [(row["ts_us"] // SECOND, row["interval_us"] // SECOND) for row in rolled] == [(0, 2), (3, 3)]


def test_servers_stay_apart(samples):
    table = pa.concat_tables([seconds(samples, arrivals=[1] * 6, server=number) for number in (0, 1)])
    rolled = roll_up(table, step_us=60 * SECOND).to_pylist()
    assert [(row["server_id"], row["arrivals"]) for row in rolled] == [(0, 6), (1, 6)]


def test_what_is_young_keeps_its_step(samples):
    table = seconds(samples, 6, arrivals=[1] * 6)
    rolled = roll_up(table, step_us=2 * SECOND, before_us=5 * SECOND).to_pylist()
    # Up to 4 s only: the step from 4 to 6 s is not old as a whole.
    assert [row["interval_us"] // SECOND for row in rolled] == [2, 2, 1, 1]


def test_unknown_stays_unknown_and_is_no_zero(samples):
    table = samples(
        [
            {"ts_us": 0, "arrivals": None, "queue_depth": None, "queue_max": None, "utilisation": None},
            {"ts_us": SECOND, "arrivals": None, "queue_depth": 4.0, "queue_max": 4, "utilisation": None},
        ]
    )
    (row,) = roll_up(table, step_us=2 * SECOND).to_pylist()
    assert (row["arrivals"], row["queue_depth"], row["queue_max"], row["utilisation"]) == (None, 4.0, 4, None)


@pytest.mark.parametrize("seed", range(5))
def test_of_random_samples_every_sum_and_integral_is_kept_however_often(samples, seed: int):
    rng = np.random.default_rng(seed)
    rows, at = [], 0
    for server in range(3):
        at = 0
        for _ in range(200):
            at += int(rng.integers(0, 2)) * int(rng.integers(0, 3)) * SECOND
            length = int(rng.integers(1, 2_000_000))
            counts = {name: int(rng.integers(0, 50)) for name in COUNTS}
            rows.append({"server_id": server, "ts_us": at, "interval_us": length, **counts})
            rows[-1]["queue_depth"] = float(rng.random() * 10)
            at += length
    table = samples(rows)
    once = roll_up(table, step_us=7 * SECOND)
    twice = roll_up(roll_up(once, step_us=7 * SECOND), step_us=49 * SECOND)
    validated({"samples": twice}, 1)
    assert twice.num_rows < once.num_rows < table.num_rows
    assert roll_up(once, step_us=7 * SECOND).equals(once)
    for rolled in (once, twice):
        for name in (*COUNTS, "interval_us"):
            assert np.sum(rolled[name].to_numpy()) == np.sum(table[name].to_numpy()), name
        area = [
            float(one["queue_depth"].to_numpy() @ one["interval_us"].to_numpy()) for one in (rolled, table)
        ]
        assert area[0] == pytest.approx(area[1], rel=1e-6)


@pytest.mark.parametrize(
    ("rules", "fits"),
    [([], True), ([(1, 2), (10, 3)], True), ([(10, 3), (1, 2)], True), ([(1, 3), (10, 2)], False)],
)
def test_greater_ages_have_longer_steps(rules: list[tuple[float, float]], fits: bool):
    assert in_order([Coarser(after=age, step=step) for age, step in rules]) == fits
