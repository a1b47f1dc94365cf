"""From looks to samples: counts, resets, gaps and what servers come and go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workbench.monitor.collectors import Look, Reading
from workbench.monitor.tracking import Tracker
from workbench.monitor.watching import watched_points
from workbench.store.validation import validated
from workbench.tables import EventKind

SECOND = 1_000_000


def reading(server: str = "a", *, arrivals: float | None = None, **keys: Any) -> Reading:
    counters = {} if arrivals is None else {"arrivals": arrivals}
    return Reading(server=server, pool="p", **{"counters": counters, **keys})


def watch(*looks: Look | str | None, step: float = 1.0) -> Tracker:
    """Take a look a second; a text is why there is none, None that nobody looked."""
    tracker = Tracker(["t"], step=step)
    for second, look in enumerate(looks):
        if isinstance(look, Look):
            tracker.take("t", second * SECOND, look)
        elif look is not None:
            tracker.miss("t", look)
    return tracker


def rows(tracker: Tracker) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Give samples and events, once the store has found them sound."""
    tables = validated(tracker.drain(1), 1)
    return tuple(tables[name].to_pylist() if name in tables else [] for name in ("samples", "events"))


def one(*readings: Reading, process: str = "1") -> Look:
    return Look(readings, process)


def points(tracker: Tracker, at: int) -> dict[tuple[str, ...], float]:
    return {(one.series, *one.labels.values()): one.value for one in watched_points(tracker, now=at)}


def test_counts_are_what_came_between_two_looks_and_levels_the_mean_of_both():
    samples, _ = rows(
        watch(
            one(reading(arrivals=100, waiting=2, in_service=1, slots=4, oldest_s=0.5)),
            one(reading(arrivals=107, waiting=5, in_service=4, slots=4, oldest_s=1.5)),
        )
    )
    assert samples == [
        {
            "run_id": 1,
            "server_id": 0,
            "ts_us": 0,
            "interval_us": SECOND,
            "queue_depth": 3.5,
            "queue_max": 5,
            "in_service": 2.5,
            "utilisation": 0.625,
            "arrivals": 7,
            "completions": None,
            "refused": None,
            "oldest_us": 1_500_000,
        }
    ]


def test_a_look_does_not_count_itself():
    samples, _ = rows(watch(*(one(reading(arrivals=count, own=1)) for count in (10, 11, 15))))
    assert [row["arrivals"] for row in samples] == [0, 3]


@pytest.mark.parametrize("process", ["1", "2"], ids=["told by the counters", "told by the process"])
def test_after_a_restart_counters_count_from_0_and_it_is_told(process: str):
    tracker = watch(
        one(reading(arrivals=100)),
        one(reading(arrivals=110)),
        one(reading(arrivals=4), process=process),
        one(reading(arrivals=9), process=process),
    )
    assert points(tracker, 3 * SECOND)["workbench_arrivals_total", "t/a"] == 19
    assert points(tracker, 3 * SECOND)["workbench_target_resets_total", "t"] == 1
    samples, events = rows(tracker)
    assert [row["arrivals"] for row in samples] == [10, 4, 5]
    assert [row["ts_us"] for row in events if row["kind"] == EventKind.RESET] == [2 * SECOND]


def test_a_restart_that_the_counters_hide_is_noticed_by_the_process():
    """It was at 100, started anew, and has counted to 150 by now."""
    samples, _ = rows(watch(one(reading(arrivals=100)), one(reading(arrivals=150), process="2")))
    assert [row["arrivals"] for row in samples] == [150]


def test_a_gap_has_no_samples_and_what_was_counted_in_it_is_told_at_its_end():
    tracker = watch(
        one(reading(arrivals=0)), one(reading(arrivals=5)), "refused", "refused", one(reading(arrivals=25))
    )
    tracker.take("t", 5 * SECOND, one(reading(arrivals=26)))
    samples, events = rows(tracker)
    assert [(row["ts_us"] // SECOND, row["arrivals"]) for row in samples] == [(0, 5), (4, 1)]
    begin, end = (row for row in events if row["kind"] in (EventKind.GAP_BEGINS, EventKind.GAP_ENDS))
    assert (begin["ts_us"], end["ts_us"]) == (SECOND, 4 * SECOND)
    assert json.loads(begin["detail"]) == {"target": "t", "reason": "refused"}
    assert json.loads(end["detail"]) == {"target": "t", "lasted_s": 3.0, "counted": {"arrivals": 20.0}}


def test_during_a_gap_only_sums_and_the_gap_itself_are_exposed():
    tracker = watch(
        one(reading(arrivals=0, waiting=1, up=True)), one(reading(arrivals=5, waiting=1, up=True))
    )
    before = points(tracker, SECOND)
    tracker.miss("t", "refused")
    during = points(tracker, 3 * SECOND)
    assert before["workbench_queue_depth", "t/a"] == before["workbench_target_up", "t"] == 1
    assert during == {
        ("workbench_arrivals_total", "t/a"): 5,
        ("workbench_health_transitions_total", "t/a"): 0,
        ("workbench_target_up", "t"): 0,
        ("workbench_target_gap_seconds_total", "t"): 2,
        ("workbench_target_resets_total", "t"): 0,
    }


def test_a_target_that_never_answered_has_a_gap_from_the_beginning():
    tracker = watch("refused", "refused", one(reading(arrivals=7)))
    assert points(tracker, 2 * SECOND)["workbench_target_gap_seconds_total", "t"] == 2
    samples, events = rows(tracker)
    assert samples == []
    assert [EventKind(row["kind"]) for row in events] == [
        EventKind.GAP_BEGINS,
        EventKind.FOUND,
        EventKind.GAP_ENDS,
    ]


def test_where_nobody_looked_for_long_there_is_a_gap():
    late = watch(one(reading(arrivals=0)), None, None, one(reading(arrivals=3)))
    assert [row["interval_us"] for row in rows(late)[0]] == [3 * SECOND]
    asleep = watch(one(reading(arrivals=0)), *[None] * 9, one(reading(arrivals=3)))
    samples, events = rows(asleep)
    assert samples == []
    assert "nobody looked" in events[1]["detail"]


def test_a_server_that_is_told_of_no_more_has_a_gap_and_keeps_its_number():
    tracker = watch(
        one(reading("a", arrivals=1), reading("b", arrivals=1)),
        one(reading("a", arrivals=2)),
        one(reading("a", arrivals=3), reading("c", arrivals=0), reading("b", arrivals=4)),
        one(reading("a", arrivals=4), reading("c", arrivals=2), reading("b", arrivals=9)),
    )
    assert [member.watched.name for member in tracker.members] == ["t/a", "t/b", "t/c"]
    samples, events = rows(tracker)
    counted = {(row["server_id"], row["ts_us"] // SECOND): row["arrivals"] for row in samples}
    assert counted == {(0, 0): 1, (0, 1): 1, (0, 2): 1, (1, 2): 5, (2, 2): 2}
    of_b = [(row["ts_us"], EventKind(row["kind"])) for row in events if row["server_id"] == 1]
    assert of_b == [(0, EventKind.FOUND), (SECOND, EventKind.GAP_BEGINS), (2 * SECOND, EventKind.GAP_ENDS)]


def test_a_server_that_goes_down_and_up_and_a_new_weight_are_events():
    tracker = watch(
        one(reading(up=True, state="UP", weight=1.0)),
        one(reading(up=False, state="DOWN", weight=1.0)),
        one(reading(up=True, state="UP", weight=5.0)),
    )
    assert points(tracker, 2 * SECOND)["workbench_health_transitions_total", "t/a"] == 2
    _, events = rows(tracker)
    assert [(EventKind(row["kind"]), row["detail"]) for row in events[1:]] == [
        (EventKind.DOWN, "DOWN"),
        (EventKind.UP, "UP"),
        (EventKind.WEIGHT, "5"),
    ]


def test_a_count_that_is_worked_out_and_dips_is_no_restart_and_counts_once():
    """Completions are arrivals less what is being served, which two counters tell a moment apart."""
    looks = [
        one(reading(counters={"arrivals": a, "completions": c}))
        for a, c in ((10, 10), (12, 9), (14, 12), (14, 14))
    ]
    tracker = watch(*looks)
    samples, events = rows(tracker)
    assert sum(row["completions"] for row in samples) == 4
    assert [row for row in events if row["kind"] == EventKind.RESET] == []


def test_goodput_is_answers_less_errors():
    counted = ({"answers": 10, "errors": 1}, {"answers": 30, "errors": 6})
    tracker = watch(*(one(reading(counters=one_)) for one_ in counted))
    assert points(tracker, SECOND)["workbench_goodput_per_second", "t/a"] == 15


def test_two_targets_have_pools_of_their_own_and_are_told_apart():
    tracker = Tracker(["x", "y"], step=1)
    for at, counts in ((0, (0, 0)), (SECOND, (3, 1))):
        for target, count in zip("xy", counts, strict=True):
            tracker.take(target, at, one(reading(arrivals=count)))
    found = points(tracker, SECOND)
    assert found["workbench_share_ratio", "x/a"] == found["workbench_share_ratio", "y/a"] == 1
    assert found["workbench_imbalance_ratio", "x/p"] == 1
