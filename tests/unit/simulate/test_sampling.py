"""Samples against a slow, obvious computation, and against the records' totals."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from workbench.errors import InputError
from workbench.simulate import Records, ReferenceEngine, Scenario, Workload, load_scenario, sample
from workbench.tables import SAMPLES, Outcome

BASE: dict[str, Any] = {
    "name": "base",
    "arrivals": {"kind": "poisson", "rate": 4},
    "service": {"kind": "hyperexponential", "mean": 1, "cv2": 3},
    "pool": [{"count": 2, "slots": 2, "queue_limit": 3}, {"speed": 0.5, "delay": 0.3}, {"weight": 0}],
    "balancers": {"strategy": "random", "count": 2},
    "horizon": "300 requests",
    "sample_every": "1.7s",
}
FAST: dict[str, Any] = {
    "arrivals": {"kind": "poisson", "rate": "1M/s"},
    "service": {"kind": "exponential", "mean": "1us"},
    "pool": {"count": 2},
    "horizon": "20 requests",
}
CASES: dict[str, dict[str, Any]] = {
    "queues": {},
    "short intervals": {"sample_every": "300ms"},
    "one interval": {"sample_every": "1h"},
    "closed loop": {
        "arrivals": {"kind": "closed_loop", "users": 12, "think": {"kind": "exponential", "mean": 1}}
    },
    "network": {"network": {"delay": "2s"}},
    "overload": {"arrivals": {"kind": "poisson", "rate": 15}},
}


def simulate(**changes: Any) -> tuple[Scenario, Records]:
    scenario = load_scenario(BASE | changes)
    return scenario, ReferenceEngine().run(Workload(scenario))


def take_samples(**changes: Any) -> pa.Table:
    scenario, records = simulate(**changes)
    return sample(records, scenario)


def slow_samples(records: Records, scenario: Scenario, edges: list[float]) -> list[dict[str, Any]]:
    pool = scenario.servers()
    rows = []
    for server in range(pool.count):
        sent = [i for i in range(len(records)) if records.server[i] == server]
        ok = [i for i in sent if records.outcome[i] == Outcome.OK]
        come = {i: records.arrival[i] + pool.delay[server] for i in sent}
        for low, high in pairwise(edges):

            def overlap(begin: float, end: float, low: float = low, high: float = high) -> float:
                return max(0.0, min(end, high) - max(begin, low))

            def within(time: float, low: float = low, high: float = high) -> bool:
                return low <= time < high

            moments = [low, *(come[i] for i in ok if within(come[i]))]
            waiting = [sum(come[i] <= t < records.begin[i] for i in ok) for t in moments]
            in_service = sum(overlap(records.begin[i], records.finish[i]) for i in ok) / (high - low)
            rows.append(
                {
                    "server_id": server,
                    "ts_us": round(low * 1e6),
                    "interval_us": round((high - low) * 1e6),
                    "queue_depth": sum(overlap(come[i], records.begin[i]) for i in ok) / (high - low),
                    "queue_max": max(waiting),
                    "in_service": in_service,
                    "utilisation": in_service / pool.slots[server],
                    "arrivals": sum(within(come[i]) for i in sent),
                    "completions": sum(within(records.finish[i]) for i in ok),
                    "oldest_us": round(
                        1e6
                        * max((high - come[i] for i in ok if come[i] <= high < records.begin[i]), default=0)
                    ),
                    "refused": sum(within(come[i]) for i in sent if records.outcome[i] == Outcome.REFUSED),
                }
            )
    return rows


@pytest.mark.parametrize("case", CASES)
def test_samples_equal_their_definition(case: str):
    scenario, records = simulate(**CASES[case])
    table = sample(records, scenario, run_id=3)
    assert table.schema.equals(SAMPLES, check_metadata=True)
    assert set(table["run_id"].to_pylist()) == {3}
    width = scenario.sample_every or 0.0
    intervals = table.num_rows // scenario.servers().count
    assert (intervals - 1) * width < records.drained <= intervals * width
    edges = [number * width for number in range(intervals + 1)]
    found = table.drop(["run_id"]).to_pylist()
    for row, expected in zip(found, slow_samples(records, scenario, edges), strict=True):
        for name, value in expected.items():
            wanted = value if isinstance(value, int) else pytest.approx(value, rel=1e-6, abs=1e-5)
            assert row[name] == wanted, (name, expected)


def totals(records: Records, scenario: Scenario) -> dict[str, float]:
    table = sample(records, scenario)
    length = table["interval_us"].to_numpy() / 1e6
    means = {name: float(table[name].to_numpy() @ length) for name in ("queue_depth", "in_service")}
    return means | {
        name: int(table[name].to_numpy().sum()) for name in ("arrivals", "completions", "refused")
    }


@pytest.mark.parametrize("sample_every", ["10ms", "1s", "7.3s", "1h", None])
def test_time_integrals_equal_the_totals_of_the_records(sample_every: str | None):
    scenario, records = simulate(**CASES["overload"] | {"sample_every": sample_every})
    found = totals(records, scenario)
    service = (records.finish - records.begin)[records.served].sum()
    assert found["queue_depth"] == pytest.approx(records.wait.sum(), rel=1e-5)
    assert found["in_service"] == pytest.approx(service, rel=1e-5)
    assert found["arrivals"] == len(records)
    assert found["completions"] == records.ok().sum()
    assert found["refused"] == (records.outcome == Outcome.REFUSED).sum() > 0


def test_bounds_hold_in_every_interval():
    scenario, records = simulate(**CASES["overload"] | {"sample_every": "20ms"})
    table = sample(records, scenario).to_pandas()
    assert table["utilisation"].between(0, 1 + 1e-6).all()
    assert (table["queue_depth"] <= table["queue_max"] + 1e-5).all()
    assert table[table["server_id"] < 2]["queue_max"].max() == 3


@pytest.mark.parametrize(("servers", "most"), [(1, 500), (4, 500), (5000, 200)])
def test_the_usual_number_of_samples_is_bounded(servers: int, most: int):
    scenario, records = simulate(pool={"count": servers}, sample_every=None)
    intervals = sample(records, scenario).num_rows / servers
    assert most / 2.6 < intervals <= most
    width = sample(records, scenario)["interval_us"][0].as_py()
    assert str(width).rstrip("0") in {"1", "2", "5"}


def test_too_many_samples_are_refused_with_what_is_allowed():
    scenario, records = simulate(sample_every="1us")
    with pytest.raises(InputError, match=r"sample_every: given 1e-06s; allowed: .*s or more") as error:
        sample(records, scenario)
    allowed = float(str(error.value).split("allowed: ")[1].split("s or more")[0])
    assert sample(records, load_scenario(BASE | {"sample_every": allowed * 10})).num_rows > 1000


def test_an_empty_run_has_one_interval_for_each_server():
    scenario, records = simulate(horizon="1us")
    table = sample(records, scenario)
    assert table.num_rows == 4
    assert not np.any(table["arrivals"].to_numpy())


@pytest.mark.parametrize("sample_every", ["300ns", "1.5us"])
def test_intervals_that_are_no_whole_microseconds_are_refused(sample_every: str):
    with pytest.raises(InputError, match="sample_every"):
        take_samples(**FAST, sample_every=sample_every)
