"""nginx's strategies pick as nginx 1.22.1 was seen to pick."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity.driver import Driver, letters, pool, sequences
from workbench.errors import InputError
from workbench.simulate.strategies import STRATEGIES, Strategy, read_strategy
from workbench.simulate.strategies.nginx import (
    NginxHash,
    NginxHashConsistent,
    NginxIpHash,
    NginxLeastConn,
    NginxRoundRobin,
)

SEEN = sequences("nginx")
K = [f"k{number}" for number in range(300)]
IPS = [f"10.{i % 256}.{7 * i % 256}.7" for i in range(300)]

CASES: dict[str, tuple[Strategy, list[str], bool]] = {
    "smooth_wrr": (NginxRoundRobin(), [], False),
    "least_conn_idle": (NginxLeastConn(), [], False),
    "least_conn_held": (NginxLeastConn(), [], True),
    "rr_max_conns_held": (NginxRoundRobin(), [], True),
    "hash": (NginxHash(), K, False),
    "hash_consistent": (NginxHashConsistent(), K, False),
    "ip_hash": (NginxIpHash(), IPS, False),
}


def test_every_observed_sequence_is_compared() -> None:
    assert set(SEEN) - set(CASES) == {"failures"}


@pytest.mark.parametrize(
    ("name", "seen"),
    [pytest.param(name, seen, id=f"{name}-{seen['weights']}") for name in CASES for seen in SEEN[name]],
)
def test_picks_as_observed(name: str, seen: dict[str, Any]) -> None:
    strategy, keys, hold = CASES[name]
    servers = pool(seen["weights"], names=seen.get("servers", ()), limits=seen.get("max_conns", ()))
    driver = Driver(strategy, servers, keys=keys)
    picks = driver.run(len(seen["picks"]), hold=hold, keys=range(len(keys)) or [0])
    assert letters(picks) == seen["picks"]


def tries(driver: Driver, count: int, *, dead: int, allowed: int) -> list[str]:
    """Send requests, at one moment, to a pool with a dead server, and spell the servers that each tries.

    nginx's rule: so many failures put a server out, and a request goes on to one that it has not tried.
    """
    failures = 0
    found = []
    for _ in range(count):
        tried: list[int] = []
        while not tried or tried[-1] == dead:
            tried.append(driver.pick(tried=tried, tries=len(tried)))
            driver.end(tried[-1], good=tried[-1] != dead)
            if tried[-1] == dead:
                failures += 1
                driver.set_down(dead, failures >= allowed)
        found.append(",".join("Xab"[server] for server in tried))
    return found


@pytest.mark.parametrize("seen", SEEN["failures"])
def test_failures_as_observed(seen: dict[str, Any]) -> None:
    names, given, allowed = zip(*seen["peers"], strict=True)
    driver = Driver(NginxRoundRobin(), pool(given, names=names), fails_allowed=allowed)
    assert tries(driver, len(seen["tries"]), dead=0, allowed=allowed[0]) == seen["tries"]


def test_without_the_lowered_weight_the_failures_would_come_in_another_order() -> None:
    seen = SEEN["failures"][0]
    names, given, allowed = zip(*seen["peers"], strict=True)
    driver = Driver(NginxRoundRobin(), pool(given, names=names))
    assert tries(driver, len(seen["tries"]), dead=0, allowed=allowed[0]) != seen["tries"]


@pytest.mark.parametrize("kind", [kind for kind in STRATEGIES if kind.startswith("nginx.")])
def test_every_strategy_lowers_the_effective_weight_by_its_part_and_not_below_0(kind: str) -> None:
    driver = Driver(read_strategy(kind), pool([7, 3]), keys=IPS, fails_allowed=[3, 0])
    effective = []
    for _ in range(4):
        for server in (0, 1):
            driver.view.in_flight[server] += 1
            driver.end(server, good=False)
        effective.append(driver.view.ints[2:4])
    assert effective == [[5, 3], [3, 3], [1, 3], [0, 3]]


def test_the_ring_has_as_many_points_as_nginx_counts() -> None:
    seen = SEEN["hash_consistent"][0]
    servers = pool(seen["weights"], names=seen["servers"])
    assert NginxHashConsistent().memory(servers, ["k"]).ints[3 * servers.count] == seen["points"]


def test_a_key_that_is_no_address_is_refused() -> None:
    with pytest.raises(InputError, match=r"key 'k0'; allowed: an address, such as 192\.0\.2\.7"):
        NginxIpHash().memory(pool([1]), ["k0"])
