"""Our window functions and signals beside those of a real Prometheus, on back-filled data."""

from __future__ import annotations

import json
import math
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.parity.programs import free_ports, running
from workbench.alerts.courses import Scene
from workbench.alerts.labels import Labels
from workbench.alerts.series import MemorySource, SeriesSet
from workbench.alerts.signals import Signal
from workbench.alerts.windows import FUNCTIONS

START = 1_700_000_000.0
LENGTH = 3600
PARAMETERS = {"quantile": 0.9, "ahead": 600.0}
RELATIVE = 1e-9
EXACT = {"avg_over_time", "sum_over_time", "min_over_time", "max_over_time", "last_over_time"}
"""Functions whose every digit is Prometheus's."""

Ask = Callable[[str, float], dict[Labels, float]]


def irregular(rng: np.random.Generator) -> np.ndarray:
    """Draw sample times of whole milliseconds, about 15 s apart, with some longer gaps."""
    gaps = rng.integers(5_000, 25_000, 400) + np.where(rng.random(400) < 0.03, 200_000, 0)
    times = START + np.cumsum(gaps) / 1000
    return times[times < START + LENGTH]


def made_metrics() -> dict[str, SeriesSet]:
    """Make gauges, counters that fall to 0 now and then, and the buckets of a histogram."""
    rng = np.random.default_rng(7)
    gauges, counters, buckets = [], [], []
    for server in "abc":
        times = irregular(rng)
        labels = Labels({"server": server, "pool": "x" if server == "a" else "y"})
        gauges.append((labels, times, np.round(rng.normal(5, 3, len(times)), 3)))
        steps = rng.integers(0, 50, len(times)).astype(float)
        restarts = np.flatnonzero(rng.random(len(times)) < 0.02)
        total = np.concatenate([np.cumsum(part) for part in np.split(steps, restarts)])
        counters.append((labels, times, total))
        counts = np.zeros(len(times))
        for bound in ("0.1", "0.5", "1.0", "+Inf"):
            counts = counts + np.cumsum(rng.integers(0, 9, len(times)))
            buckets.append((labels.merged({"le": bound}), times, counts))
    gather = SeriesSet.gather
    return {"depth": gather(gauges), "requests_total": gather(counters), "response_bucket": gather(buckets)}


def open_metrics(metrics: dict[str, SeriesSet]) -> str:
    """Write series as OpenMetrics with times."""
    lines = []
    for metric, found in metrics.items():
        kind = "counter" if metric.endswith("_total") else "histogram" if "bucket" in metric else "gauge"
        lines.append(f"# TYPE {metric.removesuffix('_total').removesuffix('_bucket')} {kind}")
        for place in range(len(found)):
            labels, times, values = found.one(place)
            name = metric + str(labels).replace(", ", ",")
            lines += [
                f"{name} {value!r} {at:.3f}"
                for at, value in zip(times.tolist(), values.tolist(), strict=True)
            ]
    return "\n".join([*lines, "# EOF\n"])


def wait_until_ready(address: str) -> None:
    """Wait until a Prometheus that accepts connections also answers queries."""
    until = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(address, timeout=30).close()
            return
        except urllib.error.HTTPError:
            assert time.monotonic() < until
            time.sleep(0.05)


@pytest.fixture(scope="module")
def metrics() -> dict[str, SeriesSet]:
    return made_metrics()


@pytest.fixture(scope="module")
def ask(
    program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory, metrics: dict[str, SeriesSet]
) -> Iterator[Ask]:
    """Run a Prometheus over the metrics; give a function that asks it."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "data.om").write_text(open_metrics(metrics))
    (folder / "prometheus.yml").write_text("global: {}\n")
    command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "data.om", "data"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert made.returncode == 0, made.stderr
    (port,) = free_ports(1)
    server = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
    ]

    def query(expression: str, at: float) -> dict[Labels, float]:
        parameters = urllib.parse.urlencode({"query": expression, "time": f"{at:.3f}"})
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/api/v1/query?{parameters}", timeout=30
        ) as reply:
            result: list[dict[str, Any]] = json.load(reply)["data"]["result"]
        found = {}
        for one in result:
            names = {name: text for name, text in one["metric"].items() if name != "__name__"}
            found[Labels(names)] = float(one["value"][1])
        return found

    with running(server, folder / "log", port=port):
        wait_until_ready(f"http://127.0.0.1:{port}/-/ready")
        yield query


SIGNALS: list[dict[str, Any]] = [
    {"metric": "depth"},
    {"metric": "depth", "match": 'server=~"a|c", pool!="x"'},
    *(
        {
            "metric": "requests_total" if function.counter else "depth",
            "function": name,
            "over": over,
            **({function.parameter: PARAMETERS[function.parameter]} if function.parameter else {}),
        }
        for name, function in FUNCTIONS.items()
        for over in (20.0, 90.0, 600.0)
    ),
    *({"metric": "depth", "aggregate": how, "by": ["pool"]} for how in ("sum", "avg", "min", "max", "count")),
    {"metric": "requests_total", "function": "rate", "over": 120.0, "aggregate": "sum", "by": ["pool"],
     "divided_by": {"metric": "depth", "aggregate": "sum", "by": ["pool"]}},
    {"metric": "response_bucket", "function": "rate", "over": 120.0, "aggregate": "sum", "by": ["pool"],
     "histogram_quantile": 0.9},
    {"metric": "response_bucket", "function": "increase", "over": 60.0, "histogram_quantile": 0.2},
]  # fmt: skip


@pytest.mark.parametrize("keys", SIGNALS, ids=lambda keys: Signal.model_validate(keys).promql())
def test_a_signal_is_what_prometheus_computes(ask: Ask, metrics: dict[str, SeriesSet], keys: dict[str, Any]):
    signal = Signal.model_validate(keys)
    rng = np.random.default_rng(11)
    times = metrics[signal.metric].times
    edges = times[:: len(times) // 8]  # windows that begin or end at a sample
    inside = START + rng.random(25) * LENGTH
    at = np.unique(np.round(np.concatenate((inside, edges, edges + (signal.over or 300.0))), 3))
    course = signal.over_time(Scene(MemorySource(metrics), at))
    compared = 0
    for column, when in enumerate(at.tolist()):
        theirs = ask(signal.promql(), when)
        ours = {
            labels: float(course.values[row, column])
            for row, labels in enumerate(course.labels)
            if course.present[row, column]
        }
        assert ours.keys() == theirs.keys(), when
        for labels, value in ours.items():
            if signal.function in EXACT:
                assert value == theirs[labels], (labels, when)
            close = math.isclose(value, theirs[labels], rel_tol=RELATIVE, abs_tol=1e-9)
            assert close or (math.isnan(value) and math.isnan(theirs[labels])), (labels, when)
            compared += 1
    assert compared > 20
