"""What the dials turn."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import InputError
from workbench.experiments.sweeps.settings import with_settings
from workbench.simulate import load_scenario


@pytest.mark.parametrize(
    "arrivals",
    [
        {"kind": "poisson", "rate": "160/s"},
        {"kind": "gamma", "rate": "160/s", "cv2": 4},
        {"kind": "mmpp", "rates": ["100/s", "300/s"], "dwell": ["1s", "2s"]},
        {"kind": "rate_over_time", "points": [["0s", "100/s"], ["10s", "300/s"]]},
        {
            "kind": "flash_crowd",
            "rate": "50/s",
            "factor": 2,
            "at": "1s",
            "rise": "1s",
            "hold": "1s",
            "fall": "1s",
        },
    ],
    ids=lambda arrivals: str(arrivals["kind"]),
)
def test_load_is_offered_load_by_capacity(scenario: dict[str, Any], arrivals: dict[str, Any]):
    base = load_scenario(scenario | {"arrivals": arrivals, "horizon": "20s"})
    turned = with_settings(base, [("load", 0.7), ("pool.count", 6)])
    assert (turned.offered_load() or 0) / turned.capacity() == pytest.approx(0.7)


@pytest.mark.parametrize("cv2", [0, 0.25, 1, 7.5])
def test_variability_changes_the_spread_and_not_the_mean(scenario: dict[str, Any], cv2: float):
    turned = with_settings(load_scenario(scenario), [("variability", cv2)])
    assert turned.service.moments() == pytest.approx((0.02, cv2))


def test_a_lognormal_demand_stays_one(scenario: dict[str, Any]):
    base = load_scenario(scenario | {"service": {"kind": "lognormal", "mean": "20ms", "cv2": 2}})
    assert with_settings(base, [("variability", 0.5)]).service.kind == "lognormal"


def test_staleness_is_how_often_views_are_refreshed(scenario: dict[str, Any]):
    base = load_scenario(scenario)
    assert with_settings(base, [("staleness", "100ms")]).balancers.refresh_every == 0.1
    assert with_settings(base, [("staleness", 0)]).balancers.view == "shared"


def test_a_slow_share_halves_the_speed_of_so_many_and_keeps_their_weight(scenario: dict[str, Any]):
    base = load_scenario(scenario | {"pool": {"name": "web", "count": 8, "speed": 2, "weight": 3}})
    servers = with_settings(base, [("slow_share", 0.25)]).servers()
    assert sorted(servers.speed) == [1.0, 1.0] + [2.0] * 6
    assert servers.weight == [3] * 8
    assert with_settings(base, [("slow_share", 0)]).servers() == base.servers()


@pytest.mark.parametrize(
    ("dial", "value", "said"),
    [
        ("load", -1, "load: given -1"),
        ("load", 0, "load: given 0"),
        ("variability", "high", "variability: given 'high'"),
        ("slow_share", 1.5, "a share from 0 to 1"),
        ("staleness", "never", "staleness: given 'never'; allowed: a duration"),
    ],
)
def test_a_dial_names_what_it_takes(scenario: dict[str, Any], dial: str, value: Any, said: str):
    with pytest.raises(InputError, match=said):
        with_settings(load_scenario(scenario), [(dial, value)])


def test_a_closed_loop_has_no_load_to_set(scenario: dict[str, Any]):
    closed = {"kind": "closed_loop", "users": 5, "think": {"kind": "exponential", "mean": "1s"}}
    base = load_scenario(scenario | {"arrivals": closed})
    with pytest.raises(InputError, match="all but a closed loop"):
        with_settings(base, [("load", 0.5)])
