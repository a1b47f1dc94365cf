"""Questions to the store, one function each.

A function takes the store first and everything else by name. It reads the parts of the runs that it
is asked about and no others.
"""

from workbench.store.queries.binned import outcome_table, percentiles
from workbench.store.queries.counts import OutcomeCounts, outcome_counts
from workbench.store.queries.history import (
    arrivals_over_time,
    events_of_run,
    latency_heat,
    window_requests,
)
from workbench.store.queries.latency import (
    Latency,
    LatencyStatistics,
    latency,
    latency_distribution,
    latency_over_time,
)
from workbench.store.queries.outages import outages
from workbench.store.queries.recent import all_events, last_samples, recent_answers, recent_samples
from workbench.store.queries.requests import attempts_of_run, requests_of_run, slowest_requests
from workbench.store.queries.runs import Summary, run_table, summaries, summary
from workbench.store.queries.servers import ServerShares, queue_over_time, server_shares
from workbench.store.queries.slices import has_slices, sliced_refusals, sliced_service, sliced_times

__all__ = [
    "Latency",
    "LatencyStatistics",
    "OutcomeCounts",
    "ServerShares",
    "Summary",
    "all_events",
    "arrivals_over_time",
    "attempts_of_run",
    "events_of_run",
    "has_slices",
    "last_samples",
    "latency",
    "latency_distribution",
    "latency_heat",
    "latency_over_time",
    "outages",
    "outcome_counts",
    "outcome_table",
    "percentiles",
    "queue_over_time",
    "recent_answers",
    "recent_samples",
    "requests_of_run",
    "run_table",
    "server_shares",
    "sliced_refusals",
    "sliced_service",
    "sliced_times",
    "slowest_requests",
    "summaries",
    "summary",
    "window_requests",
]
