"""The series that rules see are what counting request by request gives."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.alerts.labels import Labels
from workbench.alerts.metrics import find_metric
from workbench.simulate import Records, ReferenceEngine, Scenario, Workload
from workbench.tables import Outcome
from workbench.workflows.alerting import known_metrics
from workbench.workflows.queue_series import IN_DRILLS, observe, queue_series

STEP = 0.5


@pytest.fixture(scope="module")
def records() -> Records:
    scenario = Scenario.model_validate(
        {
            "name": "small",
            "arrivals": {"kind": "poisson", "rate": "110/s"},
            "service": {"kind": "exponential", "mean": "20ms"},
            "pool": {"count": 2, "queue_limit": 6, "delay": "5ms"},
            "balancers": {"strategy": "round_robin"},
            "horizon": "2000 requests",
        }
    )
    return ReferenceEngine().run(Workload(scenario))


@pytest.fixture(scope="module")
def series(records: Records):
    found = queue_series(observe(records, names=["a", "b"], slots=[1, 1]), step=STEP, until=15.0)

    def values(metric: str, **labels: str) -> np.ndarray:
        place = found[metric].labels.index(Labels(labels))
        return found[metric].one(place)[2]

    return values


def by_hand(records: Records, server: int, at: float) -> dict[str, float]:
    """Count request by request what a scrape at a time would have seen."""
    waiting, serving, errors, answers, fast = [], 0, 0, 0, 0
    for request in np.flatnonzero(records.server == server):
        come = records.arrival[request] + records.delay[server]
        if np.isfinite(records.finish[request]):
            if come <= at < records.begin[request]:
                waiting.append(at - come)
            serving += records.begin[request] <= at < records.finish[request]
        if records.answered[request] <= at:
            good = records.outcome[request] == Outcome.OK
            answers += 1
            errors += not good
            fast += good and records.answered[request] - records.arrival[request] <= 0.05
    return {
        "workbench_queue_depth": len(waiting),
        "workbench_oldest_wait_seconds": max(waiting, default=0.0),
        "workbench_in_service": serving,
        "workbench_errors_total": errors,
        "workbench_answers_total": answers,
        "workbench_response_seconds_bucket": fast,
    }


@pytest.mark.parametrize("server", [0, 1])
@pytest.mark.parametrize("place", [0, 1, 7, 13, 20, 30])
def test_a_sample_is_what_counting_gives(records: Records, series, server: int, place: int):
    for metric, expected in by_hand(records, server, place * STEP).items():
        labels = {"server": "ab"[server]} | ({"le": "0.05"} if metric.endswith("_bucket") else {})
        assert series(metric, **labels)[place] == pytest.approx(expected, abs=1e-9), metric


def test_there_was_something_to_count(series):
    assert series("workbench_errors_total", server="a")[-1] > 10
    assert series("workbench_oldest_wait_seconds", server="a").max() > 0.05


def test_utilisation_is_the_share_of_the_step_that_was_busy(records: Records, series):
    served = (records.server == 0) & np.isfinite(records.finish)
    edges = STEP * np.arange(31)
    for place in (1, 9, 25):
        low, high = edges[place - 1], edges[place]
        busy = np.clip(records.finish[served], low, high) - np.clip(records.begin[served], low, high)
        assert series("workbench_utilisation_ratio", server="a")[place] == pytest.approx(busy.sum() / STEP)


def test_what_a_drill_gives_is_as_the_metrics_are_defined(records: Records):
    found = queue_series(observe(records, names=["a", "b"], slots=[1, 1]), step=STEP, until=15.0)
    named = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in found}
    assert named == set(IN_DRILLS)
    for name, some in found.items():
        metric = find_metric(name, known_metrics())
        assert metric is not None
        assert all(set(labels) <= set(metric.labels) for labels in some.labels)
        assert metric.least <= some.values.min()
        assert some.values.max() <= metric.most
