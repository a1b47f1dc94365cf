"""Drills, backtests over stored runs, advice: what a user asks of the rules as a whole."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench import workflows
from workbench.alerts.rules import load_rules
from workbench.alerts.selectors import parse_matchers
from workbench.alerts.series import MemorySource
from workbench.errors import DocumentError, InputError, NotFoundError
from workbench.settings import Settings
from workbench.simulate import ReferenceEngine, Workload, load_scenario
from workbench.store import Store
from workbench.workflows.drills import drill_episodes, drilled_scenario, load_drill, planned_incidents
from workbench.workflows.queue_series import observe, queue_series
from workbench.workflows.stored_episodes import stored_episode

UP = "workbench_server_up"
RULES = """\
name: mine
interval: 5s
rules:
  - name: Deep
    condition: {kind: threshold, of: {metric: workbench_queue_depth, aggregate: sum}, above: 4}
    annotations: {summary: "{{ $value }} wait"}
  - name: Gone
    condition: {kind: absence, metric: workbench_queue_depth, over: 20s}
"""
SCENARIO = """\
name: small
arrivals: {kind: poisson, rate: 10/s}
service: {kind: exponential, mean: 100ms}
pool: {count: 2}
balancers: {strategy: join_shortest_queue}
horizon: 1min
"""
DRILL = """\
name: small drill
scenario: scenario.yaml
faults:
  - {fault: overload, factor: 3, lasting: 1min}
  - {fault: flash_crowd, factor: 5, lasting: 30s}
  - {fault: blackout, lasting: 1min}
quiet: 3min
recovery: 1min
warm_up: 10s
replications: 4
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("rules.yaml", RULES), ("scenario.yaml", SCENARIO), ("drill.yaml", DRILL)):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_incidents_lie_where_the_drill_says(folder: Path):
    loaded = load_drill(folder / "drill.yaml")
    incidents, until = planned_incidents(loaded, replication=0, interval=5.0)
    lengths = [one.end - one.start for one in incidents]
    assert lengths == pytest.approx([60.0, 30.0, 60.0])
    quiet = [incidents[0].start - 10.0, incidents[1].start - incidents[0].end - 60.0]
    assert all(180.0 <= one < 185.0 for one in quiet)
    assert until == incidents[-1].end + 60.0 + 180.0
    other, _ = planned_incidents(loaded, replication=1, interval=5.0)
    assert other[0].start != incidents[0].start


def test_the_load_is_what_the_faults_make_it(folder: Path):
    loaded = load_drill(folder / "drill.yaml")
    incidents, until = planned_incidents(loaded, replication=0, interval=5.0)
    mean = drilled_scenario(loaded, incidents, until).arrivals.mean_rate()
    # Three times for a minute, and a triangle from five times (its steps' mean is 2.1 times 10/s more).
    assert mean is not None
    assert mean * until == pytest.approx(10 * until + 20 * 60 + 40 * 0.525 * 30)


def test_a_blackout_takes_the_samples_away(folder: Path):
    (episode, *_) = drill_episodes(load_drill(folder / "drill.yaml"), interval=5.0)
    blackout = episode.incidents[2]
    _, times, _ = episode.source.series("workbench_queue_depth", (), start=0.0, end=1e9).one(0)
    assert not ((times >= blackout.start) & (times < blackout.end)).any()
    assert (times >= blackout.end).any()


def test_a_server_that_crashes_answers_no_probe_and_holds_no_request(folder: Path):
    crash = "faults: [{fault: crash, lasting: 1min, keys: {servers: server-1}}]\n"
    (folder / "drill.yaml").write_text(re.sub(r"faults:\n(  - .*\n)+", crash, DRILL))
    (episode, *_) = drill_episodes(load_drill(folder / "drill.yaml"), interval=5.0)
    (incident,) = episode.incidents

    def values(metric: str, server: str) -> tuple[list[float], list[float]]:
        found = episode.source.series(metric, parse_matchers(f'server="{server}"'), start=0.0, end=1e9)
        _, times, samples = found.one(0)
        inside = (times >= incident.start) & (times < incident.end)
        return samples[inside].tolist(), samples[~inside].tolist()

    assert (set(values(UP, "server-1")[0]), set(values(UP, "server-1")[1])) == ({0.0}, {1.0})
    assert set(values(UP, "server-0")[0]) == {1.0}
    assert set(values("workbench_in_service", "server-1")[0]) == {0.0}
    assert max(values("workbench_in_service", "server-1")[1]) == 1.0


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("{fault: crsh, lasting: 1min}", "one of overload, flash_crowd, blackout, crash"),
        ("{fault: reload, lasting: 1min}", "one of overload, flash_crowd, blackout, crash"),
        ("{fault: slow, lasting: 1min}", "factor: Field required"),
        ("{fault: crash, lasting: 1min, keys: {server: x}}", "did you mean servers?"),
        ("{fault: blackout, lasting: 1min, keys: {servers: x}}", "`keys` with a fault of scenarios"),
        (
            "{fault: crash, lasting: 1min, keys: {servers: x}}",
            "names or patterns of servers: server-0, server-1",
        ),
    ],
)
def test_a_fault_that_cannot_be_is_refused(folder: Path, fault: str, complaint: str):
    (folder / "drill.yaml").write_text(f"name: x\nscenario: scenario.yaml\nfaults: [{fault}]\n")
    with pytest.raises(InputError, match=re.escape(complaint)):
        load_drill(folder / "drill.yaml")


def test_a_drill_shows_who_finds_what(folder: Path):
    view = workflows.backtest_drill(folder / "rules.yaml", folder / "drill.yaml")
    deep, gone = view.scores
    assert (view.incidents, view.episodes) == (12, 4)
    assert deep.faults["overload x3"].detected == 4
    assert deep.faults["blackout"].detected == 0
    assert gone.faults["blackout"].detected == 4
    assert (gone.false_alarms, gone.faults["overload x3"].detected) == (0, 0)
    assert view.first["blackout"] == {"Gone": 4}
    assert 0 < (deep.faults["overload x3"].delay_p50_s.value or 0) < 30
    # It looks 20 s back, and the last sample is at most 5 s older than the blackout.
    assert 15 <= (gone.faults["blackout"].delay_p50_s.value or 0) <= 25


def test_messages_follow_the_receivers(folder: Path):
    (folder / "receivers.yaml").write_text(
        "receivers: [{name: team, channels: [{kind: log}]}]\nroute: {receiver: team, group_wait: 10s}\n"
    )
    view = workflows.backtest_drill(
        folder / "rules.yaml", folder / "drill.yaml", only=["Gone"], receivers=folder / "receivers.yaml"
    )
    firing = [one for one in view.messages if one.status == "firing"]
    assert {one.receiver for one in view.messages} == {"team"}
    assert [one.alerts for one in firing] == [["Gone"]] * 4
    assert "messages: team" in view.remarks()[-1]


def test_advice_beats_the_rule_as_it_is_and_is_exported_with_its_test(folder: Path):
    view, written = workflows.advise_rule(
        folder / "rules.yaml",
        "Deep",
        folder / "drill.yaml",
        wanted=workflows.Wanted(budget=0.0),
        export=folder / "out",
    )
    assert view.chosen is not None
    assert view.chosen.score.false_alarms == 0
    assert view.present.false_alarms > 0
    assert sorted(file.name for file in (folder / "out").iterdir()) == [
        "Deep.rules.yml",
        "Deep.rules_test.yml",
    ]
    assert "Deep.rules.yml" in written


def test_lint_names_what_fires_while_all_is_well(folder: Path):
    view = workflows.lint_rules(folder / "rules.yaml", drill=folder / "drill.yaml")
    assert [(one.rule, one.code) for one in view.findings] == [("Deep", "fires_when_healthy")]


def test_a_drill_whose_rate_cannot_be_changed_is_refused(folder: Path):
    (folder / "scenario.yaml").write_text(SCENARIO.replace("kind: poisson", "kind: uniform"))
    with pytest.raises(InputError, match="kind uniform; allowed: poisson"):
        load_drill(folder / "drill.yaml")


def test_a_fault_needs_its_factor_and_a_blackout_has_none(folder: Path):
    text = DRILL.replace("overload, factor: 3", "overload").replace("blackout,", "blackout, factor: 2,")
    (folder / "drill.yaml").write_text(text)
    with pytest.raises(DocumentError) as error:
        load_drill(folder / "drill.yaml")
    assert [one.key for one in error.value.problems] == ["faults[0]", "faults[2]"]


@pytest.fixture
def stored(tmp_path: Path, scenario: dict[str, Any]) -> Settings:
    """A run that is calm for 30 s, overloaded for 10 s and calm again."""
    settings = Settings(lake=tmp_path / "lake", jobs=1)
    points = [[0, "20/s"], [30, "400/s"], [40, "20/s"], [90, "20/s"]]
    arrivals = {"kind": "rate_over_time", "points": points, "between": "step"}
    wb.run(scenario | {"arrivals": arrivals, "horizon": "90s"}, settings=settings)
    return settings


def test_rules_run_over_stored_runs(folder: Path, stored: Settings):
    view = workflows.backtest_runs(
        folder / "rules.yaml", [1], incidents=["overload@30s+10s"], recovery=20.0, step=1.0, settings=stored
    )
    deep, gone = view.scores
    assert (deep.detected, deep.false_alarms) == (1, 0)
    assert (gone.detected, gone.false_alarms) == (0, 0)
    assert deep.faults["overload"].delay_p50_s.value == 5.0


def test_without_the_truth_every_alarm_is_false(folder: Path, stored: Settings):
    view = workflows.backtest_runs(folder / "rules.yaml", [1], step=1.0, settings=stored)
    assert view.scores[0].false_alarms == 1
    assert view.scores[0].recall.value is None


@pytest.mark.parametrize("incident", ["overload", "overload@x+1s", "2:overload@30s+10s", "overload@1h+1s"])
def test_an_incident_that_cannot_be_is_refused(folder: Path, stored: Settings, incident: str):
    with pytest.raises(InputError, match="incident: given"):
        workflows.backtest_runs(folder / "rules.yaml", [1], incidents=[incident], settings=stored)


def test_a_rule_or_run_that_is_not_there_is_refused(folder: Path, stored: Settings):
    with pytest.raises(NotFoundError, match="given Deap; allowed: Deep, Gone"):
        workflows.backtest_runs(folder / "rules.yaml", [1], only=["Deap"], settings=stored)
    with pytest.raises(NotFoundError, match="run 7"):
        workflows.backtest_runs(folder / "rules.yaml", [7], settings=stored)


def test_the_problems_of_all_files_come_at_once(folder: Path):
    (folder / "one.yaml").write_text("name: x\n")
    (folder / "two.yaml").write_text("rules: 5\n")
    with pytest.raises(DocumentError) as error:
        workflows.check_rules([folder / "one.yaml", folder / "two.yaml", folder / "rules.yaml"])
    assert {Path(one.file).name for one in error.value.problems} == {"one.yaml", "two.yaml"}


def test_rules_without_tests_are_named(folder: Path):
    view = workflows.check_rules([folder / "rules.yaml"])
    assert view.passed
    assert view.remarks() == ["note: no test looks at Deep, Gone"]
    assert len(load_rules(folder / "rules.yaml").every_rule) == len(view.rules)


def test_the_metrics_of_a_watched_reconciliation_are_known(folder: Path):
    condition = "{kind: threshold, of: workbench_reconcile_decisions_ratio, above: ABOVE}"
    for above, found in (("0.5", []), ("1.5", ["never_fires"])):
        rule = f"{{name: A, condition: {condition.replace('ABOVE', above)}}}"
        (folder / "rules.yaml").write_text(f"name: x\nrules: [{rule}]\n")
        assert [one.code for one in workflows.lint_rules(folder / "rules.yaml").findings] == found


FAILING = {
    "name": "failing",
    "arrivals": {"kind": "poisson", "rate": "40/s"},
    "service": {"kind": "exponential", "mean": "20ms"},
    "pool": {"count": 3},
    "balancers": {"strategy": "round_robin", "checks": {"kind": "haproxy.check"}, "retries": "none"},
    "faults": [{"kind": "crash", "servers": "server-1", "at": "30s", "lasts": "20s"}],
    "horizon": "90s",
    "warm_up": "5s",
}
DOWN = """\
name: mine
interval: 5s
rules:
  - name: Down
    condition: {kind: threshold, of: {metric: workbench_server_up}, below: 1}
    annotations: {summary: "{{ $labels.server }} is down"}
"""


def test_a_stored_runs_own_faults_are_its_incidents_and_take_its_servers_down(folder: Path):
    settings = Settings(lake=folder / "lake", jobs=1)
    run = wb.run(FAILING, settings=settings)
    (folder / "down.yaml").write_text(DOWN)
    view = workflows.backtest_runs(
        folder / "down.yaml", [run.run_id], step=1.0, recovery=10.0, settings=settings
    )
    (down,) = view.scores
    assert (down.incidents, down.detected, down.false_alarms) == (1, 1, 0)
    assert down.faults["crash"].delay_p50_s.value == 0.0  # an evaluation is at 30 s, when it goes


def test_the_series_of_a_stored_run_are_those_of_its_simulation(folder: Path):
    settings = Settings(lake=folder / "lake", jobs=1)
    run = wb.run(FAILING, settings=settings)
    loaded = load_scenario(FAILING)
    servers = loaded.servers()
    records = ReferenceEngine().run(Workload(loaded))
    until = float(records.answered.max())
    expected = queue_series(observe(records, names=servers.names, slots=servers.slots), step=1.0, until=until)
    with Store(settings) as store:
        source = stored_episode(store, run.run_id, None, 1.0, 10.0).source
    assert isinstance(source, MemorySource)
    for metric in (UP, "workbench_queue_depth", "workbench_in_service", "workbench_errors_total"):
        found = source.metrics[metric]
        assert found.values.shape == expected[metric].values.shape
        # Stored times are whole microseconds, so that an end on a sample's very instant may fall aside.
        assert np.mean(found.values != expected[metric].values) < 0.01
