"""Runs are shown with what their summaries say."""

from __future__ import annotations

from workbench.store.queries import run_table, summaries, summary


def test_run_table_joins_the_summary_of_the_pool_and_shows_runs_without_one(store, add_run, make):
    assert (add_run("a"), add_run("b")) == (1, 2)
    failed = store.begin_run(make.new_run("c", scenario="it's"))
    store.fail_run(failed, "why")
    rows = run_table(store).to_pylist()
    assert [(row["run_id"], row["state"], row["requests"], row["response_p99_s"]) for row in rows] == [
        (3, "failed", None, None),
        (2, "complete", 2000, 100.0),
        (1, "complete", 2000, 100.0),
    ]
    assert rows[2]["started"] == store.run(1).started
    assert run_table(store, limit=1)["run_id"].to_pylist() == [3]
    assert run_table(store, scenario="it's")["run_id"].to_pylist() == [3]
    assert run_table(store, state="complete")["run_id"].to_pylist() == [2, 1]
    assert list(rows[0]) == [
        *("run_id", "scenario", "strategy", "seed", "replication", "state", "requests", "utilisation"),
        *("response_mean_s", "response_p50_s", "response_p95_s", "response_p99_s", "refused", "started"),
    ]


def test_run_table_of_an_empty_lake_has_no_rows(store):
    assert run_table(store, limit=None).num_rows == 0


def test_summaries_tell_the_pool_from_its_servers(measured):
    assert summaries(measured, run_ids=[2, 1, 77])["run_id"].to_pylist() == [1, 2]
    found = summary(measured, run_id=2)
    assert (found.pool["run_id"], found.pool["utilisation"]) == (2, 1.0)
    assert found.servers["server_id"].to_pylist() == [0, 1, 2, 3]
    assert found.servers["utilisation"].to_pylist() == [0.0, 0.1, 0.2, 0.3]
