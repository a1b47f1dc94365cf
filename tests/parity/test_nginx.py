"""nginx's strategies pick as nginx 1.22.1 was seen to pick."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity.driver import Driver, letters, pool, sequences
from workbench.errors import InputError
from workbench.simulate.strategies import Strategy
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
    assert set(SEEN) == set(CASES)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        pytest.param(name, seen, id=f"{name}-{seen['weights']}")
        for name, every in SEEN.items()
        for seen in every
    ],
)
def test_picks_as_observed(name: str, seen: dict[str, Any]) -> None:
    strategy, keys, hold = CASES[name]
    servers = pool(seen["weights"], names=seen.get("servers", ()), limits=seen.get("max_conns", ()))
    driver = Driver(strategy, servers, keys=keys)
    picks = driver.run(len(seen["picks"]), hold=hold, keys=range(len(keys)) or [0])
    assert letters(picks) == seen["picks"]


def test_the_ring_has_as_many_points_as_nginx_counts() -> None:
    seen = SEEN["hash_consistent"][0]
    servers = pool(seen["weights"], names=seen["servers"])
    assert NginxHashConsistent().memory(servers, ["k"]).ints[3 * servers.count] == seen["points"]


def test_a_key_that_is_no_address_is_refused() -> None:
    with pytest.raises(InputError, match=r"key 'k0'; allowed: an address, such as 192\.0\.2\.7"):
        NginxIpHash().memory(pool([1]), ["k0"])
