"""What each strategy picks, and that it picks the same interpreted and compiled."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.parity.driver import as_arrays, compiled
from tests.simulated import LABELS, build, every_strategy, kind_of
from workbench.errors import InputError, NotFoundError
from workbench.simulate.engines.reference.balancer import fresh_view
from workbench.simulate.keys import AddressKeys
from workbench.simulate.pool import ServerGroup, Servers, expand
from workbench.simulate.strategies import (
    NO_HEALTHY_SERVER,
    STRATEGIES,
    JoinShortestQueue,
    LeastConnections,
    LeastWorkLeft,
    Memory,
    PowerOfTwo,
    Random,
    RoundRobin,
    SizeInterval,
    Strategy,
    View,
    read_strategy,
)
from workbench.simulate.strategies.nginx import NginxRoundRobin

LEVEL = 1e-4
"""A right strategy fails a chi-square test with this probability, if its draws change."""

KEYS = AddressKeys(count=20).names()


def pool(weights: list[int]) -> Servers:
    return expand(
        [ServerGroup(name=f"server-{place}", weight=weight) for place, weight in enumerate(weights)]
    )


def view_for(
    strategy: Strategy,
    weights: list[int],
    *,
    usable: list[int] | None = None,
    in_flight: list[int] | None = None,
    free_at: list[float] | None = None,
    now: float = 0.0,
) -> View:
    """Make a fresh balancer's view."""
    view = fresh_view(strategy, pool(weights), KEYS)
    return view._replace(
        usable=usable or view.usable,
        in_service=list(usable or view.in_service),
        in_flight=in_flight or view.in_flight,
        free_at=free_at or view.free_at,
        now=[now],
    )


def picks(strategy: Strategy, view: View, count: int, *, seed: int = 1) -> list[int]:
    rng = np.random.default_rng(seed)
    return [strategy.pick(view, rng) for _ in range(count)]


def assert_shares(found: list[int], expected: list[float]) -> None:
    """Compare how often each server was picked with its probability; of 0 there must be none."""
    counts, probabilities = np.bincount(found, minlength=len(expected)), np.array(expected)
    assert len(counts) == len(expected)
    possible = probabilities > 0
    assert not counts[~possible].any()
    if possible.sum() > 1:
        assert stats.chisquare(counts[possible], probabilities[possible] * len(found)).pvalue > LEVEL


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[int], list[dict[str, Any]]]:
    """Weights of a pool, and what a balancer knows at a few picks in a row."""
    weights = draw(st.lists(st.integers(0, 5), min_size=1, max_size=8))
    count = len(weights)

    def each(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
        return st.lists(values, min_size=count, max_size=count)

    moment = st.fixed_dictionaries(
        {
            "healthy": each(st.integers(0, 1)),
            "room": each(st.integers(0, 1)),
            "avoid": st.integers(-1, count - 1),
            "in_flight": each(st.integers(0, 4)),
            "free_at": each(st.sampled_from([0.0, 0.5, 1.0, 1.5, 7.25])),
            "now": st.sampled_from([0.0, 0.75, 1.0]),
            "key": st.integers(0, len(KEYS) - 1),
            "demand": st.sampled_from([0.0, 0.6, 1.0, 9.0]),
            "seconds": st.none() | st.sampled_from([0.0, 0.02, 3.0]),
        }
    )
    return weights, draw(st.lists(moment, min_size=1, max_size=20))


def look(view: View, moment: dict[str, Any], able: list[int]) -> None:
    """Put what is known at a moment into the view."""
    in_service = [int(healthy and could) for healthy, could in zip(moment["healthy"], able, strict=True)]
    view.in_service[:] = in_service
    view.usable[:] = [int(up and room) for up, room in zip(in_service, moment["room"], strict=True)]
    view.avoid[0] = moment["avoid"]
    view.tries[0] = int(moment["avoid"] >= 0)
    view.in_flight[:] = moment["in_flight"]
    view.free_at[:] = moment["free_at"]
    view.now[0], view.key[0], view.demand[0] = moment["now"], moment["key"], moment["demand"]


def tell(strategy: Strategy, view: View, server: int, seconds: float | None) -> None:
    """Let a picked server have the request, and where `seconds` says so answer it."""
    view.in_flight[server] += 1
    if strategy.taken is not None:
        strategy.taken(view, server)
    if seconds is not None:
        view.in_flight[server] -= 1
        if strategy.ended is not None:
            strategy.ended(view, server, seconds)
        if strategy.answered is not None:
            strategy.answered(view, server, seconds)


MAY_WAIT_AT_BALANCER = {"haproxy.random": "a draw that comes out at a full server waits at the balancer"}
"""Strategies that may find no server though some are usable, and why."""


@every_strategy
@given(situation=situations(), seed=st.integers(0, 2**32))
@settings(max_examples=60)
def test_a_pick_is_usable_whenever_any_server_is(label: str, situation: Any, seed: int):
    """Even where the requests in flight are others than it was told, as in a view that is refreshed."""
    weights, moments = situation
    strategy = build(label, len(weights))
    view, rng = view_for(strategy, weights), np.random.default_rng(seed)
    able = list(view.usable)
    for moment in moments:
        look(view, moment, able)
        picked = strategy.pick(view, rng)
        allowed = view.in_service if strategy.waits_at_server else view.usable
        if picked == NO_HEALTHY_SERVER:
            assert not any(allowed) or (label in MAY_WAIT_AT_BALANCER and not all(view.usable))
        else:
            assert allowed[picked] == 1
            tell(strategy, view, picked, moment["seconds"])


def cost(strategy: Strategy, view: View, server: int) -> Any:
    """What the strategy promises to make least."""
    if isinstance(strategy, LeastConnections):
        return Fraction(view.in_flight[server], view.weight[server])
    if isinstance(strategy, LeastWorkLeft):
        return max(view.free_at[server], view.now[0])
    return view.in_flight[server]


@pytest.mark.parametrize(
    "strategy",
    [JoinShortestQueue(), LeastConnections(), LeastWorkLeft(), PowerOfTwo(choices=8)],
    ids=lambda strategy: strategy.label,
)
@given(situation=situations(), seed=st.integers(0, 2**32))
def test_the_least_is_picked(strategy: Strategy, situation: Any, seed: int):
    weights, moments = situation
    view, rng = view_for(strategy, weights), np.random.default_rng(seed)
    able = list(view.usable)
    for moment in moments:
        look(view, moment, able)
        picked = strategy.pick(view, rng)
        costs = [cost(strategy, view, server) for server in range(len(weights)) if view.usable[server]]
        if costs:
            assert cost(strategy, view, picked) == min(costs)


@pytest.mark.parametrize(
    ("usable", "expected"),
    [
        ([1, 1, 1], [0, 1, 2, 0, 1, 2, 0]),
        ([1, 0, 1], [0, 2, 0, 2, 0, 2, 0]),
        ([0, 1, 0], [1, 1, 1, 1, 1, 1, 1]),
    ],
)
def test_round_robin_goes_round_the_usable_servers(usable: list[int], expected: list[int]):
    assert picks(RoundRobin(), view_for(RoundRobin(), [7, 2, 1], usable=usable), 7) == expected


def test_round_robin_goes_on_after_the_server_that_it_picked_last():
    view = view_for(RoundRobin(), [1, 1, 1, 1])
    assert picks(RoundRobin(), view, 2) == [0, 1]
    view.usable[2] = 0
    assert picks(RoundRobin(), view, 1) == [3]
    view.usable[2] = 1
    assert picks(RoundRobin(), view, 3) == [0, 1, 2]


@pytest.mark.parametrize(
    ("weights", "observed"), [([5, 1, 1], "aabacaaaabacaa"), ([4, 2, 1], "abacabaabacaba")]
)
def test_nginx_round_robin_equals_what_nginx_1_22_1_was_seen_to_do(weights: list[int], observed: str):
    view = view_for(NginxRoundRobin(), weights)
    assert "".join("abc"[server] for server in picks(NginxRoundRobin(), view, len(observed))) == observed


@given(weights=st.lists(st.integers(0, 30), min_size=1, max_size=12).filter(any), cycles=st.integers(1, 3))
def test_nginx_round_robin_gives_each_server_its_weight_in_every_cycle(weights: list[int], cycles: int):
    view = view_for(NginxRoundRobin(), weights)
    for _ in range(cycles):
        counts = np.bincount(picks(NginxRoundRobin(), view, sum(weights)), minlength=len(weights))
        assert counts.tolist() == weights
    assert view.ints == [0] * len(weights) + weights


def test_nginx_round_robin_lets_a_lowered_effective_weight_grow_back_by_one_a_pick():
    view = view_for(NginxRoundRobin(), [4, 4])
    view.ints[2] = 0
    effective = []
    for _ in range(6):
        picks(NginxRoundRobin(), view, 1)
        effective.append(view.ints[2])
    assert effective == [1, 2, 3, 4, 4, 4]


@pytest.mark.parametrize("weights", [[1, 1, 1, 1, 1], [9, 1, 1, 1, 1]])
def test_random_picks_each_server_equally_often_whatever_its_weight(weights: list[int]):
    assert_shares(picks(Random(), view_for(Random(), weights), 10_000), [0.2] * 5)


@pytest.mark.parametrize("count", [3, 300])  # of 300 servers the draw misses more than it hits
def test_random_is_uniform_over_the_few_that_are_usable(count: int):
    usable = [0] * count
    usable[1] = usable[count - 1] = 1
    assert_shares(
        picks(Random(), view_for(Random(), [1] * count, usable=usable), 4000), [u / 2 for u in usable]
    )


def test_join_shortest_queue_breaks_ties_uniformly():
    view = view_for(JoinShortestQueue(), [1] * 6, usable=[1, 1, 0, 1, 1, 1], in_flight=[2, 1, 1, 1, 3, 1])
    assert_shares(picks(JoinShortestQueue(), view, 6000), [0, 1 / 3, 0, 1 / 3, 0, 1 / 3])


def test_least_connections_takes_turns_among_equals():
    view = view_for(LeastConnections(), [1, 2, 1], in_flight=[1, 2, 1])
    assert picks(LeastConnections(), view, 7) == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize(("weights", "shares"), [([3, 1], [300, 100]), ([1, 1, 2], [100, 100, 200])])
def test_least_connections_holds_connections_in_proportion_to_the_weights(
    weights: list[int], shares: list[int]
):
    view, rng = view_for(LeastConnections(), weights), np.random.default_rng(1)
    for _ in range(400):
        view.in_flight[LeastConnections.pick(view, rng)] += 1
    assert view.in_flight == shares


def test_least_connections_gives_a_server_that_is_slowly_started_its_share():
    view, rng = view_for(LeastConnections(), [2, 2]), np.random.default_rng(1)
    view.ramp[1] = 0.25
    for _ in range(500):
        view.in_flight[LeastConnections.pick(view, rng)] += 1
    assert view.in_flight == [400, 100]


def test_least_work_left_holds_all_that_are_free_now_for_equal():
    view = view_for(LeastWorkLeft(), [1, 1, 1], free_at=[2.0, 1.0, 0.5], now=1.5)
    assert picks(LeastWorkLeft(), view, 2) == [1, 1]


@pytest.mark.parametrize(("servers", "choices"), [(3, 1), (3, 2), (5, 2), (6, 4), (4, 4), (4, 9)])
def test_power_of_two_takes_the_best_of_distinct_servers(servers: int, choices: int):
    """The server of rank r is picked when it is drawn and the r better ones are not."""
    drawn = min(servers, choices)
    shares = [comb(servers - 1 - rank, drawn - 1) / comb(servers, drawn) for rank in range(servers)]
    strategy = PowerOfTwo(choices=choices)
    view = view_for(strategy, [1] * servers, in_flight=list(range(servers)))
    assert_shares(picks(strategy, view, 12_000), shares)


def test_power_of_two_draws_anew_until_it_has_usable_servers():
    view = view_for(PowerOfTwo(), [1] * 6, usable=[0, 0, 1, 0, 1, 1], in_flight=[0, 0, 3, 0, 2, 1])
    assert_shares(picks(PowerOfTwo(), view, 6000), [0, 0, 0, 0, 1 / 3, 2 / 3])


def test_power_of_two_keeps_a_permutation_of_the_servers():
    view = view_for(PowerOfTwo(choices=3), [1] * 9)
    picks(PowerOfTwo(choices=3), view, 100)
    assert sorted(view.ints[1:]) == list(range(9))
    assert view.ints[0] == 3


def test_only_bounds_and_size_interval_are_told_the_demands():
    knowing = {kind for kind in STRATEGIES if STRATEGIES[kind].knows_demand}
    assert knowing == {"least_work_left", "size_interval"}


@pytest.mark.parametrize("kind", list(STRATEGIES))
def test_a_strategy_says_in_words_what_it_does_and_whence_it_is(kind: str):
    member = STRATEGIES[kind]
    assert member.summary
    assert member.source
    assert all(field.description for name, field in member.model_fields.items() if name != "kind")


@every_strategy
def test_a_strategy_needs_keys_exactly_if_its_picks_depend_on_them(label: str):
    def run(key: int) -> list[int]:
        strategy = build(label, 7)
        view, rng = view_for(strategy, [1] * 7), np.random.default_rng(1)
        view.key[0] = key
        return [strategy.pick(view, rng) for _ in range(3)]

    found = {tuple(run(key)) for key in range(len(KEYS))}
    assert (len(found) > 1) == kind_of(label).needs_keys


IN_PARITY_TESTS = tuple(f"{product}." for product in ("envoy", "finagle", "grpc", "haproxy", "nginx"))
"""Their parity tests compare interpreted and compiled picks, too."""


@pytest.mark.parametrize(
    "label",
    [
        pytest.param(label, marks=pytest.mark.slow) if label.startswith(IN_PARITY_TESTS) else label
        for label in LABELS
    ],
)
@pytest.mark.slow
def test_compiled_picks_equal_interpreted_ones(label: str):
    """Lists as the reference engine has them, arrays as the compiled one, and equal generators."""
    for servers in (1, 9):
        strategy = build(label, servers)
        fast = compiled(strategy.pick)
        draw = np.random.default_rng(7)
        weights = draw.integers(0, 6, servers).tolist()
        weights[0] = 1
        lists = view_for(strategy, weights)
        arrays = as_arrays(lists)
        able = list(lists.usable)
        ours, theirs = np.random.default_rng(1), np.random.default_rng(1)
        found = []
        for _ in range(1000):
            moment = {
                "healthy": (draw.random(servers) < draw.choice([0.2, 0.9, 1.0])).astype(int).tolist(),
                "room": (draw.random(servers) < 0.9).astype(int).tolist(),
                "avoid": int(draw.integers(-1, servers)),
                "in_flight": draw.integers(0, 6, servers).tolist(),
                "free_at": draw.choice([0.0, 0.1, 1.0, 2.5, 4.0], servers).tolist(),
                "now": float(draw.choice([0.0, 1.0, 3.0])),
                "key": int(draw.integers(len(KEYS))),
                "demand": float(draw.exponential()),
            }
            look(lists, moment, able)
            look(arrays, moment, able)
            interpreted = strategy.pick(lists, ours)
            assert fast(arrays, theirs) == interpreted
            found.append(interpreted)
        assert arrays.ints.tolist() == lists.ints
        assert arrays.floats.tolist() == lists.floats
        assert ours.random() == theirs.random()
        assert len(set(found)) > servers / 2


@every_strategy
def test_a_label_can_be_read_back(label: str):
    strategy = build(label, 4)
    assert read_strategy(strategy.label) == strategy


@pytest.mark.parametrize("kind", list(STRATEGIES))
def test_a_label_with_every_parameter_can_be_read_back(kind: str):
    given = build(kind, 4).model_dump(exclude={"kind"}, exclude_none=True)
    label = f"{kind}({', '.join(f'{name}={value}' for name, value in given.items())})"
    assert read_strategy(label) == build(kind, 4)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("random", Random()),
        (" random ( ) ", Random()),
        ("nginx.round_robin", NginxRoundRobin()),
        ("size_interval(cutoffs=[100ms, 2s])", SizeInterval(cutoffs=[0.1, 2.0])),
        ("power_of_two", PowerOfTwo(choices=2)),
        ("power_of_two(choices=3)", PowerOfTwo(choices=3)),
        ("power_of_two( choices = 3 )", PowerOfTwo(choices=3)),
        ("power_of_two(choices: 3)", PowerOfTwo(choices=3)),
    ],
)
def test_labels_are_read_as_people_write_them(label: str, expected: Strategy):
    assert read_strategy(label) == expected


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ("", "given ''; allowed: a name, or name(parameter=value, ...)"),
        ("power of two", "given 'power of two'; allowed: a name, or name(parameter=value, ...)"),
        ("random(", "given 'random('; allowed: a name, or name(parameter=value, ...)"),
        ("power_of_two(choices=0)", "choices: given 0; allowed: greater than or equal to 1"),
        ("power_of_two(choices=two)", "choices: given 'two'; allowed: a valid integer"),
        ("power_of_two(choices=)", "choices: given None; allowed: a valid integer"),
        ("power_of_two(choice=3)", "choice: given 3; allowed: one of kind, choices (did you mean choices?)"),
        ("power_of_two(3)", "3: given 3; allowed: Keys should be strings"),
        ("power_of_two(choices=2, choices=3)", "allowed: parameters as name=value, with commas between"),
        ("power_of_two(choices=2 choices: 3)", "allowed: parameters as name=value, with commas between"),
        ("power_of_two(choices=" + "[" * 500, "allowed: a name, or name(parameter=value, ...)"),
        ("power_of_two(choices=" + "[" * 500 + ")", "parameters as name=value, with commas between"),
        ("random(kind=power_of_two)", "kind: given 'power_of_two'; allowed: 'random'"),
    ],
)
def test_a_bad_label_says_what_was_given_and_what_is_allowed(label: str, problem: str):
    with pytest.raises(InputError) as error:
        read_strategy(label)
    assert problem in str(error.value)


def test_an_unknown_strategy_is_answered_with_those_there_are():
    with pytest.raises(NotFoundError, match=r"'powr_of_two'; allowed: .*round_robin.*mean power_of_two\?"):
        read_strategy("powr_of_two(choices=3)")


@pytest.mark.parametrize("name", ["power_of_two", "random"])
def test_built_in_strategies_have_no_code_of_their_own_in_a_runs_key(name: str):
    assert read_strategy(name).code() == ""


def make_users_strategy(pick: Any) -> Strategy:
    class Users(Strategy):
        kind: Literal["users"] = "users"

    Users.pick = staticmethod(pick)
    return Users()


@pytest.mark.parametrize(
    "source",
    [
        "lambda view, rng: 1",
        pytest.param(
            "lambda view, rng: min(range(9), key=lambda server: view.in_flight[server])",
        ),
    ],
)
def test_a_users_code_counts_by_what_it_does(source: str):
    first, again, other = (
        make_users_strategy(eval(text)).code()
        for text in (source, source, source.replace("1", "2").replace("9", "8"))
    )
    assert first == again != other


@pytest.mark.parametrize("changed", ["closure", "default", "memory"])
def test_what_a_users_code_works_with_counts_too(changed: str):
    def make(number: int) -> Strategy:
        strategy = make_users_strategy(
            {
                "closure": lambda view, rng: number,
                "default": lambda view, rng, least=number: least,
                "memory": lambda view, rng: view.ints[0],
            }[changed]
        )
        if changed == "memory":
            source = f"lambda self, servers: Memory([{number}], [])"
            type(strategy).memory = eval(source, {"Memory": Memory})  # type: ignore[method-assign]
        return strategy

    assert make(1).code() == make(1).code()
    assert make(1).code() != make(2).code()
