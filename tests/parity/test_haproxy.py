"""HAProxy's strategies pick as HAProxy 2.6.12 was seen to pick."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.parity.driver import Driver, letters, pool, sequences
from workbench.errors import InputError
from workbench.simulate.strategies import Strategy
from workbench.simulate.strategies.haproxy import (
    HaproxyFirst,
    HaproxyHash,
    HaproxyLeastconn,
    HaproxyRoundrobin,
    HaproxySource,
    HaproxyStaticRr,
)

SEEN = sequences("haproxy")
K = [f"k{number}" for number in range(300)]

CASES: dict[str, tuple[Strategy, list[str], bool]] = {
    "roundrobin": (HaproxyRoundrobin(), [], False),
    "static-rr": (HaproxyStaticRr(), [], False),
    "leastconn_idle": (HaproxyLeastconn(), [], False),
    "hash_map_sdbm": (HaproxyHash(), K, False),
    "hash_consistent_default": (HaproxyHash(type="consistent"), K, False),
    "hash_consistent_djb2_avalanche": (
        HaproxyHash(type="consistent", function="djb2", avalanche=True),
        K,
        False,
    ),
    "hash_map_wt6": (HaproxyHash(function="wt6"), K, False),
    "hash_map_crc32_avalanche": (HaproxyHash(function="crc32", avalanche=True), K, False),
    "leastconn_held": (HaproxyLeastconn(), [], True),
    "first_maxconn_held": (HaproxyFirst(), [], True),
    "bounded_load_125_hot_key_held": (HaproxyHash(type="consistent", balance_factor=125), ["hot"], True),
    "set_weight_50pct_s1_of_10_10_10": (HaproxyRoundrobin(), [], False),
}


def test_every_observed_sequence_is_compared() -> None:
    """That of slow start is one of weights, and compared with the properties."""
    assert set(SEEN) - set(CASES) == {"slowstart_12s_weight10_throttle_pct"}


@pytest.mark.parametrize(
    ("name", "seen"),
    [pytest.param(name, seen, id=f"{name}-{seen.get('weights')}") for name in CASES for seen in SEEN[name]],
)
def test_picks_as_observed(name: str, seen: dict[str, Any]) -> None:
    strategy, keys, hold = CASES[name]
    limits = seen.get("maxconn", ())
    servers = pool(seen.get("weights", [1] * len(limits) or [10, 10, 10]), limits=limits)
    driver = Driver(strategy, servers, keys=keys)
    if name.startswith("set_weight_50pct_s1"):
        driver.set_weight(0, 5)
    picks = driver.run(len(seen["picks"]), hold=hold, keys=range(len(keys)) or [0])
    assert letters(picks) == seen["picks"]


def test_weights_that_haproxy_does_not_know_are_refused() -> None:
    with pytest.raises(InputError, match="given 257; allowed: 0 to 256"):
        HaproxyRoundrobin().memory(pool([1, 257]), [])


@pytest.mark.parametrize("given", [{"balance_factor": 100, "type": "consistent"}, {"balance_factor": 125}])
def test_a_balance_factor_that_could_have_no_effect_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="balance_factor"):
        HaproxyHash(**given)


def test_a_key_that_is_no_address_is_refused() -> None:
    with pytest.raises(InputError, match=r"key 'k0'; allowed: an address, such as 192\.0\.2\.7"):
        HaproxySource().memory(pool([1]), ["k0"])
