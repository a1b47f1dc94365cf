"""Collecting into a store, and the metrics of what is stored."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.monitor.collectors.loopback import serving
from workbench import workflows
from workbench.errors import DocumentError, InputError, TargetError
from workbench.monitor import METRICS
from workbench.monitor.collectors import COLLECTORS
from workbench.monitor.metrics import family
from workbench.settings import Settings
from workbench.store import Store, queries
from workbench.tables import Outcome

PROJECT = Path(__file__).parents[3]
RECORDED = PROJECT / "data" / "collections" / "nginx_plus.yaml"


def page(peers: list[dict[str, Any]], second: float, **more: Any) -> str:
    return json.dumps(
        {"timestamp": 1_700_000_000_000 + second * 1000, "upstreams": {"u": {"peers": peers}}, **more}
    )


def peer(number: int, requests: int, **keys: Any) -> dict[str, Any]:
    return {
        "id": number,
        "server": f"s{number}",
        "weight": 1,
        "state": "up",
        "active": 1,
        "max_conns": 4,
        "requests": requests,
        "responses": {"total": requests},
        "fails": 0,
    } | keys


@pytest.fixture
def recording(tmp_path: Path):
    """Give a function from pages to a collection of them."""

    def write(pages: list[str], **keys: Any) -> Path:
        (tmp_path / "pages.jsonl").write_text("\n".join(pages) + "\n")
        target = {"name": "t", "kind": "nginx_plus", "file": "pages.jsonl"}
        file = tmp_path / "recorded.yaml"
        file.write_text(json.dumps({"name": "recorded", "step": "1s", "targets": target, **keys}))
        return file

    return write


def by_labels(view: workflows.MetricsView, series: str) -> dict[str, float]:
    return {"".join(one.labels.values()): one.value for one in view.values if one.series == series}


def test_a_recording_is_stored_as_a_run_whose_metrics_are_its_counts(settings: Settings, recording):
    pages = [page([peer(0, 10 * second), peer(1, 30 * second)], second) for second in range(61)]
    view = workflows.collect(recording(pages), settings=settings)
    assert {one.server: one.counted["arrivals"] for one in view.servers} == {"t/u/s0": 600, "t/u/s1": 1800}
    found = workflows.show_metrics(view.run_id, settings=settings)
    assert by_labels(found, "workbench_arrivals_total") == {"t/u/s0": 600, "t/u/s1": 1800}
    assert by_labels(found, "workbench_arrivals_per_second") == {"t/u/s0": 10, "t/u/s1": 30}
    assert by_labels(found, "workbench_utilisation_ratio") == {"t/u/s0": 0.25, "t/u/s1": 0.25}
    assert by_labels(found, "workbench_imbalance_ratio") == {"t/u": 1.5}
    assert by_labels(found, "workbench_target_up") == {"t": 1}
    assert found.at_s == 60


def test_the_recorded_pages_of_nginx_give_the_differences_of_their_counters(settings: Settings):
    """Expected: the last page's counters less the first's, taken from the file by itself."""
    lines = (RECORDED.parent / "nginx_plus_status.jsonl").read_text().splitlines()
    first, last = json.loads(lines[0]), json.loads(lines[-1])

    def totals(found: dict[str, Any]) -> dict[str, int]:
        every = {
            f"{pool}/{one['server']}": one["requests"]
            for pool in found["upstreams"]
            for one in found["upstreams"][pool]["peers"]
        }
        stream = found["stream"]["upstreams"]["postgresql_backends"]["peers"]
        return every | {f"stream/postgresql_backends/{one['server']}": one["connections"] for one in stream}

    begin, end = totals(first), totals(last)
    view = workflows.collect(RECORDED, settings=settings)
    counted = {one.server.removeprefix("org/"): one.counted["arrivals"] for one in view.servers}
    assert counted == {name: end[name] - begin[name] for name in end}
    assert sum(counted.values()) > 300
    with Store(settings) as store:
        samples = store.read_table("samples", run_id=view.run_id)
        line = queries.queue_over_time(store, run_id=view.run_id)
    assert sorted(set(samples["interval_us"].to_pylist()))[-1] > 10_000_000  # the page that was left out
    assert int(np.nansum(samples["arrivals"].to_numpy())) == sum(counted.values())
    assert line.num_rows > 0


def test_collecting_a_recording_again_gives_the_same_run(settings: Settings, recording):
    file = recording([page([peer(0, second)], second) for second in range(5)])
    first, again = (workflows.collect(file, settings=settings) for _ in range(2))
    assert first == again
    assert len(workflows.list_runs(settings=settings).runs) == 1


def test_old_samples_are_brought_together_as_keep_says(settings: Settings, recording):
    pages = [page([peer(0, 3 * second)], second) for second in range(121)]
    file = recording(pages, keep=[{"after": "20s", "step": "10s"}, {"after": "60s", "step": "30s"}])
    view = workflows.collect(file, settings=settings)
    with Store(settings) as store:
        samples = store.read_table("samples", run_id=view.run_id).sort_by("ts_us").to_pylist()
    lengths = [row["interval_us"] // 1_000_000 for row in samples]
    assert lengths == [30, 30, 10, 10, 10, 10, *[1] * 20]
    assert sum(row["arrivals"] for row in samples) == 360
    later = datetime.now(UTC) + timedelta(hours=1)
    done = [workflows.roll_up_samples([(1.0, 60.0)], now=later, settings=settings).summary for _ in range(2)]
    assert done == ["24 samples of 1 runs went into others", "nothing is that old"]


def test_a_run_is_read_while_it_is_collected_and_its_metrics_are_served(tmp_path: Path, settings: Settings):
    stub = (
        "Active connections: 1\nserver accepts handled requests\n 1 1 {}\nReading: 0 Writing: 1 Waiting: 0\n"
    )
    file, stop, seen = tmp_path / "live.yaml", threading.Event(), {}
    with serving(page=stub.format(1)) as pages:
        target = {"name": "n", "kind": "nginx_stub", "url": f"{pages.url}/page"}
        file.write_text(json.dumps({"name": "live", "step": "50ms", "flush": "100ms", "targets": target}))

        def grow() -> None:
            count = 1
            while not stop.wait(0.01):
                count = len(pages.asked) * 5
                pages.pages["/page"] = stub.format(count)

        def look(line: str) -> None:
            seen.setdefault("said", []).append(line)

        def read() -> None:
            while not stop.is_set():
                try:
                    found = workflows.show_metrics(settings=settings)
                except workflows.running.InputError:
                    continue
                if by_labels(found, "workbench_arrivals_total"):
                    seen["meanwhile"] = by_labels(found, "workbench_arrivals_total")
                    stop.set()

        threads = [threading.Thread(target=one) for one in (grow, read)]
        for thread in threads:
            thread.start()
        view = workflows.collect(file, seconds=20, settings=settings, stop=stop, say=look)
        for thread in threads:
            thread.join()
    assert 0 < seen["meanwhile"]["n/nginx"] <= view.servers[0].counted["arrivals"]
    assert view.lasted_s < 19


def test_looking_once_stores_nothing_and_names_who_does_not_answer(tmp_path: Path, settings: Settings):
    targets = [
        {"name": "gone", "kind": "redis_list", "socket": "127.0.0.1:1", "lists": ["a"]},
        {"name": "org", "kind": "nginx_stub", "url": "http://127.0.0.1:1/"},
    ]
    file = tmp_path / "two.yaml"
    file.write_text(json.dumps({"name": "two", "targets": targets}))
    view = workflows.look_once(file)
    assert set(view.unreachable) == {"gone", "org"}
    assert workflows.list_runs(settings=settings).runs == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"targets": []}, "targets"),
        ({"targets": {"name": "a", "kind": "squid"}}, "one of haproxy, nginx_plus"),
        ({"step": "0s"}, "step"),
        ({"step": "1s", "timeout": "2s"}, "a timeout of at most the step"),
        (
            {"keep": [{"after": "1h", "step": "1min"}, {"after": "1d", "step": "1s"}]},
            "longer steps for greater",
        ),
        (
            {"targets": [{"name": "a", "kind": "redis_list", "lists": ["x"]}] * 2},
            "each name of a target once",
        ),
    ],
)
def test_what_cannot_be_collected_is_named_with_its_line(tmp_path: Path, keys: dict[str, Any], said: str):
    target = {"name": "a", "kind": "redis_list", "lists": ["x"]}
    file = tmp_path / "bad.yaml"
    file.write_text(json.dumps({"name": "bad", "targets": target} | keys))
    with pytest.raises(DocumentError, match=said) as caught:
        workflows.look_once(file)
    assert "bad.yaml:1" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["not json\n", '{"upstreams": {}}\n', '{"timestamp": 1, "upstreams": {"u": {}}}\n']
)
def test_a_recording_that_is_none_is_named_by_its_line(settings: Settings, recording, text: str):
    file = recording([page([peer(0, 1)], 0), text.strip()])
    with pytest.raises(TargetError, match=r"pages\.jsonl:2"):
        workflows.collect(file, settings=settings)


@pytest.mark.parametrize("show", [workflows.show_run, lambda run, **keys: workflows.explain(run, 0, **keys)])
def test_a_collected_run_is_no_simulated_one(settings: Settings, recording, show):
    run_id = workflows.collect(
        recording([page([peer(0, 1)], 0), page([peer(0, 2)], 1)]), settings=settings
    ).run_id
    with pytest.raises(InputError, match=f"workbench metrics {run_id} shows"):
        show(run_id, settings=settings)


def test_the_metrics_of_a_simulated_run_are_those_of_its_requests(settings: Settings, scenario):
    run_id = workflows.run(scenario | {"warm_up": "0 requests"}, settings=settings).run_id
    found = workflows.show_metrics(run_id, settings=settings)
    with Store(settings) as store:
        requests = store.read_table("requests", run_id=run_id).to_pandas()
    names = [one.labels["server"] for one in found.values if one.series == "workbench_arrivals_total"]
    ok = requests[requests.outcome == Outcome.OK]
    for number, name in enumerate(names):
        own = ok[ok.server_id == number]
        assert by_labels(found, "workbench_arrivals_total")[name] == (requests.server_id == number).sum()
        assert by_labels(found, "workbench_response_seconds_count")[name] == len(own)
        mean = own.response_us.mean() / 1e6
        told = by_labels(found, "workbench_latency_mean_seconds")[f"{name}response"]
        assert told == pytest.approx(mean, rel=0.0099)
    p99 = by_labels(found, "workbench_latency_percentile_seconds")["response99"]
    assert found.exact
    assert p99 == pytest.approx(np.quantile(ok.response_us, 0.99) / 1e6)
    text = workflows.metrics_text(run_id, settings=settings)
    assert 'workbench_arrivals_total{server="' in text


def test_every_collector_is_told_of_by_some_metric_and_no_other_is():
    told = {kind for metric in METRICS.values() for kind in metric.told_by}
    assert told == set(COLLECTORS)


def test_the_samples_of_a_run_as_openmetrics_have_their_times(tmp_path: Path, settings: Settings, recording):
    pages = [page([peer(0, 7 * second)], second) for second in range(4)]
    run_id = workflows.collect(recording(pages), settings=settings).run_id
    file = tmp_path / "run.om"
    view = workflows.write_openmetrics(file, run_id, settings=settings)
    assert (view.begins, view.ends) == (1_700_000_001, 1_700_000_003)
    lines = [line for line in file.read_text().splitlines() if line.startswith("workbench_arrivals_total")]
    assert [line.split()[1:] for line in lines] == [
        ["7", "1700000001.000000"],
        ["14", "1700000002.000000"],
        ["21", "1700000003.000000"],
    ]
    assert all(family(line.partition("{")[0]) for line in lines)


def test_what_cannot_be_stored_is_kept_and_stored_later(tmp_path: Path, settings: Settings):
    stub = (
        "Active connections: 1\nserver accepts handled requests\n 1 1 7\nReading: 0 Writing: 1 Waiting: 0\n"
    )
    blocked, said, stop = settings.lake / "samples", [], threading.Event()
    settings.lake.mkdir(parents=True)
    blocked.write_text("a file where the folder should be")

    def say(line: str) -> None:
        said.append(line)
        if "not stored yet" in line and blocked.is_file() and sum("not stored" in one for one in said) == 3:
            blocked.unlink()
            threading.Timer(0.5, stop.set).start()

    file = tmp_path / "live.yaml"
    with serving(page=stub) as pages:
        target = {"name": "n", "kind": "nginx_stub", "url": f"{pages.url}/page"}
        file.write_text(json.dumps({"name": "live", "step": "50ms", "flush": "100ms", "targets": target}))
        view = workflows.collect(file, seconds=20, settings=settings, stop=stop, say=say)
    with Store(settings) as store:
        samples = store.read_table("samples", run_id=view.run_id).sort_by("ts_us").to_pylist()
    assert view.lasted_s < 19
    assert samples[0]["ts_us"] < 200_000
    ends = [row["ts_us"] + row["interval_us"] for row in samples]
    assert ends[:-1] == [row["ts_us"] for row in samples[1:]]  # none is lost, none is twice


def test_a_port_that_cannot_be_had_begins_no_run(settings: Settings):
    with pytest.raises(InputError, match="metrics-port: given"):
        workflows.collect(RECORDED, metrics_port=99_999, settings=settings)
    assert workflows.list_runs(settings=settings).runs == []
