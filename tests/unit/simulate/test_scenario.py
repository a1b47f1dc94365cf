"""Scenario files: what they mean, and that bad ones say everything that is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from tests.simulated import KEYS as KEYS_FOR_ALL
from tests.simulated import LABELS, build
from workbench.documents import parse_document
from workbench.errors import DocumentError, NotFoundError, WorkbenchError
from workbench.quantities import Extent
from workbench.simulate import (
    STRATEGIES,
    Measure,
    ReferenceEngine,
    Scenario,
    Strategy,
    Workload,
    load_scenario,
    read_strategy,
)
from workbench.simulate.pool import ServerGroup, expand
from workbench.tables import SUMMARIES

GOOD = """\
name: checkout
description: two groups behind three balancers
arrivals: {kind: gamma, rate: 20k/min, cv2: 4}
service:
  kind: lognormal
  mean: 250ms
  cv2: 2
pool:
  - {name: big, count: 2, slots: 8, speed: 2, weight: 3}
  - {name: small, queue_limit: 100, delay: 2ms}
balancers:
  strategy: {kind: power_of_two, choices: 3}
  count: 3
  view: shared
network: {delay: 500us}
horizon: 10min
warm_up: 1min
sample_every: 10s
seed: 42
comparison:
  strategies: [random, {kind: power_of_two, choices: 5}]
  replications: 20
  measure: response_p99
"""
BASE: dict[str, Any] = {
    "name": "base",
    "arrivals": {"kind": "poisson", "rate": 3},
    "service": {"kind": "exponential", "mean": 1},
    "pool": [{"count": 4}],
    "balancers": {"strategy": "random"},
    "horizon": "100 requests",
}


def parse(text: str, folder: Path = Path()) -> Scenario:
    return parse_document(text, Scenario, name="checkout.yaml", folder=folder)


def problems(text: str, folder: Path = Path()) -> list[str]:
    with pytest.raises(DocumentError) as error:
        parse(text, folder)
    return str(error.value).splitlines()


def test_a_scenario_is_read_as_people_write_it():
    scenario = parse(GOOD)
    assert scenario.arrivals.mean_rate() == pytest.approx(20_000 / 60)
    assert scenario.service.moments().mean == 0.25
    assert scenario.horizon == Extent(seconds=600)
    assert scenario.warm_up == Extent(seconds=60)
    assert scenario.sample_every == 10
    assert scenario.balancers.strategy.label == "power_of_two(choices=3)"
    assert scenario.comparison is not None
    assert [strategy.label for strategy in scenario.comparison.strategies] == [
        "random",
        "power_of_two(choices=5)",
    ]
    assert scenario.comparison.measure is Measure.RESPONSE_P99


def test_a_pool_is_listed_server_by_server():
    servers = parse(GOOD).servers()
    assert servers.names == ["big-0", "big-1", "small"]
    assert servers.slots == [8, 8, 1]
    assert servers.speed == [2, 2, 1]
    assert servers.weight == [3, 3, 1]
    assert servers.queue_limit == [None, None, 100]
    assert servers.delay == pytest.approx([0.0005, 0.0005, 0.0025])
    assert servers.count == 3


def test_capacity_and_offered_load_are_seconds_of_demand_a_second():
    scenario = parse(GOOD)
    assert scenario.capacity() == 2 * 8 * 2 + 1
    assert scenario.offered_load() == pytest.approx(20_000 / 60 * 0.25)
    idle = load_scenario(BASE | {"pool": [{"count": 2}, {"count": 5, "weight": 0}]})
    assert idle.capacity() == 2


def test_a_closed_loop_has_no_offered_load_of_its_own():
    loop = {"kind": "closed_loop", "users": 3, "think": {"kind": "exponential", "mean": 1}}
    scenario = load_scenario(BASE | {"arrivals": loop})
    assert scenario.offered_load() is None
    assert scenario.closed is scenario.arrivals


def test_every_problem_of_a_file_is_reported_at_once():
    assert problems("""\
name: checkout
arrivals:
  kind: poisson
  rate: -10/s
service: {kind: exponential, mean: 50ms}
pool:
  - count: 2
    slots: 0
  - count: 3
    colour: red
balancers:
  strategy: {kind: power_of_two, choices: none}
  view: public
horizon: soon
sed: 4
""") == [
        "checkout.yaml:4: arrivals.rate: given '-10/s'; allowed: a rate of 0 or more, "
        "such as 340/s or 20k/min",
        "checkout.yaml:8: pool[0].slots: given 0; allowed: greater than or equal to 1",
        "checkout.yaml:10: pool[1].colour: given 'red'; allowed: one of name, count, slots, discipline, "
        "speed, weight, queue_limit, limit, least_limit, zone, priority, gives_up, delay",
        "checkout.yaml:12: balancers.strategy.choices: given 'none'; allowed: a valid integer, "
        "unable to parse string as an integer",
        "checkout.yaml:13: balancers.view: given 'public'; allowed: 'private', 'shared' or 'refreshed'",
        "checkout.yaml:14: horizon: given 'soon'; allowed: a number of requests, a duration or a share: "
        "100k requests, 10min, 10%",
        "checkout.yaml:15: sed: given 4; allowed: one of name, description, arrivals, service, pool, "
        "balancers, keys, clients, network, faults, horizon, warm_up, sample_every, seed, engine, comparison "
        "(did you mean seed?)",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "arrivals: {kind: poisson, rate: -3}",
            "arrivals.rate: given -3; allowed: a rate of 0 or more",
        ),
        ("arrivals: {kind: poisson, rate: 0/s}", "arrivals.rate: given '0/s'; allowed: more than 0"),
        (
            "arrivals: {kind: poison, rate: 3}",
            "arrivals.kind: given 'poison'; allowed: one of closed_loop, flash_crowd, gamma",
        ),
        ("arrivals: {kind: poison, rate: 3}", "(did you mean poisson?)"),
        (
            "arrivals: {rate: 3}",
            "arrivals: given {'rate': 3}; allowed: an arrival process with its kind: one of",
        ),
        ("arrivals: poisson", "arrivals.rate: given nothing; allowed: a value (the key is required)"),
        (
            "arrivals: {kind: poisson, rate: 3, rat: 3}",
            "arrivals.rat: given 3; allowed: one of kind, rate (did you mean rate?)",
        ),
        (
            "arrivals: {kind: trace, file: gone.csv, time_column: t}",
            "arrivals.file: given 'gone.csv'; allowed: a file that exists",
        ),
        (
            "arrivals: {kind: mmpp, rates: [1, 2], dwell: [1s, 2s, 3s]}",
            "allowed: as many rates as dwell times",
        ),
        (
            "arrivals: {kind: rate_over_time, points: [[0s, 1/s], [9s, 2/s], [5s, 3/s]]}",
            "allowed: points that begin at 0s",
        ),
        (
            "arrivals: {kind: closed_loop, users: 3, think: {kind: erlan, mean: 1}}",
            "arrivals.think.kind: given 'erlan'; allowed",
        ),
        ("pool: {count: 0}", "pool[0].count: given 0; allowed: greater than or equal to 1"),
        ("pool: {weight: -1}", "pool[0].weight: given -1; allowed: greater than or equal to 0"),
        ("pool: []", "pool: given []; allowed: Value should have at least 1 item"),
        (
            "balancers: {strategy: jsq}",
            "balancers.strategy.kind: given 'jsq'; allowed: one of ",
        ),
        (
            "balancers: {strategy: {kind: power_of_two, choices: 0}}",
            "balancers.strategy.choices: given 0; allowed: greater",
        ),
        ("balancers: {}", "balancers.strategy: given nothing; allowed: a value (the key is required)"),
        ("horizon: 10%", "allowed: a horizon above 0, in requests or as a time"),
        ("horizon: 0 requests", "allowed: a horizon above 0, in requests or as a time"),
        ("horizon: 0s", "allowed: a horizon above 0, in requests or as a time"),
        ("horizon: ", "allowed: a horizon, such as `horizon: 100k requests` or `horizon: 10min`"),
        ("warm_up: 100%", "warm_up.share: given 1.0; allowed: less than 1"),
        ("warm_up: -5s", "warm_up: given '-5s'; allowed: a number of requests,"),
        ("sample_every: 0s", "sample_every: given '0s'; allowed: more than 0"),
        ("seed: -1", "seed: given -1; allowed: greater than or equal to 0"),
        ("seed: lucky", "seed: given 'lucky'; allowed: a valid integer"),
        ("name: ''", "name: given ''; allowed: String should have at least 1 character"),
        (
            "comparison: {strategies: []}",
            "comparison.strategies: given []; allowed: List should have at least 1",
        ),
        (
            "comparison: {strategies: [random], replications: 1}",
            "comparison.replications: given 1; allowed:",
        ),
        (
            "comparison: {strategies: [random], measure: mean}",
            "comparison.measure: given 'mean'; allowed: 'response_mean'",
        ),
    ],
)
def test_a_bad_value_says_what_was_given_and_what_is_allowed(line: str, problem: str):
    others = [f"{key}: {json.dumps(value)}" for key, value in BASE.items() if not line.startswith(key)]
    [found] = problems("\n".join([*others, line]))
    assert found.startswith("checkout.yaml:")
    assert problem in found


@pytest.mark.parametrize("pool", [[{"weight": 0}], [{"count": 3, "weight": 0}, {"weight": 0}]])
def test_a_pool_without_any_weight_is_refused(pool: list[dict[str, int]]):
    with pytest.raises(DocumentError, match="a pool in which at least one server has a weight above 0"):
        load_scenario(BASE | {"pool": pool})


def test_a_pool_has_at_most_30_000_servers():
    with pytest.raises(DocumentError, match=r"at most 30,000 servers in all"):
        load_scenario(BASE | {"pool": [{"count": 20_000}, {"count": 10_001}]})
    assert load_scenario(BASE | {"pool": [{"count": 20_000}, {"count": 10_000}]}).servers().count == 30_000


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("pool: {weight: 0}\nhorizon: 1s\n", "checkout.yaml:5: pool: given "),
        ("pool: {weight: 1}\nhorizon: 10%\n", "checkout.yaml:6: horizon: given '10%'; allowed: "),
    ],
)
def test_a_rule_across_keys_is_reported_at_its_key(lines: str, expected: str):
    others = ("name", "arrivals", "service", "balancers")
    text = "\n".join(f"{key}: {json.dumps(BASE[key])}" for key in others)
    assert problems(f"{text}\n{lines}")[0].startswith(expected)


def test_a_rule_across_keys_is_reported_with_the_other_problems():
    found = problems("name: a\narrivals: {kind: poisson, rate: 1}\npool: {weight: 0}\nseed: -1\n")
    for key in ("service", "pool", "balancers", "horizon", "seed"):
        assert any(f": {key}: " in problem for problem in found), key


def test_a_trace_needs_no_horizon(tmp_path: Path):
    (tmp_path / "trace.csv").write_text("time\n0\n1\n")
    trace = {"kind": "trace", "file": "trace.csv", "time_column": "time"}
    scenario = load_scenario(BASE | {"arrivals": trace, "horizon": None}, folder=tmp_path)
    assert len(ReferenceEngine().run(Workload(scenario))) == 2


def test_a_file_is_found_from_the_documents_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "trace.csv").write_text("time,size\n0,1\n")
    document = tmp_path / "data" / "scenario.yaml"
    document.write_text(
        "name: a\narrivals: {kind: trace, file: trace.csv, time_column: time}\n"
        "service: {kind: trace, file: ../data/trace.csv, per: {size: 1s}}\n"
        "pool: {count: 1}\nbalancers: {strategy: random}\n"
    )
    monkeypatch.chdir(tmp_path / "elsewhere")
    scenario = load_scenario(document)
    assert scenario == load_scenario(str(document))
    assert len(ReferenceEngine().run(Workload(scenario))) == 1
    document.write_text(document.read_text().replace("file: trace.csv", "file: gone.csv"))
    with pytest.raises(DocumentError) as error:
        load_scenario(document)
    assert str(error.value) == (
        f"{document}:2: arrivals.file: given 'gone.csv'; "
        f"allowed: a file that exists, found from {tmp_path}/data"
    )


def test_a_scenario_is_given_back_as_it_is():
    scenario = parse(GOOD)
    assert load_scenario(scenario) is scenario


def test_a_dict_is_checked_without_lines():
    with pytest.raises(DocumentError, match=r"^scenario: seed: given -1; allowed: "):
        load_scenario(BASE | {"seed": -1})


KINDS: list[dict[str, Any]] = [
    {"arrivals": {"kind": "uniform", "rate": "5/min", "spread": 0.5}},
    {"arrivals": {"kind": "mmpp", "rates": [0, "3/s"], "dwell": ["1min", 5]}},
    {
        "arrivals": {
            "kind": "rate_over_time",
            "points": [[0, 1], ["1h", 0]],
            "between": "step",
            "repeat": True,
        }
    },
    {"arrivals": {"kind": "closed_loop", "users": 3, "think": {"kind": "erlang", "mean": 2, "stages": 3}}},
    {"service": {"kind": "empirical", "values": ["1ms", 2], "weights": [1, 3]}},
    {"service": {"kind": "pareto", "least": "1ms", "alpha": 0.5, "most": "1h"}},
    {"service": {"kind": "hyperexponential", "mean": 1, "cv2": 3}},
    {"service": {"kind": "deterministic", "value": 0}},
    {"pool": {"limit": 3}},
    {"balancers": {"strategy": "random", "view": "refreshed", "refresh_every": "250ms"}},
    {"keys": {"kind": "uniform", "count": 7}},
    {"keys": {"kind": "zipf", "count": 7, "exponent": 0.8}},
    *(
        {"balancers": {"strategy": build(label, 4).model_dump(mode="json")}, "keys": KEYS_FOR_ALL}
        for label in LABELS
    ),
]


@pytest.mark.parametrize("scenario", [parse(GOOD), *(load_scenario(BASE | kind) for kind in KINDS)], ids=str)
def test_json_gives_the_same_scenario_again(scenario: Scenario):
    text = scenario.to_json()
    assert load_scenario(json.loads(text)) == scenario
    assert load_scenario(json.loads(text)).to_json() == text
    assert load_scenario(json.loads(text)).key(replication=0, engine="reference") == scenario.key(
        replication=0, engine="reference"
    )


def test_a_traces_path_is_absolute_in_json(tmp_path: Path):
    (tmp_path / "trace.csv").write_text("time\n0\n")
    trace = {"kind": "trace", "file": "trace.csv", "time_column": "time"}
    scenario = load_scenario(BASE | {"arrivals": trace}, folder=tmp_path)
    assert load_scenario(json.loads(scenario.to_json()), folder=Path("/")) == scenario


def key(scenario: Scenario, *, replication: int = 0, engine: str = "reference") -> str:
    return scenario.key(replication=replication, engine=engine)


CHANGES: list[dict[str, Any]] = [
    {"seed": 2},
    {"arrivals": {"kind": "poisson", "rate": 3.0000001}},
    {"arrivals": {"kind": "gamma", "rate": 3, "cv2": 1}},
    {"service": {"kind": "exponential", "mean": 2}},
    {"service": {"kind": "erlang", "mean": 1, "stages": 1}},
    {"pool": [{"count": 5}]},
    {"pool": [{"count": 4, "slots": 2}]},
    {"pool": [{"count": 4, "speed": 2}]},
    {"pool": [{"count": 4, "weight": 2}]},
    {"pool": [{"count": 4, "queue_limit": 9}]},
    {"pool": [{"count": 4, "queue_limit": 0}]},
    {"pool": [{"count": 4, "delay": 1}]},
    {"pool": [{"count": 3}, {"weight": 0}]},
    {"balancers": {"strategy": "round_robin"}},
    {"balancers": {"strategy": "power_of_two"}},
    {"balancers": {"strategy": {"kind": "power_of_two", "choices": 3}}},
    {"balancers": {"strategy": "random", "count": 2}},
    {"balancers": {"strategy": "random", "count": 2, "view": "shared"}},
    {"balancers": {"strategy": "random", "view": "refreshed", "refresh_every": "1s"}},
    {"balancers": {"strategy": "random", "view": "refreshed", "refresh_every": "2s"}},
    {"pool": [{"count": 4, "limit": 9}]},
    {"keys": {"kind": "uniform", "count": 4}},
    {"keys": {"kind": "zipf", "count": 4}},
    {"keys": {"kind": "addresses", "count": 4}},
    {"keys": {"kind": "addresses", "count": 5}},
    {"network": {"delay": "1ms"}},
    {"horizon": "101 requests"},
    {"horizon": "100s"},
    {"warm_up": "20%"},
    {"warm_up": "10 requests"},
    {"sample_every": "1s"},
]


def test_the_key_changes_with_everything_that_matters():
    keys = [key(load_scenario(BASE | change)) for change in ({}, *CHANGES)]
    keys += [key(load_scenario(BASE), replication=1), key(load_scenario(BASE), engine="compiled")]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "change",
    [
        {"description": "in other words"},
        {"comparison": {"strategies": ["random", "round_robin"]}},
        {"seed": 1},
        {"arrivals": {"kind": "poisson", "rate": "180/min"}},
        {"pool": {"count": 4}},
        {"balancers": {"strategy": {"kind": "random"}}},
        {"warm_up": {"share": 0.1}},
        {"horizon": "0.1k requests"},
    ],
    ids=str,
)
def test_the_key_does_not_change_with_the_way_it_is_written(change: dict[str, Any]):
    assert key(load_scenario(BASE | change)) == key(load_scenario(BASE))


def test_the_key_changes_with_a_traces_content_and_not_with_its_place(tmp_path: Path):
    def key_of(file: Path) -> str:
        arrivals = {"kind": "trace", "file": str(file), "time_column": "time"}
        service = {"kind": "trace", "file": str(file), "per": {"size": 1}}
        return key(load_scenario(BASE | {"arrivals": arrivals, "service": service}))

    first, copy, other = (tmp_path / name for name in ("first.csv", "copy.csv", "other.csv"))
    first.write_text("time,size\n0,1\n1,2\n")
    shutil.copy(first, copy)
    other.write_text("time,size\n0,1\n1,3\n")
    assert key_of(first) == key_of(copy) != key_of(other)


def test_the_key_of_a_trace_that_has_gone_is_an_error_that_names_it(tmp_path: Path):
    file = tmp_path / "trace.csv"
    file.write_text("time\n0\n")
    scenario = load_scenario(BASE | {"arrivals": {"kind": "trace", "file": str(file), "time_column": "time"}})
    file.unlink()
    with pytest.raises(WorkbenchError, match=r"trace\.csv"):
        key(scenario)


@pytest.fixture
def last_server(monkeypatch: pytest.MonkeyPatch) -> type[Strategy]:
    """A user's own strategy, registered for the length of a test."""
    monkeypatch.setattr(STRATEGIES, "_members", dict(STRATEGIES._members))

    @STRATEGIES.register
    class LastServer(Strategy):
        summary: ClassVar[str] = "the last server, less an offset"
        kind: Literal["last_server"] = "last_server"
        offset: int = 0
        pick: ClassVar[Any] = staticmethod(lambda view, rng: len(view.usable) - 1 - view.ints[0])

        def memory(self, servers: Any, keys: Any) -> Any:
            return super().memory(servers, keys)._replace(ints=[self.offset])

    return LastServer


def test_a_users_strategy_can_be_named_in_a_document(last_server: type[Strategy]):
    text = GOOD.replace("{kind: power_of_two, choices: 3}", "{kind: last_server, offset: 1}")
    scenario = parse(text.replace("horizon: 10min", "horizon: 50 requests"))
    assert type(scenario.balancers.strategy) is last_server
    assert set(ReferenceEngine().run(Workload(scenario)).server) == {1}
    assert read_strategy("last_server(offset=1)") == scenario.balancers.strategy
    assert load_scenario(json.loads(scenario.to_json())) == scenario
    assert "last_server" in json.dumps(Scenario.model_json_schema())


def test_an_unregistered_strategy_is_unknown_again():
    with pytest.raises(NotFoundError):
        read_strategy("last_server")


def test_another_strategy_changes_nothing_else():
    scenario = parse(GOOD)
    other = scenario.with_strategy(read_strategy("round_robin"))
    assert other.balancers.strategy.kind == "round_robin"
    assert other.with_strategy(scenario.balancers.strategy) == scenario


def test_every_measure_is_a_column_of_the_summaries():
    assert {measure.column for measure in Measure} <= set(SUMMARIES.names)


@pytest.mark.parametrize(
    ("measure", "label"),
    [
        (Measure.RESPONSE_MEAN, "response time, mean"),
        (Measure.WAIT_P99, "waiting time, p99"),
        (Measure.RESPONSE_P99_9, "response time, p99.9"),
    ],
)
def test_a_measure_is_named_in_words(measure: Measure, label: str):
    assert measure.label == label


def test_servers_of_a_group_are_numbered_only_where_there_are_several():
    assert expand([ServerGroup(name="a"), ServerGroup(name="b", count=2)]).names == ["a", "b-0", "b-1"]
