"""Deliberately wrong variants do not pick as the real programs were seen to; the sequences tell."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest
from numpy.random import Generator

from tests.parity.driver import Driver, letters, pool, sequences
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import RoundRobin, Strategy, View
from workbench.simulate.strategies.haproxy import (
    HaproxyHash,
    HaproxyLeastconn,
    HaproxyRoundrobin,
    HaproxyStaticRr,
)
from workbench.simulate.strategies.nginx import NginxHashConsistent, NginxLeastConn, NginxRoundRobin

KEYS = [f"k{number}" for number in range(300)]


def altered(function: Callable[..., Any], **changed: Any) -> Callable[..., Any]:
    """Copy a function, and those of ours that it calls, with other values for names of their modules."""
    assert isinstance(function, FunctionType)
    names = {
        name: altered(value, **changed)
        for name, value in function.__globals__.items()
        if name in function.__code__.co_names
        and isinstance(value, FunctionType)
        and value.__module__.startswith("workbench.")
    }
    return FunctionType(function.__code__, {**function.__globals__, **names, **changed}, function.__name__)


def with_pick(base: Strategy, pick: Callable[[View, Generator], int], **more: Any) -> Strategy:
    """Give a strategy another pick."""
    methods = {name: staticmethod(function) for name, function in more.items()}
    kind = type("Wrong", (type(base),), {"pick": staticmethod(pick), **methods, "__module__": __name__})
    return kind.model_validate(base.model_dump())


def scaled(base: Strategy, factor: int) -> Strategy:
    """Let a strategy see weights that are too large by a factor."""

    def heavier(self: Strategy, servers: Servers, keys: Any) -> Any:
        weights = [factor * weight for weight in servers.weight]
        return type(base).memory(base, pool(weights, names=servers.names), keys)

    kind = type("Wrong", (type(base),), {"memory": heavier, "__module__": __name__})
    return kind.model_validate(base.model_dump())


def in_service(view: View) -> View:
    """Count the one request that a server serves, and not those that wait there."""
    return view._replace(in_flight=[min(count, 1) for count in view.in_flight])


def first_of_the_least(view: View, rng: Generator) -> int:
    """Break ties by the order of the pool."""
    return min(
        range(len(view.usable)),
        key=lambda server: (
            (view.in_flight[server] + (view.in_flight[server] > 0)) / view.weight[server],
            server,
        ),
    )


NGINX = NginxLeastConn()
HAPROXY = HaproxyLeastconn()

WRONG: dict[str, tuple[str, str, Strategy, Strategy]] = {
    "tie rule: the first, with nginx": (
        "nginx",
        "least_conn_idle",
        NGINX,
        with_pick(NGINX, first_of_the_least),
    ),
    "tie rule: the first, with HAProxy": (
        "haproxy",
        "leastconn_idle",
        HAPROXY,
        with_pick(HAPROXY, first_of_the_least),
    ),
    "tie rule: nginx's with HAProxy": ("haproxy", "leastconn_idle", HAPROXY, NGINX),
    "weight scale: idle servers by weight with HAProxy": ("haproxy", "leastconn_held", HAPROXY, NGINX),
    "weight scale: one node a weight on HAProxy's ring": (
        "haproxy",
        "hash_consistent_default",
        HaproxyHash(type="consistent"),
        with_pick(HaproxyHash(type="consistent"), altered(HaproxyHash.pick, SCALE=1)),
    ),
    "weight scale: nginx's ring four times as dense": (
        "nginx",
        "hash_consistent",
        NginxHashConsistent(),
        scaled(NginxHashConsistent(), 4),
    ),
    "plain round robin for static-rr": ("haproxy", "static-rr", HaproxyStaticRr(), RoundRobin()),
    "nginx's round robin for static-rr": ("haproxy", "static-rr", HaproxyStaticRr(), NginxRoundRobin()),
    "roundrobin for static-rr": ("haproxy", "static-rr", HaproxyStaticRr(), HaproxyRoundrobin()),
    "in-service count only, with nginx": (
        "nginx",
        "least_conn_held",
        NGINX,
        with_pick(NGINX, lambda view, rng: NginxLeastConn.pick(in_service(view), rng)),
    ),
    "in-service count only, with HAProxy": (
        "haproxy",
        "leastconn_held",
        HAPROXY,
        with_pick(
            HAPROXY,
            lambda view, rng: HaproxyLeastconn.pick(in_service(view), rng),
            taken=lambda view, server: HaproxyLeastconn.taken(in_service(view), server),
        ),
    ),
}


def agrees(strategy: Strategy, product: str, name: str) -> bool:
    """Tell whether a strategy picks as every sequence of a name that was seen."""
    hold, keys = name.endswith("_held"), KEYS if name.startswith("hash") else []
    for seen in sequences(product)[name]:
        driver = Driver(strategy, pool(seen["weights"], names=seen.get("servers", ())), keys=keys)
        picks = driver.run(len(seen["picks"]), hold=hold, keys=range(len(keys)) or [0])
        if letters(picks) != seen["picks"]:
            return False
    return True


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_variant_is_told_from_what_was_seen(what: str) -> None:
    product, name, right, wrong = WRONG[what]
    assert agrees(right, product, name)
    assert not agrees(wrong, product, name)
