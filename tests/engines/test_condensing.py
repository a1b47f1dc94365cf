"""A run that keeps no request has the tables of one that does, in memory that does not grow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.engines.test_reference import make_scenario
from workbench.simulate import (
    CompiledEngine,
    Records,
    Workload,
    condense,
    condensing,
    histograms,
    measured_window,
    sample,
    summarise,
)
from workbench.simulate.totals import quantiles
from workbench.tables import BIN_ERROR, QUANTILES, histogram_bins

PROJECT = Path(__file__).parents[2]
CASES: dict[str, dict[str, Any]] = {
    "servers that differ, and refuse": {
        "pool": [{"count": 2, "queue_limit": 2}, {"name": "slow", "slots": 2, "speed": 0.4, "delay": "50ms"}],
        "arrivals": {"kind": "poisson", "rate": 3},
        "horizon": "4k requests",
    },
    "long queues": {
        "pool": {"count": 2},
        "arrivals": {"kind": "poisson", "rate": 3},
        "horizon": "1500 requests",
    },
    "until a time": {"horizon": "600s", "warm_up": "45s", "sample_every": "7s"},
    "warm-up in requests": {"horizon": "900 requests", "warm_up": "333 requests"},
    "closed": {
        "arrivals": {"kind": "closed_loop", "users": 20, "think": {"kind": "exponential", "mean": 3}},
        "horizon": "300s",
    },
    "shared": {
        "pool": {"count": 2, "slots": 2, "discipline": "ps"},
        "arrivals": {"kind": "poisson", "rate": 3.5},
    },
    "nobody": {"arrivals": {"kind": "poisson", "rate": 1e-6}, "horizon": "1s"},
}


SLOW = ("servers that differ, and refuse", "closed", "shared")
"""They need kernels of their own."""


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case in SLOW else ()) for case in CASES]
)
def test_tables_are_those_of_a_run_that_keeps_its_requests(case: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(condensing, "BLOCK", 170)
    monkeypatch.setattr(condensing, "CHUNK", 60)
    scenario = make_scenario("random", **CASES[case])
    records = CompiledEngine().run(Workload(scenario))
    found = condense(Workload(scenario), run_id=4)
    begin, end = measured_window(records, scenario.warm_up)
    bounds = found.bounds
    assert (bounds.requests, bounds.begin, bounds.until) == (len(records), begin, end)
    assert (bounds.drained, bounds.area) == (records.drained, records.area)
    whole = histograms(records.to_table(4), measured_us=bounds.window_us, run_id=4)
    assert found.tables["histograms"].equals(whole)
    check_samples(found.tables["samples"], sample(records, scenario, run_id=4))
    check_summaries(found.tables["summaries"], summarise(records, scenario, run_id=4), records)


def check_samples(ours: pa.Table, theirs: pa.Table) -> None:
    assert ours.schema == theirs.schema
    for name in theirs.column_names:
        one, other = ours[name].to_numpy(), theirs[name].to_numpy()
        if name in ("queue_depth", "in_service", "utilisation"):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=name)
        else:
            np.testing.assert_array_equal(one, other, err_msg=name)


def check_summaries(ours: pa.Table, theirs: pa.Table, records: Records) -> None:
    assert ours.schema == theirs.schema
    assert len(ours) == len(theirs)
    for one, other in zip(ours.to_pylist(), theirs.to_pylist(), strict=True):
        for name, expected in other.items():
            if expected is None or isinstance(expected, int):
                assert one[name] == expected, name
            elif name[-5:-3].isdigit() or "_p" in name:
                assert one[name] == pytest.approx(expected, rel=BIN_ERROR + 1e-6, abs=1e-6), name
            else:
                assert one[name] == pytest.approx(expected, rel=1e-9, abs=1e-12), name


def test_quantiles_from_a_histogram_are_as_near_as_it_is_said():
    times = np.random.default_rng(5).lognormal(0, 2, 5001)
    bins, n = np.unique(histogram_bins(np.rint(times * 1e6).astype(np.int64)), return_counts=True)
    off = np.array(quantiles(bins.astype(np.int64), n)) / np.quantile(times, QUANTILES) - 1
    assert np.abs(off).max() <= BIN_ERROR + 1e-5
    assert np.abs(off).max() > 0


MEASURE = """
import sys
from pathlib import Path
from workbench.simulate import Workload, condense, load_scenario
pool, arrivals = {"count": 8}, {"kind": "poisson", "rate": 6.4}
service, balancers = {"kind": "exponential", "mean": 1}, {"strategy": "power_of_two"}
scenario = load_scenario(dict(name="long", arrivals=arrivals, service=service, pool=pool, balancers=balancers,
                              horizon=sys.argv[1] + " requests"))
assert condense(Workload(scenario)).bounds.requests == int(sys.argv[1])
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.slow
def test_ten_times_the_requests_take_the_same_memory():
    few, many = (
        int(
            subprocess.run(
                [sys.executable, "-c", MEASURE, str(requests)],
                cwd=PROJECT,
                capture_output=True,
                text=True,
                check=True,
                timeout=300,
            ).stdout
        )
        for requests in (1_000_000, 10_000_000)
    )
    assert many < 1.3 * few
