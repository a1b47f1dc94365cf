"""Servers have the share and the queue that the stored rows say."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.store import write_parts
from workbench.store.queries import queue_over_time, server_shares


def test_shares_of_servers_add_up_and_count_refused_requests(measured, frame, inside, window):
    rows = inside(frame, window)
    sent = rows[rows.server_id.notna()]
    found = server_shares(measured, run_id=1, window=window)
    servers = found.servers.to_pandas().set_index("server_id")
    expected = sent.groupby("server_id").size()
    seen = servers[servers.requests > 0]
    assert seen.requests.to_dict() == expected.to_dict()
    assert seen.share.to_dict() == pytest.approx((expected / len(sent)).to_dict())
    assert servers.ok.sum() == (sent.outcome == 0).sum()
    if len(sent):
        shares = servers.share.to_numpy()
        assert found.imbalance == pytest.approx(shares.max() / shares.mean())
        assert found.jain == pytest.approx(shares.sum() ** 2 / (len(shares) * (shares**2).sum()))
    else:
        assert np.isnan([found.imbalance, found.jain]).all()


def test_utilisation_is_that_of_the_summary_or_of_the_samples_in_the_window(measured, frame, make):
    assert server_shares(measured, run_id=1).servers["utilisation"].to_pylist() == [0.0, 0.1, 0.2, 0.3]
    found = server_shares(measured, run_id=1, window=(0.015, 0.04)).servers["utilisation"].to_pylist()
    samples = make.samples(1).to_pandas().pivot(index="ts_us", columns="server_id", values="utilisation")
    weights = [0.2, 0.4, 0.4]  # half of the interval from 10 ms, all of those from 20 and 30 ms
    assert found == pytest.approx(np.average(samples.to_numpy()[1:4], axis=0, weights=weights).tolist())


def test_server_without_requests_in_the_window_is_listed(measured):
    found = server_shares(measured, run_id=1, window=(100.0, 200.0)).servers
    assert found.select(["server_id", "requests", "utilisation"]).to_pylist() == [
        {"server_id": server, "requests": 0, "utilisation": None} for server in range(4)
    ]


def test_server_that_got_no_request_has_a_share_of_zero(store, make):
    run_id = store.begin_run(make.new_run())
    requests = make.requests(run_id).slice(0, 1)
    tables = {"requests": requests, "summaries": make.summaries(run_id)}
    store.finish_run(run_id, make.result(requests), write_parts(store.lake, run_id, tables))
    found = server_shares(store, run_id=run_id)
    assert sorted(found.servers["share"].to_pylist()) == [0, 0, 0, 1]
    assert (found.imbalance, found.jain) == (4, 0.25)


@pytest.mark.parametrize(("buckets", "merged"), [(300, 1), (50, 1), (49, 2), (10, 5), (7, 8), (1, 50)])
def test_queue_over_time_merges_neighbours_without_losing_any(measured, frame, make, buckets, merged):
    found = queue_over_time(measured, run_id=1, buckets=buckets).to_pandas()
    samples = make.samples(1).to_pandas()
    groups = samples.astype(float).groupby([samples.server_id, samples.ts_us // (merged * 10_000)])
    assert len(found) == len(groups) <= 4 * buckets
    assert np.allclose(found.ts_s, groups.ts_us.min() / 1e6)
    for name in ("queue_depth", "in_service", "utilisation"):
        assert np.allclose(found[name], groups[name].mean(), rtol=1e-12)
    assert found.queue_max.tolist() == groups.queue_max.max().tolist()


def test_merged_samples_are_weighted_by_the_length_of_their_interval(store, make):
    run_id = store.begin_run(make.new_run())
    samples = make.samples(run_id, intervals=2)
    lengths = np.array([10_000, 2_500] * 4)
    samples = samples.set_column(3, "interval_us", [lengths])
    parts = write_parts(store.lake, run_id, {"samples": samples})
    store.finish_run(run_id, make.result(make.requests(run_id)), parts)
    found = queue_over_time(store, run_id=run_id, buckets=1)["queue_depth"].to_pylist()
    depths = samples["queue_depth"].to_numpy().reshape(4, 2)
    assert found == pytest.approx(np.average(depths, axis=1, weights=[4, 1]).tolist())
