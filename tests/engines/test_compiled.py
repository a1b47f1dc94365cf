"""The compiled engine gives the reference engine's records, bit for bit, or says why it does not run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.random import PCG64, Generator

from tests.engines.test_reference import MIXED, SETTINGS, SHORT, THREE, make_scenario
from tests.simulated import LABELS
from workbench.errors import SimulationError
from workbench.simulate import (
    STRATEGIES,
    CompiledEngine,
    EngineName,
    Records,
    ReferenceEngine,
    Scenario,
    Strategy,
    Workload,
    choose_engine,
    load_scenario,
    read_strategy,
)
from workbench.simulate.engines.compiled.drawing import bank_of, is_as_expected, memory_of, turn_to
from workbench.simulate.engines.compiled.simulation import Simulation
from workbench.simulate.strategies import Memory, View

PROJECT = Path(__file__).parents[2]
COLUMNS = ("arrival", "begin", "finish", "answered", "balancer", "server", "outcome", "queue_depth", "delay")
QUICK = [
    ("power_of_two", "equal times"),
    ("join_shortest_queue", "closed"),
    ("haproxy.leastconn", "refreshed views"),
]
"""Both ways to run, with and without an agenda, one view and several; each takes seconds to compile."""


def assert_same(ours: Records, theirs: Records) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
        assert getattr(ours, name).dtype == getattr(theirs, name).dtype, name
    assert (ours.until, ours.area) == (theirs.until, theirs.area)


def check(scenario: Scenario, *, replication: int = 0) -> None:
    workload = Workload(scenario, replication=replication)
    assert_same(CompiledEngine().run(workload), ReferenceEngine().run(workload))


@pytest.mark.parametrize(("label", "setting"), QUICK)
def test_the_records_are_those_of_the_reference_engine(label: str, setting: str):
    check(make_scenario(label, **{"horizon": SHORT} | SETTINGS[setting]))


def test_a_request_that_comes_as_another_ends_sees_it_gone_without_an_agenda():
    values = [0.25, 0.5, 1.0, 2.0]
    check(
        make_scenario(
            "power_of_two",
            arrivals={"kind": "uniform", "rate": 4},
            service={"kind": "empirical", "values": values},
        )
    )


PAIRS = [
    (label, setting)
    for row, label in enumerate(LABELS)
    for column, setting in enumerate(SETTINGS)
    if (row + column) % 3 == 0
]
"""Every strategy in a third of the settings, another third than its neighbours, since each is compiled."""


@pytest.mark.slow
@pytest.mark.parametrize(("label", "setting"), PAIRS)
def test_every_strategy_has_the_records_of_the_reference_engine_in_many_settings(label: str, setting: str):
    check(make_scenario(label, **{"horizon": SHORT} | SETTINGS[setting]))


@pytest.mark.slow
@pytest.mark.parametrize("label", LABELS)
def test_every_strategy_has_the_records_of_the_reference_engine_over_many_requests(label: str):
    servers = [{"name": "plain", "count": 9}, {"name": "fast", "speed": 2.5, "weight": 3}]
    check(
        make_scenario(
            label, pool=servers, arrivals={"kind": "poisson", "rate": 10.2}, horizon="200k requests"
        )
    )


POOLS: list[Any] = [
    {"count": 5},
    MIXED,
    {"count": 3, "queue_limit": 2},
    [{"name": "near", "count": 2}, {"name": "far", "slots": 2, "delay": "120ms", "limit": 3}],
    {"count": 2, "slots": 4, "speed": 0.3, "queue_limit": 0, "limit": 6},
    {"count": 14},
]
VIEWS: list[dict[str, Any]] = [
    {},
    THREE,
    THREE | {"view": "shared"},
    THREE | {"view": "refreshed", "refresh_every": "700ms"},
]
DEMANDS = [
    {"kind": "exponential", "mean": 1},
    {"kind": "deterministic", "value": 0.5},
    {"kind": "empirical", "values": [0.125, 0.25, 3.0]},
    {"kind": "pareto", "least": 0.3, "alpha": 1.4},
]
ARRIVALS = [
    {"kind": "poisson", "rate": 3},
    {"kind": "uniform", "rate": 4},
    {"kind": "mmpp", "rates": [1, 12], "dwell": [5, 5]},
    {"kind": "closed_loop", "users": 17, "think": {"kind": "exponential", "mean": 2}},
    {"kind": "closed_loop", "users": 9, "think": {"kind": "deterministic", "value": 0.5}},
]


def scenarios(labels: list[str], *, closed: bool = False) -> st.SearchStrategy[Scenario]:
    views = VIEWS[:1] if closed else VIEWS
    arrivals = [one for one in ARRIVALS if one["kind"] == "closed_loop"] if closed else ARRIVALS
    return st.builds(
        make_scenario,
        st.sampled_from(labels),
        pool=st.sampled_from(POOLS),
        balancers=st.sampled_from(views).map(lambda view: {"strategy": "random"} | view),
        service=st.sampled_from(DEMANDS),
        arrivals=st.sampled_from(arrivals),
        network=st.sampled_from([{}, {"delay": "250ms"}]),
        horizon=st.sampled_from(["1 requests", "37 requests", "600 requests", "40s"]),
        seed=st.integers(0, 2**40),
    )


@settings(max_examples=40)
@given(scenario=scenarios(["join_shortest_queue"], closed=True), size=st.sampled_from([1, 7, 65_536]))
@pytest.mark.slow
def test_random_closed_loops_have_the_same_records_in_chunks_of_any_size(scenario: Scenario, size: int):
    """Of one kernel, that of the closed loop above, since each takes seconds to compile."""
    check_in_chunks(scenario, size)


@pytest.mark.slow
@settings(max_examples=60)
@given(scenario=scenarios(["least_connections"]), size=st.sampled_from([1, 7, 65_536]))
def test_random_scenarios_have_the_same_records_in_chunks_of_any_size(scenario: Scenario, size: int):
    check_in_chunks(scenario, size)


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(scenario=scenarios(LABELS), size=st.sampled_from([1, 7, 65_536]))
def test_random_scenarios_of_every_strategy_have_the_same_records(scenario: Scenario, size: int):
    check_in_chunks(scenario, size)


def check_in_chunks(scenario: Scenario, size: int) -> None:
    if not scenario.never_fails():
        return
    theirs = ReferenceEngine().run(Workload(scenario))
    parts = [part.copy() for part in CompiledEngine().stream(Workload(scenario), size=size)]
    assert [part.first for part in parts] == np.cumsum([0, *map(len, parts[:-1])]).tolist()[: len(parts)]
    for name in COLUMNS[:-1]:
        whole = np.concatenate([getattr(part, name) for part in parts] or [np.empty(0)])
        np.testing.assert_array_equal(whole, getattr(theirs, name), err_msg=name)


@pytest.mark.parametrize("label", ["power_of_two", "join_idle_queue"])
@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_requests(label: str):
    def most_room(requests: int) -> int:
        scenario = make_scenario(label, horizon=f"{requests} requests")
        simulation = Simulation(Workload(scenario), size=1000)
        assert sum(len(part) for part in simulation.finished()) == requests
        return sum(values.nbytes for values in (*simulation.run.window, *simulation.run.agenda))

    assert most_room(200_000) <= most_room(20_000)


def test_progress_is_told_while_a_run_goes_on_and_a_stop_is_heeded():
    told: list[int] = []

    def stop(done: int) -> None:
        told.append(done)
        if done > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CompiledEngine().run(Workload(make_scenario("random", horizon="10M requests")), progress=stop)
    assert told == [65_536, 131_072]


# Whose streams are drawn from by turns


def test_the_generators_memory_is_laid_out_as_expected():
    assert is_as_expected()


def test_streams_by_turns_draw_what_they_draw_alone():
    alone = [Generator(PCG64(seed)) for seed in (3, 4)]
    turns = [Generator(PCG64(seed)) for seed in (3, 4)]
    one, bank, now = turns[0], bank_of(turns), 0
    for step in range(60):
        wanted = step * step % 7 % 2
        if wanted != now:
            turn_to(bank, *memory_of(one), now, wanted)
            now = wanted
        other = alone[wanted]
        assert one.random() == other.random()
        assert one.integers(0, 9, dtype=np.uint32) == other.integers(0, 9, dtype=np.uint32)


# Which engine runs, and why


def large(strategy: str | Strategy = "random", **changes: Any) -> Scenario:
    return make_scenario(strategy, **{"horizon": "200k requests"} | changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"horizon": "199999 requests"}, "fewer than 200,000 requests"),
        ({"engine": "reference"}, "asked for"),
        (
            {
                "faults": {"kind": "partition", "at": "5s", "lasts": "5s"},
                "pool": {"count": 20_000},
                "balancers": {"strategy": "random", "count": 10_000},
            },
            "no partitions among more than 100,000,000 ways",
        ),
    ],
)
def test_the_reference_engine_runs_with_a_reason(changes: dict[str, Any], reason: str):
    choice = choose_engine(large(**changes))
    assert choice.engine.name == "reference"
    assert reason in choice.reason


@pytest.mark.parametrize("changes", [{}, {"engine": "compiled", "horizon": "10 requests"}])
def test_the_compiled_engine_runs_where_it_pays_or_is_asked_for(changes: dict[str, Any]):
    assert choose_engine(large(**changes)).engine.name == "compiled"


def test_no_key_of_a_run_depends_on_the_engine():
    keys = {large(engine=name).key(replication=0, engine="reference") for name in EngineName}
    assert len(keys) == 1


def test_what_may_fail_cannot_be_streamed():
    scenario = large(faults={"kind": "crash", "at": "5s", "lasts": "5s"})
    with pytest.raises(SimulationError, match="given a stream of requests that may fail"):
        next(CompiledEngine().stream(Workload(scenario)))


# Strategies of users


@pytest.fixture
def registered() -> Iterator[Callable[[type[Strategy]], Strategy]]:
    kinds: list[str] = []

    def register(member: type[Strategy]) -> Strategy:
        STRATEGIES.register(member)
        kinds.append(member.model_fields["kind"].default)
        return read_strategy(kinds[-1])

    yield register
    for kind in kinds:
        del STRATEGIES._members[kind]


def test_a_users_own_strategy_runs_compiled(registered: Callable[[type[Strategy]], Strategy]):
    class LastFree(Strategy):
        summary: ClassVar[str] = "the last server that is free, else one by chance"
        kind: Literal["last_free"] = "last_free"

        @staticmethod
        def pick(view: View, rng: Generator) -> int:
            for server in range(len(view.usable) - 1, -1, -1):
                if view.in_flight[server] == 0:
                    return server
            return int(rng.random() * len(view.usable))

    scenario = large(registered(LastFree), horizon="3k requests", engine="compiled")
    assert choose_engine(scenario).engine.name == "compiled"
    check(scenario)


def test_what_numba_refuses_runs_on_the_reference_engine(registered: Callable[[type[Strategy]], Strategy]):
    class Sorting(Strategy):
        summary: ClassVar[str] = "the fewest requests, found with a dictionary of lists"
        kind: Literal["sorting"] = "sorting"

        @staticmethod
        def pick(view: View, rng: Generator) -> int:
            levels: dict[int, Any] = {}
            for server, level in enumerate(view.in_flight):
                levels.setdefault(level, []).append(server)
            return next(iter(levels[min(levels)]))

    choice = choose_engine(large(registered(Sorting)))
    assert choice.engine.name == "reference"
    assert choice.reason.startswith("Numba refuses sorting: ")
    assert "\n" not in choice.reason


@pytest.mark.slow
def test_what_behaves_otherwise_when_compiled_runs_on_the_reference_engine(
    registered: Callable[[type[Strategy]], Strategy],
):
    class Rounding(Strategy):
        summary: ClassVar[str] = "keeps a half where whole numbers are kept"
        kind: Literal["rounding"] = "rounding"

        @staticmethod
        def pick(view: View, rng: Generator) -> int:
            view.ints[0] += 0.5  # a list holds it, an array of whole numbers does not
            return int(view.ints[0]) % len(view.usable)

        def memory(self, servers: object, keys: object) -> Memory:
            return Memory([0], [])

    choice = choose_engine(large(registered(Rounding)))
    assert choice.engine.name == "reference"
    assert "behaves otherwise when compiled, from request" in choice.reason


@pytest.mark.parametrize(("place", "said"), [(4, "picked 4; allowed: a usable server"), (9, "failed: ")])
def test_a_pick_that_is_no_server_ends_the_run(
    registered: Callable[[type[Strategy]], Strategy], place: int, said: str
):
    class Lost(Strategy):
        summary: ClassVar[str] = "a server that there is not"
        kind: Literal["lost"] = "lost"

        @staticmethod
        def pick(view: View, rng: Generator) -> int:
            server = view.ints[0]
            return server if server < 5 else view.usable[server]

        def memory(self, servers: object, keys: object) -> Memory:
            return Memory([place], [])

    with pytest.raises(SimulationError, match=said):
        CompiledEngine().run(Workload(large(registered(Lost), horizon="10 requests")))


def test_a_memory_that_arrays_do_not_hold_is_refused(registered: Callable[[type[Strategy]], Strategy]):
    class Huge(Strategy):
        summary: ClassVar[str] = "counts beyond 64 bits"
        kind: Literal["huge"] = "huge"

        @staticmethod
        def pick(view: View, rng: Generator) -> int:
            return view.ints[0] % len(view.usable)

        def memory(self, servers: object, keys: object) -> Memory:
            return Memory([2**70], [])

    with pytest.raises(SimulationError, match="strategy huge: ints: given what 64 bits do not hold"):
        CompiledEngine().run(Workload(large(registered(Huge), horizon="10 requests")))


# Compiled code on disk

COMPILE = """
from workbench.simulate import load_scenario
from workbench.simulate.engines.compiled.kernels import kernel_for
kernel = kernel_for(load_scenario("simulations/mm1.yaml"))
print(sum(kernel.compiled.stats.cache_hits.values()), sum(kernel.compiled.stats.cache_misses.values()))
"""


@pytest.mark.slow
def test_a_second_process_finds_the_code_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    found = [
        subprocess.run(
            [sys.executable, "-c", COMPILE],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout.split()
        for _ in range(2)
    ]
    assert found == [["0", "1"], ["1", "0"]]


def test_a_scenario_without_the_key_is_left_to_the_workbench():
    assert load_scenario(PROJECT / "simulations" / "mm1.yaml").engine is EngineName.AUTO
