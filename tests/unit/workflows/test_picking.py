"""Pick sequences without a simulation, and the list of strategies."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.parity.driver import letters, sequences
from tests.simulated import build, every_strategy, every_strategy_but
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


WAITING = {
    "haproxy.hash": "its requests wait for the server that the hash names",
    "haproxy.hash(type=consistent, balance_factor=125)": "so do these",
    "haproxy.random": "a request whose draws come out at a full server waits at the balancer",
    "haproxy.source": "its requests wait for the server that the address names",
}


@every_strategy_but(WAITING)
def test_held_requests_fill_every_limit_and_then_there_is_no_server(label: str):
    keys = "10.1.0.1,10.2.0.1,10.3.0.1,10.4.0.1"
    view = show_picks(build(label, 3), limits=[2, 3, 1], count=9, hold=True, keys=keys)
    assert [view.picks.count(server) for server in range(3)] == [2, 3, 1]
    assert view.picks[6:] == [-1, -1, -1]
    assert view.rows()[-1] == ["none", "3", "33.3 %"]


@pytest.mark.parametrize("label", ["haproxy.hash", "haproxy.source"])
def test_requests_by_hash_are_shown_at_the_server_that_they_wait_for(label: str):
    keys = "10.1.0.1,10.2.0.1,10.3.0.1,10.4.0.1"
    free, full = (show_picks(label, count=9, keys=keys, limits=most, hold=True) for most in ((), (1, 1, 1)))
    assert full.picks == free.picks


@pytest.mark.parametrize("seen", sequences("nginx")["failures"])
def test_failures_are_retried_as_nginx_was_seen_to_do(seen: dict[str, Any]):
    names, weights, allowed = zip(*seen["peers"], strict=True)
    view = show_picks(
        "nginx.round_robin",
        weights=weights,
        names=names,
        count=len(seen["tries"]),
        fail=["0@0-99"],
        max_fails=allowed[0],
        interval="0s",
    )
    assert [",".join("Xab"[server] for server in tries) for tries in view.tries] == seen["tries"]
    assert view.picks == [tries[-1] for tries in view.tries]
    assert view.title().startswith("nginx.round_robin: 0,1 1 2 0,1 1 0,2 1")


def test_a_server_that_failed_is_tried_again_once_a_fail_timeout():
    view = show_picks("nginx.round_robin", weights=[1, 1], count=40, fail=["0@0-25"])
    failed = [number for number, tries in enumerate(view.tries) if tries == [0, 1]]
    assert failed[0] == 0
    assert len(failed) > 1
    assert all(11 <= later - earlier <= 14 for earlier, later in pairwise(failed))
    assert 0 not in view.picks[:26]
    assert view.picks[30:].count(0) == 5


@pytest.mark.parametrize(
    ("label", "tries"),
    [
        ("random", [1]),
        ("envoy.round_robin", [1]),
        ("haproxy.roundrobin", [1, 2]),
        ("haproxy.static_rr", [1, 2]),
        ("nginx.round_robin", [1, 2]),
    ],
)
def test_a_failed_request_is_sent_on_where_the_product_does_so(label: str, tries: list[int]):
    view = show_picks(label, count=200, fail=["1@0-199"])
    failed = next(each for each in view.tries if each[0] == 1)
    assert failed == tries


def test_where_all_servers_fail_each_is_tried_and_none_is_left():
    view = show_picks("nginx.least_conn", weights=[1, 1], count=3, fail=["0@0-9", "1@0"], interval=0)
    assert view.tries == [[0, 1], [-1], [-1]]


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
        ("random", {"fail": ["3@1"]}, "fail: given 3; allowed: a server from 0 to 2"),
        ("random", {"fail": ["1@9-5"]}, "fail: given '1@9-5'; allowed: SERVER@FIRST-LAST, such as 0@5-9"),
        ("random", {"fail": ["1"]}, "fail: given '1'; allowed: SERVER@FIRST-LAST"),
        ("random", {"max_fails": 3}, "max_fails: given 3 for random; allowed: for strategies of nginx"),
        ("nginx.hash", {"keys": "k", "max_fails": -1}, "max_fails: given -1; allowed: 0 to 1,000,000"),
        ("random", {"interval": "soon"}, "interval: given 'soon'; allowed: a duration from 0s to 1e6s"),
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
