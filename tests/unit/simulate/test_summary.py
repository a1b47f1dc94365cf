"""Summaries against a slow, obvious computation of the same figures from the records."""

from __future__ import annotations

import math
from typing import Any

import pytest

from workbench.quantities import Extent
from workbench.simulate import Records, ReferenceEngine, Scenario, Workload, load_scenario, summarise
from workbench.simulate.summary import measured_window
from workbench.tables import QUANTILES, SUMMARIES, Outcome, quantile_column

BASE: dict[str, Any] = {
    "name": "base",
    "arrivals": {"kind": "poisson", "rate": 3.5},
    "service": {"kind": "lognormal", "mean": 1, "cv2": 2},
    "pool": [{"count": 2, "slots": 2, "queue_limit": 2}, {"speed": 0.5, "delay": 0.3}, {"weight": 0}],
    "balancers": {"strategy": "random", "count": 2},
    "horizon": "400 requests",
}
CASES: dict[str, dict[str, Any]] = {
    "warm-up by share": {"warm_up": "20%"},
    "warm-up by time": {"warm_up": "30s"},
    "warm-up by requests": {"warm_up": "123 requests"},
    "no warm-up": {"warm_up": "0%"},
    "horizon by time": {"horizon": "80s", "warm_up": "10%"},
    "closed loop": {
        "arrivals": {"kind": "closed_loop", "users": 9, "think": {"kind": "exponential", "mean": 1}}
    },
    "overload": {"arrivals": {"kind": "poisson", "rate": 20}},
    "nothing waits": {
        "arrivals": {"kind": "uniform", "rate": 0.01},
        "service": {"kind": "erlang", "mean": 1, "stages": 9},
    },
    "few requests": {"horizon": "3 requests"},
    "one request": {"horizon": "1 requests"},
}


def simulate(**changes: Any) -> tuple[Scenario, Records]:
    scenario = load_scenario(BASE | changes)
    return scenario, ReferenceEngine().run(Workload(scenario))


def slow_quantile(values: list[float], q: float) -> float:
    """Interpolate between the two order statistics that the quantile lies between (type 7)."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def slow_summary(records: Records, scenario: Scenario) -> list[dict[str, Any]]:
    pool = scenario.servers()
    begin, end = measured_window(records, scenario.warm_up)
    length = end - begin
    inside = [i for i in range(len(records)) if begin <= records.arrival[i] <= end]
    busy = [0.0] * pool.count
    for i in range(len(records)):
        if records.outcome[i] == Outcome.OK:
            overlap = min(records.finish[i], end) - max(records.begin[i], begin)
            busy[records.server[i]] += max(0.0, float(overlap))
    utilisation = [busy[s] / (pool.slots[s] * length) if length else 0.0 for s in range(pool.count)]
    rows = []
    for server in (None, *range(pool.count)):
        members = [i for i in inside if server is None or records.server[i] == server]
        good = [i for i in members if records.outcome[i] == Outcome.OK]
        row: dict[str, Any] = {"run_id": 5, "server_id": server, "window_s": length, "requests": len(members)}
        for outcome in Outcome:
            row[outcome.label] = sum(records.outcome[i] == outcome for i in members)
        row |= {"attempts": len(members), "retried": 0}
        row["goodput_per_s"] = len(good) / length if length else 0.0
        row["share"] = 1.0 if server is None else len(members) / len(inside)
        row["utilisation"] = (
            utilisation[server]
            if server is not None
            else (sum(busy) / (sum(pool.slots) * length) if length else 0.0)
        )
        delay = [pool.delay[records.server[i]] for i in good]
        times = {
            "response": [float(records.answered[i] - records.arrival[i]) for i in good],
            "wait": [
                float(records.begin[i] - records.arrival[i]) - d for i, d in zip(good, delay, strict=True)
            ],
        }
        for measure, values in times.items():
            row[f"{measure}_mean_s"] = math.fsum(values) / len(values) if values else None
            row[f"{measure}_max_s"] = max(values) if values else None
            for q in QUANTILES:
                row[quantile_column(measure, q)] = slow_quantile(values, q) if values else None
        row |= dict.fromkeys(["imbalance", "jain", "mean_in_system", "little_residual"])
        if server is None:
            total = sum(utilisation)
            if total:
                row["imbalance"] = max(utilisation) / (total / pool.count)
                row["jain"] = total**2 / (pool.count * sum(u * u for u in utilisation))
            spent = math.fsum(records.answered - records.arrival)
            row["mean_in_system"] = spent / max(records.answered)
            row["little_residual"] = 0.0
        rows.append(row)
    return rows


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_a_summary_equals_its_definition(case: str, seed: int):
    scenario, records = simulate(**CASES[case], seed=seed)
    table = summarise(records, scenario, run_id=5)
    assert table.schema.equals(SUMMARIES, check_metadata=True)
    expected = slow_summary(records, scenario)
    assert len(expected) == table.num_rows
    for found, row in zip(table.to_pylist(), expected, strict=True):
        assert found.keys() == row.keys()
        for name, value in row.items():
            wanted = (
                value if value is None or isinstance(value, int) else pytest.approx(value, rel=1e-9, abs=1e-9)
            )
            assert found[name] == wanted, name


def test_outcomes_and_servers_add_up_to_the_pool():
    scenario, records = simulate(**CASES["overload"])
    pool, *servers = summarise(records, scenario).to_pylist()
    assert pool["refused"] > 0
    for name in ("requests", "ok", "refused"):
        assert pool[name] == sum(server[name] for server in servers)
    assert sum(pool[outcome.label] for outcome in Outcome) == pool["requests"]
    assert sum(server["share"] for server in servers) == pytest.approx(1.0)


def test_an_even_pool_has_imbalance_and_jain_1():
    scenario, records = simulate(
        arrivals={"kind": "uniform", "rate": 2},
        service={"kind": "deterministic", "value": 0.25},
        pool={"count": 4},
        balancers={"strategy": "round_robin"},
        horizon="200s",
        warm_up="50s",
    )
    pool = summarise(records, scenario).to_pylist()[0]
    assert pool["imbalance"] == pytest.approx(1.0, abs=0.02)
    assert pool["jain"] == pytest.approx(1.0, abs=0.001)
    assert pool["utilisation"] == pytest.approx(2 * 0.25 / 4, rel=0.01)


def test_one_busy_server_of_four_has_imbalance_4_and_jain_a_quarter():
    scenario, records = simulate(pool=[{}, {"count": 3, "weight": 0}])
    pool = summarise(records, scenario).to_pylist()[0]
    assert pool["imbalance"] == pytest.approx(4.0)
    assert pool["jain"] == pytest.approx(0.25)


def test_an_empty_run_has_a_summary_without_times():
    scenario, records = simulate(horizon="1us")
    pool = summarise(records, scenario).to_pylist()[0]
    assert pool["requests"] == 0
    assert pool["goodput_per_s"] == 0
    assert pool["response_mean_s"] is pool["wait_p99_s"] is pool["jain"] is pool["little_residual"] is None


@pytest.mark.parametrize(
    ("warm_up", "begin"),
    [
        (Extent(share=0.0), 0.0),
        (Extent(share=0.25), 1.0),
        (Extent(seconds=3.0), 3.0),
        (Extent(seconds=99.0), 4.0),
        (Extent(requests=0), 0.0),
        (Extent(requests=1), 2.0),
        (Extent(requests=3), 4.0),
        (Extent(requests=1000), 4.0),
    ],
    ids=str,
)
def test_the_measured_window_begins_after_the_warm_up(warm_up: Extent, begin: float):
    _, records = simulate(
        arrivals={"kind": "uniform", "rate": 1},
        service={"kind": "deterministic", "value": 9},
        horizon="4 requests",
    )
    assert measured_window(records, warm_up) == (begin, 4.0)
