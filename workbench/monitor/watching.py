"""Metrics of systems that are watched right now."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.monitor.points import Point
from workbench.monitor.samples import sample_points
from workbench.monitor.tracking import Member, Tracker


def watched_points(tracker: Tracker, *, now: int) -> list[Point]:
    """Give the metrics of all targets; of one that does not answer only that it does not.

    Args:
        tracker: what is known.
        now: microseconds since the collection began.
    """
    servers = [member.watched for member in tracker.members]
    found = [
        # Sums over the last samples only; the whole sums follow.
        point
        for point in sample_points(tracker.recent(), servers=servers)
        if not point.series.endswith("_total")
    ]
    for member in tracker.members:
        found += _of_member(member, there=member.there and not tracker.targets[member.target].reason)
    for name, target in tracker.targets.items():
        labels = {"target": name}
        gaps = target.gaps + (now - target.at if target.reason else 0)
        found.append(Point("workbench_target_up", labels, float(target.answered and not target.reason)))
        found.append(Point("workbench_target_gap_seconds_total", labels, gaps / 1e6))
        found.append(Point("workbench_target_resets_total", labels, float(target.resets)))
    return found


def _of_member(member: Member, *, there: bool) -> Iterator[Point]:
    reading, labels = member.reading, {"server": member.watched.name}
    for name, count in member.counted.items():
        yield Point(f"workbench_{name}_total", labels, count)
    if reading.up is not None:
        yield Point("workbench_health_transitions_total", labels, float(member.transitions))
    if not there:
        return
    if reading.up is not None:
        yield Point("workbench_server_up", labels, float(reading.up))
    for timing, seconds in reading.means_s.items():
        yield Point("workbench_latency_mean_seconds", labels | {"timing": timing}, seconds)
    if {"answers", "errors"} <= member.rates.keys():
        good = max(0.0, member.rates["answers"] - member.rates["errors"])
        yield Point("workbench_goodput_per_second", labels, good)
