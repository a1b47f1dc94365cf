"""Keys of requests: how often each comes, and which scenarios must have them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.simulated import KEYS as FOR_ALL
from tests.simulated import build
from workbench.errors import DocumentError, InputError, TraceError
from workbench.simulate import STRATEGIES, ReferenceEngine, Workload, load_scenario, read_strategy
from workbench.simulate.keys import KEYS, AddressKeys, KeyDistribution, TraceKeys, UniformKeys, ZipfKeys

LEVEL = 1e-4
"""A right distribution fails a test with this probability, if its draws change."""

BASE: dict[str, Any] = {
    "name": "base",
    "arrivals": {"kind": "poisson", "rate": 10},
    "service": {"kind": "exponential", "mean": 0.1},
    "pool": {"count": 3},
    "balancers": {"strategy": "random"},
    "horizon": "3000 requests",
}
HASHING = [kind for kind in STRATEGIES if STRATEGIES[kind].needs_keys]
OF_ADDRESSES = ["haproxy.source", "nginx.ip_hash"]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    file = tmp_path / "trace.csv"
    rows = [f"{row},192.0.2.{row * row % 11},{row}.5\n" for row in range(40)]
    file.write_text("time,client,size\n" + "".join(rows))
    return file


@pytest.fixture(params=sorted(KEYS))
def distribution(request: pytest.FixtureRequest, trace: Path) -> KeyDistribution:
    """One of each kind that there is."""
    return {
        "uniform": UniformKeys(count=23),
        "zipf": ZipfKeys(count=23, exponent=1.2),
        "addresses": AddressKeys(count=23, exponent=0.5),
        "trace": TraceKeys(file=trace, column="client"),
    }[request.param]


def draw(keys: KeyDistribution, count: int, *, seed: int = 1) -> np.ndarray[Any, Any]:
    return keys.start(np.random.default_rng(seed))(count, None)


def test_numbers_are_those_of_the_names_which_differ(distribution: KeyDistribution):
    names, numbers = distribution.names(), draw(distribution, 5000)
    assert len(set(names)) == len(names)
    assert numbers.dtype == np.int64
    assert set(numbers.tolist()) == set(range(len(names)))


@pytest.mark.parametrize("sizes", [[1] * 100, [7, 93], [100]])
def test_keys_do_not_depend_on_the_sizes_in_which_they_are_asked_for(
    distribution: KeyDistribution, sizes: list[int]
):
    source = distribution.start(np.random.default_rng(5))
    pieces = [source(size, None) for size in sizes]
    np.testing.assert_array_equal(np.concatenate(pieces), draw(distribution, 100, seed=5))


@pytest.mark.parametrize(
    ("keys", "shares"),
    [
        (UniformKeys(count=1), [1.0]),
        (UniformKeys(count=7), [1 / 7] * 7),
        (ZipfKeys(count=4, exponent=0), [0.25] * 4),
        (ZipfKeys(count=3), [6 / 11, 3 / 11, 2 / 11]),
        (ZipfKeys(count=3, exponent=2), [36 / 49, 9 / 49, 4 / 49]),
        (AddressKeys(count=5), [0.2] * 5),
        (AddressKeys(count=3, exponent=1), [6 / 11, 3 / 11, 2 / 11]),
    ],
    ids=str,
)
def test_each_key_comes_as_often_as_it_should(keys: KeyDistribution, shares: list[float]):
    counts = np.bincount(draw(keys, 20_000), minlength=len(shares))
    assert len(counts) == len(shares)
    if len(shares) > 1:
        assert stats.chisquare(counts, np.array(shares) * 20_000).pvalue > LEVEL


def test_the_largest_number_of_keys_has_no_key_beyond_it():
    assert 0 <= draw(ZipfKeys(count=1_000_000, exponent=0.1), 100_000).max() < 1_000_000
    assert AddressKeys(count=1_000_000).names()[-1].startswith("10.")


def test_addresses_are_of_one_network_and_differ_in_their_first_three_bytes():
    addresses = [IPv4Address(name) for name in AddressKeys(count=2000).names()]
    assert all(address in IPv4Network("10.0.0.0/8") for address in addresses)
    assert len({address.packed[:3] for address in addresses}) == 2000


@pytest.mark.parametrize("label", OF_ADDRESSES)
def test_clients_of_drawn_addresses_are_spread_over_the_servers(label: str):
    scenario = load_scenario(BASE | {"keys": {"kind": "addresses", "count": 300}})
    workload = Workload(scenario.with_strategy(read_strategy(label)))
    counts = np.bincount(ReferenceEngine().run(workload).server, minlength=3)
    assert counts.min() > 750


def test_a_traces_keys_are_its_texts_each_on_its_own_row(trace: Path):
    recorded = {
        "arrivals": {"kind": "trace", "file": str(trace), "time_column": "time"},
        "keys": {"kind": "trace", "file": str(trace), "column": "client"},
        "horizon": None,
    }
    scenario = load_scenario(BASE | recorded)
    names = scenario.keys.names() if scenario.keys else []
    assert names == sorted(names)
    numbers = Workload(scenario).arrays().key
    assert [names[number] for number in numbers] == [f"192.0.2.{row * row % 11}" for row in range(40)]


def test_a_resampled_trace_keeps_each_requests_own_key(tmp_path: Path):
    """Here the time of a request tells its key."""
    file = tmp_path / "trace.csv"
    file.write_text("time,client\n" + "".join(f"{row},c{row:02}\n" for row in range(50)))
    recorded = {
        "arrivals": {"kind": "trace", "file": str(file), "time_column": "time", "resample": 50},
        "keys": {"kind": "trace", "file": str(file), "column": "client"},
        "horizon": None,
    }
    chunk = Workload(load_scenario(BASE | recorded), replication=2).arrays()
    shift = (chunk.key - chunk.arrival) % 50
    np.testing.assert_allclose(shift, shift[0], atol=1e-9)


def test_another_traces_keys_come_as_often_as_in_it(trace: Path):
    keys = {"kind": "trace", "file": str(trace), "column": "client"}
    scenario = load_scenario(BASE | {"keys": keys})
    counts = np.bincount(Workload(scenario).arrays().key)
    texts = [f"192.0.2.{row * row % 11}" for row in range(40)]
    expected = np.array([texts.count(name) for name in sorted(set(texts))]) * 3000 / 40
    assert stats.chisquare(counts, expected).pvalue > LEVEL


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("uniform", "keys.count: given nothing; allowed: a value (the key is required)"),
        ({"kind": "uniform", "count": 0}, "keys.count: given 0; allowed: greater than or equal to 1"),
        ({"kind": "zipf", "count": 2_000_000}, "keys.count: given 2000000; allowed: less than or equal to"),
        ({"kind": "zipf", "count": 3, "exponent": -1}, "keys.exponent: given -1; allowed: greater than"),
        ({"kind": "addresses", "count": "many"}, "keys.count: given 'many'; allowed: a valid integer"),
        ({"kind": "zip", "count": 3}, "keys.kind: given 'zip'; allowed: one of "),
        (
            {"kind": "trace", "file": "gone.csv", "column": "a"},
            "keys.file: given 'gone.csv'; allowed: ",
        ),
        ({"count": 3}, "keys: given {'count': 3}; allowed: a key distribution with its kind"),
    ],
    ids=str,
)
def test_keys_that_cannot_be_used_are_refused_with_what_is_allowed(keys: Any, problem: str):
    with pytest.raises(DocumentError) as refused:
        load_scenario(BASE | {"keys": keys})
    assert problem in str(refused.value)


def test_a_column_that_a_trace_does_not_have_is_named(trace: Path):
    with pytest.raises(TraceError, match="user"):
        TraceKeys(file=trace, column="user").names()


@pytest.mark.parametrize("kind", HASHING)
def test_the_requests_of_a_key_stay_together(kind: str):
    """While nothing is busy, not even a bound on the load sends a key elsewhere."""
    idle = {"service": {"kind": "deterministic", "value": 0}, "horizon": "600 requests"}
    scenario = load_scenario(BASE | idle | {"keys": FOR_ALL}).with_strategy(build(kind, 3))
    workload = Workload(scenario)
    server, key = ReferenceEngine().run(workload).server, workload.arrays().key
    assert len(set(zip(key.tolist(), server.tolist(), strict=True))) == len(np.unique(key))
    assert len(np.unique(server)) == 3


@pytest.mark.parametrize("kind", HASHING)
def test_a_hashing_strategy_without_keys_is_refused_where_it_is_given(kind: str):
    strategy = build(kind, 3)
    named = strategy.model_dump(mode="json")
    plan = {"comparison": {"strategies": ["random", named]}}
    for wrong in ({"balancers": {"strategy": named}}, plan):
        with pytest.raises(DocumentError, match=f"since {kind} hashes them"):
            load_scenario(BASE | wrong)
    with pytest.raises(InputError, match=rf"keys: given none; allowed: .*since {kind} hashes them"):
        load_scenario(BASE).with_strategy(strategy)
    keyed = load_scenario(BASE | {"keys": FOR_ALL})
    assert keyed.with_strategy(strategy).balancers.strategy == strategy


@pytest.mark.parametrize("kind", OF_ADDRESSES)
def test_a_strategy_of_addresses_refuses_other_texts(kind: str):
    scenario = load_scenario(BASE | {"keys": {"kind": "uniform", "count": 3}})
    with pytest.raises(InputError, match=rf"strategy {kind}: key 'k0'; allowed: an address, such as"):
        ReferenceEngine().run(Workload(scenario.with_strategy(read_strategy(kind))))
