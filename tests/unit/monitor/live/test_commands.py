"""What commands do to a simulation, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.monitor.live import COMMANDS, LiveSimulation, read_command
from workbench.simulate import ReferenceEngine, Scenario, Workload, load_scenario
from workbench.simulate.strategies import STRATEGIES
from workbench.tables import EventKind, Outcome


def begin(scenario: Scenario, **more: Any) -> LiveSimulation:
    return LiveSimulation(scenario, run_id=1, sample_us=1_000_000, **more)


def go_on(simulation: LiveSimulation, until: float) -> LiveSimulation:
    while simulation.now < until and not simulation.over:
        simulation.advance()
    return simulation


def tell(simulation: LiveSimulation, text: str, *, forced: bool = False) -> str:
    return simulation.obey(read_command(text), number=1, author="ann", reason="", forced=forced)


def sent_to(simulation: LiveSimulation, begin: float, end: float) -> list[int]:
    """How many attempts were sent to each server between two times."""
    servers = [one.server for one in simulation.run.attempts if begin <= one.sent < end]
    return np.bincount(servers, minlength=len(simulation.run.machines)).tolist()


@pytest.mark.parametrize(
    "text",
    [
        "strategy=power_of_two(choices=3)",
        "weight 2=5",
        "weight 2=5 web-3=0",
        "server 2 drain",
        "server web-1 slow=3",
        "rate 1.5",
        "checks interval=1s,rise=2",
        "speed 20",
        "speed max",
        "pause",
        "resume",
        "stop",
    ],
)
def test_a_command_is_written_as_it_is_read(text: str):
    assert read_command(text).text == text
    assert read_command(read_command(text).text) == read_command(text)


def test_every_command_shows_how_it_is_written():
    for kind in COMMANDS:
        first = COMMANDS[kind].usage.partition("|")[0]
        assert read_command(first).kind == kind


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", "weight 2=5"),
        ("wieght 2=5", "weight 2=5"),
        ("weight", "weight 2=5"),
        ("weight 2", "weight 2=5"),
        ("weight 2=-1", "greater than or equal to 0"),
        ("weight 2=many", "valid integer"),
        ("server 2", "ready|drain|maint|kill|slow=3"),
        ("server 2 slow", "slow=3"),
        ("server 2 drain=3", "slow=3"),
        ("server 2 slow=0", "greater than 0"),
        ("rate 0", "greater than or equal to 0.001"),
        ("rate fast", "valid number"),
        ("checks rise", "rise=2"),
        ("strategy=fastest", "round_robin"),
        ("speed -1", "above 0"),
        ("speed nan", "above 0"),
        ("pause now", "nothing more"),
    ],
)
def test_what_is_no_command_is_refused_with_what_is_allowed(text: str, allowed: str):
    with pytest.raises(InputError, match="allowed") as refused:
        read_command(text)
    assert allowed in str(refused.value)


def test_a_run_without_commands_is_the_reference_engines(scenario: Scenario):
    live = go_on(begin(scenario), 1e9).records()
    batch = ReferenceEngine().run(Workload(scenario))
    for name in ("arrival", "begin", "finish", "answered", "server", "outcome", "queue_depth"):
        assert np.array_equal(getattr(live, name), getattr(batch, name), equal_nan=True), name
    assert live.until == batch.until == 20


def test_a_heavier_server_gets_its_share(scenario: Scenario):
    simulation = begin(scenario.with_strategy(STRATEGIES["nginx.round_robin"]()))
    go_on(simulation, 10)
    assert tell(simulation, "weight 2=5") == "weight web-2 1 -> 5"
    go_on(simulation, 20)
    before, after = sent_to(simulation, 0, 10), sent_to(simulation, 10, 20)
    assert max(before) - min(before) <= 1
    assert after[2] / sum(after) == pytest.approx(5 / 8, abs=0.001)


@pytest.mark.parametrize("state", ["drain", "maint"])
def test_a_drained_server_gets_nothing_until_it_is_ready(scenario: Scenario, state: str):
    simulation = go_on(begin(scenario), 5)
    tell(simulation, f"server web-1 {state}")
    go_on(simulation, 10)
    tell(simulation, "server 1 ready")
    go_on(simulation, 15)
    assert sent_to(simulation, 5, 10)[1] == 0
    assert min(sent_to(simulation, 10, 15)) > 0.2 * sum(sent_to(simulation, 10, 15))


def test_a_killed_server_loses_its_work_and_refuses_more(scenario: Scenario):
    simulation = go_on(begin(scenario), 5)
    there = len(simulation.run.machines[1].serving) + len(simulation.run.machines[1].waiting)
    tell(simulation, "server 1 kill")
    go_on(simulation, 10)
    tell(simulation, "server 1 ready")
    records = go_on(simulation, 1e9).records()
    outcomes = records.outcome[records.server == 1]
    assert np.count_nonzero(outcomes == Outcome.RESET) == there
    assert np.count_nonzero(outcomes == Outcome.UNREACHABLE) == sent_to(simulation, 5, 10)[1] > 0
    assert np.all(records.outcome[records.arrival > 10] == Outcome.OK)


def test_a_slow_server_takes_so_many_times_as_long(content: dict[str, Any]):
    simulation = begin(load_scenario(content | {"service": {"kind": "deterministic", "value": "10ms"}}))
    go_on(simulation, 5)
    tell(simulation, "server 0 slow=2")
    go_on(simulation, 10)
    tell(simulation, "server 0 slow=1")
    records = go_on(simulation, 1e9).records()
    own = records.server == 0
    took = {
        since: np.median(
            (records.finish - records.begin)[own & (records.begin > since + 1) & (records.begin < since + 4)]
        )
        for since in (0, 5, 12)
    }
    assert took == {0: pytest.approx(0.01), 5: pytest.approx(0.02), 12: pytest.approx(0.01)}


def test_the_rate_stretches_what_is_to_come_and_draws_nothing_anew(scenario: Scenario):
    plain = go_on(begin(scenario), 1e9).records()
    simulation = go_on(begin(scenario), 5)
    tell(simulation, "rate 2")
    go_on(simulation, 8)
    tell(simulation, "rate 0.5")
    fast = go_on(simulation, 1e9).records()
    come = fast.arrival
    workload = np.where(come < 5, come, np.where(come < 8, 5 + 2 * (come - 5), 11 + (come - 8) / 2))
    assert workload == pytest.approx(plain.arrival[: len(come)], abs=1e-9)
    assert workload[-1] <= 11 + 12 / 2 < plain.arrival[len(come)]


def test_the_rate_of_users_is_that_of_their_thinking(content: dict[str, Any]):
    users = {"kind": "closed_loop", "users": 200, "think": {"kind": "exponential", "mean": "1s"}}
    simulation = go_on(begin(load_scenario(content | {"arrivals": users, "horizon": "15s"})), 5)
    tell(simulation, "rate 4")
    records = go_on(simulation, 1e9).records()
    slow = np.count_nonzero((records.arrival > 1) & (records.arrival < 5)) / 4
    fast = np.count_nonzero((records.arrival > 6) & (records.arrival < 14)) / 8
    assert slow == pytest.approx(200, rel=0.1)
    assert fast > 1.8 * slow
    assert records.arrival[-1] <= 15


def test_another_strategy_begins_with_what_is_in_flight(scenario: Scenario):
    simulation = go_on(begin(scenario), 5)
    tell(simulation, "server 3 slow=50")
    go_on(simulation, 8)
    waiting = len(simulation.run.machines[3].waiting)
    tell(simulation, "strategy=join_shortest_queue")
    assert simulation.run.desks[0].views[0].in_flight[3] == waiting + 1 > 50
    go_on(simulation, 9)
    assert sent_to(simulation, 5, 8)[3] > 100
    assert sent_to(simulation, 8, 9)[3] == 0


@pytest.mark.parametrize("kind", [kind for kind in STRATEGIES if not STRATEGIES[kind].needs_keys])
def test_every_strategy_can_take_over_and_is_told_of_every_end(content: dict[str, Any], kind: str):
    label = "size_interval(cutoffs=[0.005, 0.01, 0.02])" if kind == "size_interval" else kind
    simulation = go_on(begin(load_scenario(content | {"horizon": "6s"})), 2)
    tell(simulation, f"strategy={label}")
    go_on(simulation, 4)
    tell(simulation, "weight 1=3")
    go_on(simulation, 5)
    tell(simulation, "strategy=least_connections")
    records = go_on(simulation, 1e9).records()
    assert records.ok().all()
    assert simulation.run.desks[0].in_flight == simulation.run.desks[0].pool == [0, 0, 0, 0]


def test_a_strategy_that_hashes_needs_keys(scenario: Scenario):
    simulation = go_on(begin(scenario), 1)
    with pytest.raises(InputError, match="keys: given none"):
        tell(simulation, "strategy=nginx.hash")
    assert simulation.steering.strategy.kind == "round_robin"


def test_checks_find_a_dead_server_as_soon_as_their_new_settings_say(content: dict[str, Any]):
    checks = {"kind": "haproxy.check", "inter": "60s", "fall": 1, "rise": 1}
    simulation = begin(load_scenario(content | {"balancers": {"strategy": "round_robin", "checks": checks}}))
    go_on(simulation, 5)
    tell(simulation, "server 1 kill")
    tell(simulation, "checks interval=500ms,fall=2,rise=3")
    go_on(simulation, 10)
    tell(simulation, "server 1 ready")
    go_on(simulation, 15)
    seen = {event.kind: event.time for event in simulation.run.events if event.server == 1}
    assert 5.5 <= seen[EventKind.DOWN] <= 6.001
    assert 11.0 <= seen[EventKind.UP] <= 11.501


def test_checks_may_begin_where_there_were_none(scenario: Scenario):
    simulation = go_on(begin(scenario), 2)
    with pytest.raises(InputError, match="without checks; allowed: with kind="):
        tell(simulation, "checks rise=2")
    tell(simulation, "checks kind=haproxy.check,interval=200ms,fall=1")
    tell(simulation, "server 0 kill")
    go_on(simulation, 4)
    assert sent_to(simulation, 3, 4)[0] == 0


def test_a_server_in_maintenance_is_not_checked(content: dict[str, Any]):
    checks = {"kind": "haproxy.check", "inter": "100ms"}
    simulation = begin(load_scenario(content | {"balancers": {"strategy": "round_robin", "checks": checks}}))
    go_on(simulation, 2)
    tell(simulation, "server 2 maint")
    tell(simulation, "server 2 kill")
    go_on(simulation, 5)
    assert not [event for event in simulation.run.events if event.kind is EventKind.DOWN]
    tell(simulation, "server 2 ready")
    go_on(simulation, 6)
    assert sent_to(simulation, 5, 6)[2] > 0


@pytest.mark.parametrize("last", ["server 3 drain", "server 3 maint", "server 3 kill", "weight 3=0"])
def test_the_last_usable_server_is_taken_by_force_only(scenario: Scenario, last: str):
    simulation = go_on(begin(scenario), 1)
    tell(simulation, "server 0 drain")
    tell(simulation, "server 1 kill")
    tell(simulation, "weight 2=0")
    before = (simulation.run.desks[0].drained[:], simulation.run.desks[0].weight[:])
    with pytest.raises(InputError, match=r"none could be used|no server could be used"):
        tell(simulation, last)
    assert (simulation.run.desks[0].drained, simulation.run.desks[0].weight) == before
    tell(simulation, last, forced=True)
    go_on(simulation, 2)
    assert sent_to(simulation, 1.001, 2)[0] == sent_to(simulation, 1.001, 2)[2] == 0


@pytest.mark.parametrize("text", ["weight 4=1", "weight web=1", "server web-4 drain", "server -1 drain"])
def test_a_server_that_is_not_there_is_named_with_those_that_are(scenario: Scenario, text: str):
    with pytest.raises(InputError, match="0 to 3, or a name: web-0, web-1, web-2, web-3"):
        tell(begin(scenario), text)


def test_a_command_is_an_event_with_its_author_and_time(scenario: Scenario):
    simulation = go_on(begin(scenario), 3)
    simulation.obey(read_command("server 2 drain"), number=1, author="ann", reason="it lags", forced=False)
    (event,) = [one for one in simulation.run.events if one.kind is EventKind.COMMAND]
    assert (event.time, event.server, event.detail) == (3.0, 2, "server 2 drain (command 1 of ann: it lags)")
