"""Lakes and runs for the tests of the store: small, made from a seed, and stored for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from workbench.settings import Settings
from workbench.simulate.histograms import histograms
from workbench.store import NewRun, RunResult, Store, write_parts
from workbench.tables import SCHEMAS, Outcome

SERVERS = 4
INTERVAL_US = 10_000


def requests_table(run_id: int, count: int = 2000, seed: int = 1) -> pa.Table:
    """Requests at 1 ms on average; some refused, some with no server, half of the rest without a wait."""
    rng = np.random.default_rng(seed)
    outcome = rng.choice([0, 1, 2], count, p=[0.9, 0.07, 0.03]).astype(np.int8)
    ok = outcome == Outcome.OK
    sent = outcome != Outcome.NO_HEALTHY_SERVER
    wait = np.where(ok & (rng.random(count) < 0.5), rng.exponential(3000, count), 0).astype(np.int64)
    service = np.where(ok, rng.lognormal(7, 1, count), 0).astype(np.int64)
    columns = {
        "run_id": np.full(count, run_id, np.int32),
        "req_id": np.arange(count, dtype=np.int32),
        "arrival_us": np.cumsum(rng.exponential(1000, count)).astype(np.int64),
        "balancer_id": rng.integers(0, 2, count).astype(np.int16),
        "server_id": pa.array(rng.integers(0, SERVERS, count).astype(np.int16), mask=~sent),
        "outcome": outcome,
        "queue_depth": pa.array(rng.poisson(2, count).astype(np.int32), mask=~sent),
        "wait_us": wait,
        "service_us": service,
        "response_us": wait + service + 500,
    }
    return pa.table(columns, schema=SCHEMAS["requests"])


def samples_table(run_id: int, intervals: int = 50, seed: int = 1) -> pa.Table:
    """Samples of every server every 10 ms."""
    rng = np.random.default_rng(seed)
    count = SERVERS * intervals
    columns = {
        "run_id": np.full(count, run_id, np.int32),
        "server_id": np.repeat(np.arange(SERVERS, dtype=np.int16), intervals),
        "ts_us": np.tile(np.arange(intervals, dtype=np.int64) * INTERVAL_US, SERVERS),
        "interval_us": np.full(count, INTERVAL_US, np.int64),
        "queue_depth": rng.exponential(2, count).astype(np.float32),
        "queue_max": rng.integers(0, 20, count).astype(np.int32),
        "in_service": rng.random(count).astype(np.float32),
        "utilisation": rng.random(count).astype(np.float32),
        "arrivals": rng.poisson(5, count).astype(np.int32),
        "completions": rng.poisson(5, count).astype(np.int32),
        "refused": np.zeros(count, np.int32),
        "oldest_us": rng.integers(0, 10**6, count),
    }
    return pa.table(columns, schema=SCHEMAS["samples"])


def attempts_table(run_id: int, requests: pa.Table) -> pa.Table:
    """One attempt for each request, at the times that it tells."""
    rows = []
    for row in requests.to_pylist():
        ok = row["outcome"] == Outcome.OK
        begin = row["arrival_us"] + row["wait_us"]
        rows.append(
            {
                "run_id": run_id,
                "attempt_id": row["req_id"],
                "req_id": row["req_id"],
                "call": 0,
                "ts_us": row["arrival_us"],
                "balancer_id": row["balancer_id"],
                "server_id": row["server_id"],
                "outcome": row["outcome"],
                "queued_us": 0,
                "queue_depth": row["queue_depth"],
                "begin_us": begin if ok else None,
                "finish_us": begin + row["service_us"] if ok else None,
                "end_us": row["arrival_us"] + row["response_us"],
            }
        )
    return pa.Table.from_pylist(rows, schema=SCHEMAS["attempts"])


def events_table(run_id: int) -> pa.Table:
    """A server that crashes, goes down and comes back."""
    rows = [
        {"ts_us": time, "kind": kind, "server_id": 1, "balancer_id": balancer, "detail": "crash"}
        for time, kind, balancer in ((1000, 0, None), (1500, 2, 0), (3000, 1, None), (3500, 3, 0))
    ]
    return pa.Table.from_pylist([row | {"run_id": run_id} for row in rows], schema=SCHEMAS["events"])


def outages_table(run_id: int) -> pa.Table:
    """The outage of those events."""
    row = {"server_id": 1, "fault": "crash", "begin_us": 1000, "end_us": 3000, "detected_s": 5e-4}
    row |= {"ejected_s": 5e-4, "back_s": 5e-4, "settled_s": 0.0, "sent": 1, "failed": 1, "retried": 0}
    row |= {f"goodput_{when}_per_s": 1000.0 for when in ("before", "during", "after")}
    return pa.Table.from_pylist([row | {"run_id": run_id}], schema=SCHEMAS["outages"])


def histograms_table(run_id: int, requests: pa.Table, warm_up_us: int = 0) -> pa.Table:
    """Histograms of requests, as a simulation makes them."""
    end_us = requests["arrival_us"][-1].as_py() if requests.num_rows else 0
    return histograms(requests, measured_us=(warm_up_us, end_us), run_id=run_id)


def summaries_table(run_id: int) -> pa.Table:
    """One row of the pool and one a server.

    A server served as many requests as its number, a tenth of its number is its utilisation; what is
    left is its number for a server and 100 for the pool.
    """
    servers = [None, *range(SERVERS)]

    def values(field: pa.Field) -> list[float | int | None]:
        if field.name == "run_id":
            return [run_id] * len(servers)
        if field.name == "server_id":
            return servers
        if field.name in ("requests", "ok"):
            return [sum(range(SERVERS)), *range(SERVERS)]
        if field.name in {outcome.label for outcome in Outcome}:
            return [0] * len(servers)
        if field.name in ("utilisation", "share", "jain"):
            return [1.0, *(server / 10 for server in range(SERVERS))]
        return [100 if server is None else server for server in servers]

    schema = SCHEMAS["summaries"]
    return pa.table({field.name: pa.array(values(field), field.type) for field in schema}, schema=schema)


def new_run(key: str = "key", **changes: object) -> NewRun:
    """A run of scenario `web` under join_shortest_queue."""
    known = {"scenario": "web", "scenario_json": "{}", "strategy": "join_shortest_queue", "seed": 1}
    return NewRun(**{"key": key, **known, "replication": 0, "engine": "simpy", "version": "0.1", **changes})


def run_result(requests: pa.Table, warm_up_us: int = 0, records: float = 1.0) -> RunResult:
    """The result of a run whose window ends with its last arrival."""
    arrivals = requests.column("arrival_us").to_numpy()
    end_us = int(arrivals[-1]) if len(arrivals) else 0
    return RunResult(requests.num_rows, warm_up_us, end_us, end_us + 10_000, 0.25, records)


def store_run(
    store: Store,
    key: str = "key",
    *,
    count: int = 2000,
    seed: int = 1,
    warm_up_us: int = 0,
    **changes: object,
) -> int:
    """Store a whole run, with nothing simulated, and return its number."""
    run_id = store.begin_run(new_run(key, seed=seed, **changes))
    tables = {
        "requests": requests_table(run_id, count, seed),
        "attempts": attempts_table(run_id, requests_table(run_id, count, seed)),
        "events": events_table(run_id),
        "outages": outages_table(run_id),
        "samples": samples_table(run_id, seed=seed),
        "histograms": histograms_table(run_id, requests_table(run_id, count, seed), warm_up_us),
        "summaries": summaries_table(run_id),
    }
    parts = write_parts(store.lake, run_id, tables)
    store.finish_run(run_id, run_result(tables["requests"], warm_up_us), parts)
    return run_id


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """The folder of a lake that does not exist yet."""
    return tmp_path / "lake"


@pytest.fixture
def store(lake: Path) -> Iterator[Store]:
    """An empty lake, opened."""
    with Store(Settings(lake=lake)) as opened:
        yield opened


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The builders of tables and records, by name."""
    return SimpleNamespace(
        requests=requests_table,
        samples=samples_table,
        histograms=histograms_table,
        summaries=summaries_table,
        new_run=new_run,
        result=run_result,
        store_run=store_run,
    )


@pytest.fixture
def add_run(store: Store) -> Callable[..., int]:
    """Return a function that stores a whole run in `store`, and returns its number."""
    return partial(store_run, store)
