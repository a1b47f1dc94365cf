"""Pick sequences without a simulation, and the list of strategies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity.driver import letters, sequences
from tests.simulated import build, every_strategy
from workbench.errors import InputError, NotFoundError
from workbench.simulate import STRATEGIES
from workbench.workflows import list_strategies, show_picks

ADDRESSES = ",".join(f"10.{i % 256}.{7 * i % 256}.7" for i in range(300))
OBSERVED = [
    ("nginx", "smooth_wrr", "nginx.round_robin", {}),
    ("nginx", "least_conn_idle", "nginx.least_conn", {}),
    ("nginx", "least_conn_held", "nginx.least_conn", {"hold": True}),
    ("nginx", "rr_max_conns_held", "nginx.round_robin", {"hold": True}),
    ("nginx", "hash", "nginx.hash", {"keys": "k0..k299"}),
    ("nginx", "hash_consistent", "nginx.hash_consistent", {"keys": "k0..k299"}),
    ("nginx", "ip_hash", "nginx.ip_hash", {"keys": ADDRESSES}),
    ("haproxy", "roundrobin", "haproxy.roundrobin", {}),
    ("haproxy", "static-rr", "haproxy.static_rr", {}),
    ("haproxy", "leastconn_idle", "haproxy.leastconn", {}),
    ("haproxy", "leastconn_held", "haproxy.leastconn", {"hold": True}),
    ("haproxy", "hash_map_sdbm", "haproxy.hash", {"keys": "k0..k299"}),
    ("haproxy", "hash_consistent_default", "haproxy.hash(type=consistent)", {"keys": "k0..k299"}),
    (
        "haproxy",
        "bounded_load_125_hot_key_held",
        "haproxy.hash(type=consistent, balance_factor=125)",
        {"keys": "hot", "hold": True},
    ),
]


@pytest.mark.parametrize(
    ("seen", "label", "given"),
    [
        pytest.param(seen, label, given, id=f"{label}-{seen['weights']}{'-held' if 'hold' in given else ''}")
        for product, name, label, given in OBSERVED
        for seen in sequences(product)[name]
    ],
)
def test_picks_are_those_that_the_real_program_was_seen_to_make(
    seen: dict[str, Any], label: str, given: dict[str, Any]
):
    view = show_picks(
        label,
        weights=seen["weights"],
        count=len(seen["picks"]),
        names=seen.get("servers", ()),
        limits=seen.get("max_conns", ()),
        **given,
    )
    assert letters(view.picks) == seen["picks"]


@every_strategy
def test_held_requests_fill_every_limit_and_then_there_is_no_server(label: str):
    keys = "10.1.0.1,10.2.0.1,10.3.0.1,10.4.0.1"
    view = show_picks(build(label, 3), limits=[2, 3, 1], count=9, hold=True, keys=keys)
    assert [view.picks.count(server) for server in range(3)] == [2, 3, 1]
    assert view.picks[6:] == [-1, -1, -1]
    assert view.rows()[-1] == ["none", "3", "33.3 %"]


@every_strategy
def test_a_server_that_is_down_is_not_picked_and_a_pool_that_is_down_has_none(label: str):
    keys = "10.1.0.1,10.2.0.1,10.3.0.1,10.4.0.1"
    assert 1 not in show_picks(build(label, 3), count=40, down=[1], keys=keys).picks
    assert set(show_picks(build(label, 3), count=5, down=[0, 1, 2], keys=keys).picks) == {-1}


@every_strategy
def test_the_same_seed_gives_the_same_picks(label: str):
    first, again = (show_picks(build(label, 3), count=60, keys="10.1.0.1,10.2.0.1", seed=9) for _ in "ab")
    assert first == again


def test_keys_are_spelled_out_and_come_in_turn():
    spelled, ranged = (show_picks("nginx.hash", keys=keys, count=12) for keys in ("a,x8,x9,x10", "a,x8..x10"))
    assert spelled == ranged
    assert spelled.picks == spelled.picks[:4] * 3


def test_picks_show_themselves():
    view = show_picks("nginx.round_robin", weights=[5, 1, 1], count=7, names=["a", "b", "c"])
    assert view.title() == "nginx.round_robin: 0 0 1 0 2 0 0"
    assert view.rows() == [["a", "5", "71.4 %"], ["b", "1", "14.3 %"], ["c", "1", "14.3 %"]]


@pytest.mark.parametrize(
    ("label", "options", "complaint"),
    [
        ("random", {"weights": []}, "weights: given none"),
        ("random", {"weights": [1, 70_000]}, "weight: given 70000"),
        ("random", {"count": 0}, "count: given 0; allowed: 1 to 1,000,000"),
        ("random", {"count": 1_000_001}, "count: given 1000001; allowed: 1 to 1,000,000"),
        ("random", {"names": ["a"]}, "names: given 1; allowed: one for each of the 3 weights"),
        ("random", {"limits": [1, 2]}, "limits: given 2; allowed: one for each of the 3 weights"),
        ("random", {"limits": [1, 2, -1]}, "limit: given -1"),
        ("random", {"down": [3]}, "down: given 3; allowed: a server from 0 to 2"),
        ("nginx.hash", {}, "keys: given none; allowed: at least one, since nginx.hash hashes keys"),
        ("nginx.hash", {"keys": "k9..k1"}, "keys: given 'k9..k1'; allowed: a range such as k0..k299"),
        ("nginx.hash", {"keys": "k1..j9"}, "keys: given 'k1..j9'"),
        ("nginx.hash", {"keys": "k1..k1000000"}, "keys: given 'k1..k1000000'"),
        ("nginx.ip_hash", {"keys": "k0..k3"}, "key 'k0'; allowed: an address"),
        ("haproxy.static_rr", {"weights": [257]}, "weight of server-0: given 257; allowed: 0 to 256"),
        ("power_of_two(choices=0)", {}, "choices: given 0"),
        ("size_interval", {}, "cutoffs: given nothing; allowed: a value"),
        ("size_interval(cutoffs=[1])", {}, "cutoffs: given 1 for 3 servers"),
    ],
)
def test_what_cannot_be_picked_from_is_refused(label: str, options: dict[str, Any], complaint: str):
    with pytest.raises(InputError) as refused:
        show_picks(label, **options)
    assert complaint in str(refused.value)


def test_an_unknown_strategy_is_named():
    with pytest.raises(NotFoundError, match=r"'nginx.rr'; allowed"):
        show_picks("nginx.rr")


def test_every_strategy_is_listed_with_its_parameters():
    view = list_strategies()
    assert [one["kind"] for one in view.strategies] == sorted(STRATEGIES)
    assert all(parameter["meaning"] for one in view.strategies for parameter in one["parameters"].values())
    listed = {one["kind"]: one["parameters"] for one in view.strategies}
    assert listed["power_of_two"]["choices"]["default"] == 2
    assert listed["size_interval"]["cutoffs"]["required"]
