"""A run in which anything of the recorder's own lagged beyond its bounds does not count as good."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from workbench.traces.recorder import Plan, judge
from workbench.traces.recorder.plan import Bounds
from workbench.traces.recorder.taken import NONE
from workbench.traces.recorder.verdict import logged

LATE = [("median", 501, 110), ("p95", 1_001, 12), ("p99", 20_001, 4), ("most", 50_001, 1)]
"""Each bound, a lag just above it, and how many of 200 requests it must befall to be seen there."""


def lag_of(microseconds: int, count: int) -> np.ndarray:
    return np.where(np.arange(200) < count, microseconds, 0)


def test_a_run_without_lag_is_good(run, plan, idle, log):
    verdict = judge(run(), plan, idle, log)
    assert verdict.reasons == []
    assert [lag.what for lag in verdict.lags] == [
        "client sends",
        "server reads",
        "server finishes",
        "client receives",
    ]
    assert max(lag.most for lag in verdict.lags) < 1e-9


@pytest.mark.parametrize(("bound", "microseconds", "count"), LATE)
@pytest.mark.parametrize("what", ["client sends", "server reads", "server finishes", "client receives"])
def test_a_lag_above_a_bound_is_refused(run, plan, idle, log, *, what, bound, microseconds, count):
    good, late = run(), lag_of(microseconds, count)
    moved = {
        "client sends": ("send", "received", "start", "finish", "sent", "latency"),
        "server reads": ("received", "start", "finish", "sent", "latency"),
        "server finishes": ("sent", "latency"),
        "client receives": ("latency",),
    }[what]
    lagging = dataclasses.replace(good, **{name: getattr(good, name) + late for name in moved})
    reasons = judge(lagging, plan, idle, log).reasons
    assert any(reason.startswith(f"the {what} late: {bound} ") for reason in reasons)
    assert all(reason.startswith(f"the {what} late: ") for reason in reasons)


@pytest.mark.parametrize(("bound", "microseconds", "count"), LATE)
def test_a_lag_within_the_bounds_is_not(run, plan, idle, log, *, bound, microseconds, count):
    good = run()
    late = lag_of(microseconds - 2, count)
    wide = {name: value for name, value in Bounds() if name == bound}
    others = {name: 1.0 for name in Bounds.model_fields if name not in wide}
    lenient = plan.model_copy(update={"bounds": Bounds(**wide, **others)})
    lagging = dataclasses.replace(good, sent=good.sent + late, latency=good.latency + late)
    assert judge(lagging, lenient, idle, log).reasons == []


def test_a_process_that_did_not_run_is_refused(run, plan, idle, log):
    stalled = run(stalls={"client": 0.0, "server 0": 0.0501, "server 1": 0.05})
    assert judge(stalled, plan, idle, log).reasons == ["the server 0 did not run for 50.1 ms; allowed: 50 ms"]


def test_what_a_busy_proxy_adds_to_the_way_counts(run, plan, idle, log):
    """All is in time but for the proxy, which takes 2 ms longer than when it is idle."""
    good = run()
    names = ("received", "start", "finish", "sent", "latency")
    slow = dataclasses.replace(good, **{name: getattr(good, name) + 2000 for name in names})
    reasons = judge(slow, plan, idle, log).reasons
    assert reasons == [
        "the server reads late: median 2 ms; allowed: 500 µs",
        "the server reads late: p95 2 ms; allowed: 1 ms",
    ]


@pytest.mark.parametrize("why", [{"maxconn": 1}, {"kill_at": 1.0, "restart_at": 2.0}])
def test_a_wait_in_the_proxy_is_no_lag(run, plan, idle, log, why):
    good = run()
    names = ("received", "start", "finish", "sent", "latency")
    waited = dataclasses.replace(good, **{name: getattr(good, name) + 30_000 for name in names})
    changed = Plan.model_validate(plan.model_dump() | why)
    assert judge(waited, changed, idle, log).reasons == []


def test_without_a_killed_server_every_request_must_be_answered_by_one(run, plan, idle, log):
    good = run()
    first = np.arange(200) == 0
    lost = {
        name: np.where(first, NONE, getattr(good, name)) for name in ("received", "start", "finish", "sent")
    }
    status, server = np.where(first, 503, 200), np.where(first, -1, good.server)
    broken = dataclasses.replace(good, status=status, server=server, **lost)
    assert judge(broken, plan, idle, log).reasons == [
        "1 of 200 requests have no answer of a server, though none was killed"
    ]
    killed = Plan.model_validate(plan.model_dump() | {"kill_at": 1.0, "restart_at": 2.0})
    assert judge(broken, killed, idle, log).reasons == []
    unanswered = dataclasses.replace(broken, status=np.where(first, 0, 200))
    assert judge(unanswered, killed, idle, log).reasons == ["1 of 200 requests were never answered"]


def test_a_log_with_gaps_is_refused(run, plan, idle, log):
    assert judge(run(), plan, idle, log[2:]).reasons == ["2 of 200 requests have no line in the proxy's log"]


def test_ids_are_read_from_both_logs():
    haproxy = [
        '7003312 127.0.0.1:3680 fe be/s2 0/0/0/-1/13 502 9 - - SH-- 3/3/2/0/0 0/0 {549} "GET /k49 HTTP/1.1"',
        '-1349337 127.0.0.1:53624 [t] fe fe/<NOSRV> -1/-1/-1/-1/1 400 0 - - CR-- 1/1/0/0/0 0/0 "<BADREQ>"',
    ]
    nginx = ['1.3 0.065 200 1:2, 1:3 502, 200 0.0, 0.0 -, 0.051 0.014, 0.051 549 "GET /k49 HTTP/1.1"']
    assert logged(haproxy, "haproxy") == logged(nginx, "nginx") == {549}
