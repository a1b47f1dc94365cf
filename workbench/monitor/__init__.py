"""Watching queues: one definition of every metric, samples of real systems, and text for Prometheus."""

from workbench.monitor.metrics import BUCKETS, METRICS, MetricKind, QueueMetric
from workbench.monitor.points import Point
from workbench.monitor.samples import Watched, sample_points

__all__ = [
    "BUCKETS",
    "METRICS",
    "MetricKind",
    "Point",
    "QueueMetric",
    "Watched",
    "sample_points",
]
