"""The definitions: their names and units are as Prometheus wants them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from workbench.monitor import BUCKETS, METRICS, MetricKind, Point
from workbench.monitor.exposition import exposition
from workbench.monitor.metrics import family


@pytest.mark.parametrize("name", METRICS)
def test_a_names_end_is_its_unit_and_kind(name: str):
    metric = METRICS[name]
    assert name.endswith("_total") == (metric.kind is MetricKind.COUNTER)
    plain = name.removesuffix("_total")
    assert plain.endswith("_seconds") == (metric.unit == "s")
    assert plain.endswith("_per_second") == (metric.unit == "1/s")
    assert not (metric.most == 1.0 and metric.unit)


@pytest.mark.parametrize("series", ["workbench_wait_seconds", "workbench_queue_depth_bucket", "other_total"])
def test_what_is_no_series_has_no_metric(series: str):
    with pytest.raises(KeyError, match=series):
        family(series)


def one_of_each() -> Iterator[Point]:
    for name, metric in METRICS.items():
        labels = dict.fromkeys(metric.labels, "0.99")
        if metric.kind is not MetricKind.HISTOGRAM:
            yield Point(name, labels, 1.0)
            continue
        for bound in (*BUCKETS, float("inf")):
            yield Point(f"{name}_bucket", labels | {"le": f"{bound:g}".replace("inf", "+Inf")}, 1.0)
        yield Point(f"{name}_count", labels, 1.0)
        yield Point(f"{name}_sum", labels, 0.001)


def test_promtool_finds_nothing_wrong_with_any_metric(program: Callable[[str], str]):
    command = [program("promtool"), "check", "metrics"]
    checked = subprocess.run(
        command, input=exposition(one_of_each()), capture_output=True, text=True, check=False, timeout=30
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_promtool_would_find_what_is_wrong(program: Callable[[str], str]):
    text = "# HELP a_ms time\n# TYPE a_ms gauge\na_ms 1\n"
    command = [program("promtool"), "check", "metrics"]
    checked = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=30)
    assert checked.returncode != 0
