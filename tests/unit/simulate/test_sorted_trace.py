"""A trace that is sorted by time keeps each request's own row."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.simulate import Workload, load_scenario


def test_sorting_a_trace_keeps_each_requests_own_demand(tmp_path: Path):
    file = tmp_path / "unsorted.csv"
    file.write_text("end,size\n3,30\n1,10\n2,20\n")
    scenario = load_scenario(
        {
            "name": "sorted",
            "arrivals": {"kind": "trace", "file": str(file), "time_column": "end", "sort": True},
            "service": {"kind": "trace", "file": str(file), "per": {"size": "1s"}},
            "pool": {"count": 1},
            "balancers": {"strategy": "random"},
        }
    )
    chunk = Workload(scenario).arrays()
    np.testing.assert_array_equal(chunk.arrival, [0, 1, 2])
    np.testing.assert_array_equal(chunk.demand, [10, 20, 30])
