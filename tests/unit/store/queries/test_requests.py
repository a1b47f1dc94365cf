"""Single requests are found by their times."""

from __future__ import annotations

import numpy as np

from workbench.store.queries import slowest_requests


def test_slowest_requests_are_the_slowest_ok_ones_longest_first(measured, frame, inside):
    rows = inside(frame)
    rows = rows[rows.outcome == 0].sort_values(["response_us", "req_id"], ascending=[False, True])
    found = slowest_requests(measured, run_id=1, count=15).to_pandas()
    assert found.req_id.tolist() == rows.req_id.head(15).tolist()
    assert np.allclose(found.wait_s + found.service_s + found.network_s, found.response_s)
    assert np.allclose(found.arrival_s, rows.arrival_us.head(15) / 1e6)
