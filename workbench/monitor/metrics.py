"""Queue metrics: one definition of each, the same for simulated, live and real systems.

`METRICS` says of each what it means, its unit, its kind, by which labels its series differ, how it
follows from what is stored, and which real systems tell it. The exposition, the collectors, alert rules
and docs/metrics.md all read it. Units are in the names, as Prometheus has them: seconds, ratios from 0 to
1, totals that only grow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """What a metric's values do over time."""

    GAUGE = "gauge"
    """They go up and down."""
    COUNTER = "counter"
    """They only grow, but for restarts."""
    HISTOGRAM = "histogram"
    """Counters `_bucket`, `_count` and `_sum`."""


@dataclass(frozen=True)
class QueueMetric:
    """The definition of a metric.

    Args:
        meaning: what it says.
        follows: how it follows from stored samples, histograms, requests or events.
        told_by: the collectors whose systems tell it; the others leave it out.
        kind: what its values do over time.
        unit: of its values; empty for a count.
        labels: by which its series differ; `le` of a histogram's buckets besides.
        least: no value is less.
        most: no value is more.
    """

    meaning: str
    follows: str
    told_by: tuple[str, ...] = ()
    kind: MetricKind = MetricKind.GAUGE
    unit: str = ""
    labels: tuple[str, ...] = ("server",)
    least: float = 0.0
    most: float = math.inf


_ALL = ("haproxy", "nginx_stub", "nginx_plus", "redis_list", "redis_stream", "rabbitmq", "prometheus")
_QUEUEING = ("haproxy", "nginx_plus", "redis_list", "redis_stream", "rabbitmq", "prometheus")
_COUNTING = ("haproxy", "nginx_stub", "nginx_plus", "redis_stream", "rabbitmq", "prometheus")
_ANSWERING = ("haproxy", "nginx_plus", "prometheus")

QUEUES: Mapping[str, QueueMetric] = {
    "workbench_queue_depth": QueueMetric("requests waiting at the server", "samples.queue_depth", _QUEUEING),
    "workbench_queue_depth_highest": QueueMetric(
        "most requests waiting since the sample before", "samples.queue_max", _QUEUEING
    ),
    "workbench_in_service": QueueMetric("requests being served", "samples.in_service", _COUNTING),
    "workbench_in_flight": QueueMetric(
        "requests at the server: waiting and being served",
        "samples.queue_depth + samples.in_service",
        ("haproxy", "redis_stream", "rabbitmq", "prometheus"),
    ),
    "workbench_oldest_wait_seconds": QueueMetric(
        "how long the oldest request has been waiting",
        "samples.oldest_us / 10^6",
        ("redis_stream", "rabbitmq", "prometheus"),
        unit="s",
    ),
    "workbench_utilisation_ratio": QueueMetric(
        "share of the slots busy since the sample before", "samples.utilisation", _ANSWERING, most=1.0
    ),
    "workbench_saturation_ratio": QueueMetric(
        "requests at the server by its slots; above 1 some must wait",
        "(queue_depth + in_service) / slots",
        ("haproxy", "prometheus"),
    ),
    "workbench_overflow_seconds": QueueMetric(
        "time until the queue is full if it goes on growing as since the sample before; "
        "+Inf while it does not grow",
        "(queue limit - queue_depth) / (change of queue_depth from the sample before, a second)",
        ("haproxy", "nginx_plus", "rabbitmq", "prometheus"),
        unit="s",
    ),
}
"""What is at a server at a moment, or was on average since the sample before."""

FLOWS: Mapping[str, QueueMetric] = {
    "workbench_arrivals_total": QueueMetric(
        "requests that came to the server", "sum of samples.arrivals", _COUNTING, kind=MetricKind.COUNTER
    ),
    "workbench_completions_total": QueueMetric(
        "requests that the server finished",
        "sum of samples.completions",
        _COUNTING,
        kind=MetricKind.COUNTER,
    ),
    "workbench_arrivals_per_second": QueueMetric(
        "requests that came, a second, since the sample before", "arrivals / interval", _COUNTING, unit="1/s"
    ),
    "workbench_throughput_per_second": QueueMetric(
        "requests that were finished, a second, since the sample before",
        "completions / interval",
        _COUNTING,
        unit="1/s",
    ),
    "workbench_goodput_per_second": QueueMetric(
        "requests that ended ok, a second, since the sample before",
        "ok responses in the histograms' last slice, by its length",
        _ANSWERING,
        unit="1/s",
    ),
    "workbench_requests_total": QueueMetric(
        "requests that ended, by `outcome`",
        "histograms: n of response times, by outcome",
        (),
        kind=MetricKind.COUNTER,
        labels=("server", "outcome"),
    ),
    "workbench_answers_total": QueueMetric(
        "requests that ended, ok or not",
        "histograms: n of response times",
        _ANSWERING,
        kind=MetricKind.COUNTER,
    ),
    "workbench_errors_total": QueueMetric(
        "requests that did not end ok",
        "histograms: n of response times whose outcome is not ok",
        _ANSWERING,
        kind=MetricKind.COUNTER,
    ),
    "workbench_refused_total": QueueMetric(
        "requests that the server refused",
        "sum of samples.refused",
        ("haproxy", "nginx_stub", "nginx_plus", "prometheus"),
        kind=MetricKind.COUNTER,
    ),
    "workbench_timed_out_total": QueueMetric(
        "requests whose answer did not come in time",
        "histograms: n of response times whose outcome is timeout",
        ("prometheus",),
        kind=MetricKind.COUNTER,
    ),
    "workbench_retried_total": QueueMetric(
        "attempts that were not a request's first",
        "attempts beyond the first of each request",
        ("haproxy", "rabbitmq", "prometheus"),
        kind=MetricKind.COUNTER,
    ),
    "workbench_share_ratio": QueueMetric(
        "share of the pool's requests that came to this server since the sample before",
        "arrivals / sum of arrivals over the servers",
        _COUNTING,
        most=1.0,
    ),
}
"""What came, went and ended."""

TIMES: Mapping[str, QueueMetric] = {
    "workbench_response_seconds": QueueMetric(
        "response time of requests that ended ok",
        "histograms of response, each bin counted where its middle lies",
        (),
        kind=MetricKind.HISTOGRAM,
        unit="s",
    ),
    "workbench_wait_seconds": QueueMetric(
        "waiting time of requests that ended ok",
        "histograms of wait, likewise",
        (),
        kind=MetricKind.HISTOGRAM,
        unit="s",
    ),
    "workbench_service_seconds": QueueMetric(
        "processing time of requests that ended ok",
        "histograms of service, likewise",
        (),
        kind=MetricKind.HISTOGRAM,
        unit="s",
    ),
    "workbench_latency_percentile_seconds": QueueMetric(
        "percentile of the pool's response, wait or service times, ok requests",
        "exact where all requests are stored, else from histograms, at most 0.99 % off",
        (),
        unit="s",
        labels=("timing", "percentile"),
    ),
    "workbench_latency_mean_seconds": QueueMetric(
        "mean response, wait or service time of late, as the system itself tells it",
        "mean of the histograms",
        ("haproxy", "nginx_plus"),
        unit="s",
        labels=("server", "timing"),
    ),
}
"""How long it took."""

HEALTH: Mapping[str, QueueMetric] = {
    "workbench_server_up": QueueMetric(
        "whether the server answers: 1 or 0",
        "events: 0 from down or the begin of a crash or hang on, 1 from up or its end",
        ("haproxy", "nginx_plus", "rabbitmq", "prometheus"),
        most=1.0,
    ),
    "workbench_health_transitions_total": QueueMetric(
        "how often the server went up or down, was ejected or returned",
        "events: down, up, ejected, returned",
        ("haproxy", "nginx_plus", "rabbitmq", "prometheus"),
        kind=MetricKind.COUNTER,
    ),
}
"""Whether servers are well."""

POOL: Mapping[str, QueueMetric] = {
    "workbench_imbalance_ratio": QueueMetric(
        "most arrivals of a server since the sample before, by the mean over the servers; 1 is even",
        "max of arrivals / mean of arrivals",
        _COUNTING,
        labels=("pool",),
    ),
    "workbench_jain_ratio": QueueMetric(
        "Jain's fairness index of the arrivals since the sample before; 1 is even",
        "(sum of arrivals)^2 / (servers * sum of arrivals^2)",
        _COUNTING,
        labels=("pool",),
        most=1.0,
    ),
    "workbench_little_residual_ratio": QueueMetric(
        "Little's law over the whole run: |L - lambda W| / L",
        "summaries.little_residual",
        (),
        labels=("pool",),
    ),
}
"""The pool as a whole."""

TARGETS: Mapping[str, QueueMetric] = {
    "workbench_target_up": QueueMetric(
        "whether the target answered when it was last asked: 1 or 0",
        "events: 0 from the begin of a gap to its end",
        _ALL,
        labels=("target",),
        most=1.0,
    ),
    "workbench_target_gap_seconds_total": QueueMetric(
        "time for which nothing is known of the target",
        "events: from the begin of gaps to their end",
        _ALL,
        kind=MetricKind.COUNTER,
        unit="s",
        labels=("target",),
    ),
    "workbench_target_resets_total": QueueMetric(
        "how often the target's counters began anew",
        "events: counters that began anew",
        _ALL,
        kind=MetricKind.COUNTER,
        labels=("target",),
    ),
}
"""What is collected from, and how well."""

METRICS: Mapping[str, QueueMetric] = {**QUEUES, **FLOWS, **TIMES, **HEALTH, **POOL, **TARGETS}
"""All metrics by name."""

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds of the buckets of times, seconds: OpenTelemetry's for `http.server.request.duration`."""

PARTS = ("bucket", "count", "sum")
"""What the series of a histogram are called, after its name."""


def family(series: str, metrics: Mapping[str, QueueMetric] = METRICS) -> str:
    """Name the metric that a series belongs to.

    Raises:
        KeyError: there is none.

    >>> family("workbench_response_seconds_bucket")
    'workbench_response_seconds'
    """
    if series in metrics and metrics[series].kind is not MetricKind.HISTOGRAM:
        return series
    base, _, part = series.rpartition("_")
    if part in PARTS and base in metrics and metrics[base].kind is MetricKind.HISTOGRAM:
        return base
    raise KeyError(f"no metric has a series {series}")
