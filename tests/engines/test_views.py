"""What several balancers know of one pool: private, shared and refreshed views, and limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.errors import DocumentError
from workbench.simulate import Records, ReferenceEngine, Workload, load_scenario
from workbench.tables import Outcome

BASE = {
    "name": "views",
    "arrivals": {"kind": "poisson", "rate": 6.4},
    "service": {"kind": "exponential", "mean": 1.0},
    "pool": {"count": 8},
    "balancers": {"strategy": "join_shortest_queue"},
    "horizon": "20k requests",
}


def run(balancers: dict[str, Any], **changed: Any) -> Records:
    settings = {"strategy": "join_shortest_queue"} | balancers
    return ReferenceEngine().run(Workload(load_scenario(BASE | {"balancers": settings} | changed)))


def mean(balancers: dict[str, Any]) -> float:
    return float(run(balancers).response.mean())


def test_the_staler_the_view_the_worse_the_picks():
    ages = (0.05, 0.5, 2.0, 8.0)
    means = [mean({"count": 4, "view": "refreshed", "refresh_every": age}) for age in ages]
    assert means == sorted(means)
    shared, private = mean({"count": 4, "view": "shared"}), mean({"count": 4})
    assert shared < means[0] < 1.1 * shared
    assert shared < private


def test_one_balancer_sees_the_same_however_its_view_is_called():
    runs = [run({}), run({"view": "shared"}), run({"view": "refreshed", "refresh_every": 1.0})]
    for other in runs[1:]:
        np.testing.assert_array_equal(runs[0].server, other.server)


def test_more_balancers_with_views_of_their_own_are_worse():
    means = [mean({"count": count}) for count in (1, 2, 4, 8)]
    assert means == sorted(means)


@pytest.mark.parametrize("view", ["private", "shared", "refreshed"])
def test_refreshing_ends_with_the_run_and_loses_nothing(view: str):
    more = {"refresh_every": 3.0} if view == "refreshed" else {}
    records = run({"count": 3, "view": view, **more})
    assert abs(records.area - records.response.sum()) / records.area < 1e-9
    assert (records.outcome == Outcome.OK).all()


@pytest.mark.parametrize("wrong", [{"view": "refreshed"}, {"refresh_every": "1s"}])
def test_a_refresh_time_and_a_refreshed_view_go_together(wrong: dict[str, Any]):
    with pytest.raises(DocumentError, match="refresh_every"):
        load_scenario(BASE | {"balancers": {"strategy": "random"} | wrong})
