"""Stability: which load a pool holds under which strategy, and how many servers would hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.simulate.theory.scenarios import scenario
from workbench.simulate import ReferenceEngine, Workload
from workbench.simulate.theory import stability

UNEQUAL = [{"name": "fast", "count": 4, "speed": 1.5}, {"name": "slow", "count": 4}]


@given(rate=st.floats(0.5, 400), slots=st.integers(1, 5), speed=st.floats(0.2, 5))
def test_the_least_number_holds_and_one_less_does_not(rate: float, slots: int, speed: float):
    group = {"slots": slots, "speed": speed}
    held = stability(scenario(arrivals={"kind": "poisson", "rate": rate}, pool=group))
    assert held is not None
    assume(not held.stable)
    assert held.least_servers is not None

    def holds(count: int) -> bool:
        return rate < count * slots * speed

    assert holds(held.least_servers)
    assert not holds(held.least_servers - 1)


@pytest.mark.parametrize(
    ("strategy", "stable"), [("random", False), ("round_robin", False), ("join_shortest_queue", True)]
)
def test_strategies_that_do_not_look_need_every_server_to_hold_its_share(strategy: str, stable: bool):
    held = stability(
        scenario(arrivals={"kind": "poisson", "rate": 9}, pool=UNEQUAL, balancers={"strategy": strategy})
    )
    assert held is not None
    assert held.stable == stable
    if not stable:
        assert held.least_servers == 6  # 9 a second to 10 servers is 0.9 each, below the slow ones' 1
        assert "random sends slow 1.12 times the work that they can do" in held.sentence("random")


@pytest.mark.parametrize(("rate", "growing"), [(9.0, True), (7.5, False)])
def test_what_is_called_unstable_grows_when_it_is_simulated(rate: float, growing: bool):
    changed = scenario(arrivals={"kind": "poisson", "rate": rate}, pool=UNEQUAL, horizon="40000 requests")
    held = stability(changed)
    assert held is not None
    assert held.stable != growing
    response = ReferenceEngine().run(Workload(changed)).response
    first, last = (float(np.mean(part)) for part in (response[10_000:20_000], response[30_000:]))
    assert (last > 1.5 * first) == growing


def test_weights_put_the_work_where_the_speed_is():
    weighted = [UNEQUAL[0] | {"weight": 3}, UNEQUAL[1] | {"weight": 2}]
    held = stability(
        scenario(
            arrivals={"kind": "poisson", "rate": 9},
            pool=weighted,
            balancers={"strategy": "nginx.round_robin"},
        )
    )
    assert held is not None
    assert held.busiest == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pool": {"count": 6}}, "unstable: queues grow"),
        ({"pool": {"count": 6}}, "at least 7 servers of the group 'server' would hold"),
        ({"pool": {"count": 6, "queue_limit": 3}}, "servers refuse what is too much"),
    ],
)
def test_too_much_is_said_with_what_would_mend_it(changes: dict[str, Any], said: str):
    held = stability(scenario(**changes))
    assert held is not None
    assert said in held.sentence("random")


def test_a_slow_server_of_which_there_are_enough_cannot_be_helped_by_weight():
    pool = [
        {"name": "big", "count": 1, "weight": 1},
        {"name": "small", "count": 1, "speed": 0.01, "weight": 100},
    ]
    held = stability(
        scenario(arrivals={"kind": "poisson", "rate": 0.5}, pool=pool, balancers={"strategy": "nginx.random"})
    )
    assert held is not None
    assert held.least_servers == 4901  # 100 / (n + 100) of .5 is below .01 from n = 4,901 on


def test_a_closed_loop_limits_itself_and_a_stable_pool_needs_no_sentence():
    users = {"kind": "closed_loop", "users": 500, "think": {"kind": "exponential", "mean": 1}}
    assert stability(scenario(arrivals=users)) is None
    held = stability(scenario())
    assert held is not None
    assert held.sentence("random") == ""
