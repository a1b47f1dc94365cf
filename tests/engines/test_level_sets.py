"""Sets of servers by level: a pick from them is the pick of the strategy's own function, draws included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.random import PCG64, Generator

from tests.engines.test_compiled import check
from tests.engines.test_reference import SHORT, THREE, make_scenario
from workbench.simulate import STRATEGIES
from workbench.simulate.engines.compiled.binding import bind
from workbench.simulate.engines.compiled.level_sets import TOP, make_level_sets, pick_fewest, settle
from workbench.simulate.strategies import Fewest, View

DECLARED = [kind for kind in STRATEGIES if STRATEGIES[kind].fewest is not None]
STEPS = 2000


def view_over(servers: int, kind: str) -> View:
    ints = [0] if STRATEGIES[kind].fewest is Fewest.IN_TURN else []
    whole, real = np.int64, np.float64
    return View(
        usable=np.ones(servers, whole),  # type: ignore[arg-type]
        in_service=np.ones(servers, whole),  # type: ignore[arg-type]
        weight=np.full(servers, 3, whole),  # type: ignore[arg-type]
        ramp=np.ones(servers),  # type: ignore[arg-type]
        in_flight=np.zeros(servers, whole),  # type: ignore[arg-type]
        **dict[str, Any](
            {name: np.zeros(1, real) for name in ("free_at", "now", "demand", "floats")}
            | {name: np.zeros(1, whole) for name in ("key", "tries", "avoid", "fails_allowed")}
        ),
        ints=np.array(ints, whole),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module", params=DECLARED)
def compiled(request: pytest.FixtureRequest) -> tuple[str, Callable[..., int], Callable[..., None]]:
    kind: str = request.param
    view = view_over(1, kind)
    sets = make_level_sets(rows_of(view), wanted=True)
    chance = STRATEGIES[kind].fewest is Fewest.BY_CHANCE
    places = {"pick": STRATEGIES[kind].pick, "BY_CHANCE": chance}
    choose = bind(pick_fewest, places, example=(sets, 0, view, Generator(PCG64(1))))
    return kind, choose, bind(settle, {}, example=(sets, 0, 0, 1, 0))


def rows_of(view: View) -> View:
    return View(*(np.array([values]) for values in view))


@pytest.mark.parametrize("servers", [1, 63, 64, 65, 200])
def test_every_pick_is_the_strategys_own_over_random_states(
    compiled: tuple[str, Callable[..., int], Callable[..., None]], servers: int
):
    kind, choose, move = compiled
    ours, theirs = view_over(servers, kind), view_over(servers, kind)
    one, other = Generator(PCG64(7)), Generator(PCG64(7))
    states = np.random.default_rng(servers)
    sets = make_level_sets(rows_of(ours), wanted=True)
    reached = set()
    for step in range(STEPS):
        picked, expected = choose(sets, 0, ours, one), STRATEGIES[kind].pick(theirs, other)
        assert picked == expected, step
        assert list(ours.ints) == list(theirs.ints), step
        # Mostly few requests everywhere; now and then more than any set tells apart, or no server at all.
        calm = step % 500 < 400
        changed = states.integers(0, servers, 1 + servers // 20)
        for server in changed if picked < 0 else [picked, *changed]:
            level = int(states.integers(0, 3 if calm else TOP + 4))
            level = TOP + int(states.integers(0, 3)) if step % 500 == 450 else level
            usable = int(step % 500 != 499 and (calm or states.random() < 0.5))
            for view in (ours, theirs):
                view.in_flight[server], view.usable[server] = level, usable
            move(sets, 0, server, usable, level)
        reached.add(picked)
    assert one.bit_generator.state == other.bit_generator.state
    assert len(reached - {-1}) == servers


def test_what_declares_itself_is_the_pick_of_the_fewest_in_flight():
    assert DECLARED == ["join_shortest_queue", "least_connections"]


MANY: dict[str, dict[str, Any]] = {
    "one slot": {"pool": {"count": 100}, "arrivals": {"kind": "poisson", "rate": 80}},
    "overload": {"pool": {"count": 40}, "arrivals": {"kind": "poisson", "rate": 70}},
    "limits": {
        "pool": [
            {"name": "a", "count": 50, "slots": 2, "limit": 3},
            {"name": "out", "count": 9, "weight": 0},
        ],
        "arrivals": {"kind": "poisson", "rate": 95},
    },
    "refreshed": {
        "pool": {"count": 70, "delay": "20ms"},
        "arrivals": {"kind": "poisson", "rate": 56},
        "balancers": THREE | {"view": "refreshed", "refresh_every": "700ms"},
    },
    "closed": {
        "pool": {"count": 30},
        "arrivals": {"kind": "closed_loop", "users": 99, "think": {"kind": "exponential", "mean": 2}},
    },
}
QUICK = [("join_shortest_queue", "one slot")]


@pytest.mark.parametrize(
    ("label", "setting"),
    [
        pytest.param(label, setting, marks=() if (label, setting) in QUICK else pytest.mark.slow)
        for label in DECLARED
        for setting in MANY
    ],
)
@pytest.mark.slow
def test_many_servers_have_the_records_of_the_reference_engine(label: str, setting: str):
    changes = {"horizon": SHORT} | MANY[setting]
    check(make_scenario(label, **changes))


@pytest.mark.slow
def test_unequal_weights_are_left_to_the_strategys_own_function():
    pool = [{"name": "small", "count": 20}, {"name": "large", "count": 20, "weight": 3, "speed": 3}]
    check(
        make_scenario("least_connections", pool=pool, arrivals={"kind": "poisson", "rate": 60}, horizon=SHORT)
    )
