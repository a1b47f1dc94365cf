"""Backtests of alert rules over drills and stored runs, and advice on thresholds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.alerts.advice import HOLDS, Advice, advise, changed_rule
from workbench.alerts.backtest import Episode, Incident, backtest
from workbench.alerts.conditions import Threshold
from workbench.alerts.evaluation import Memory, evaluate_all
from workbench.alerts.exporting import prometheus_rules, prometheus_tests, recorded_test
from workbench.alerts.labels import Labels
from workbench.alerts.receivers import Plan, load_plan
from workbench.alerts.rehearsal import rehearse
from workbench.alerts.rule_tests import RuleTests
from workbench.alerts.rules import Rule, RuleFile, load_rules
from workbench.errors import InputError, NotFoundError
from workbench.quantities import parse_duration
from workbench.settings import Settings, load_settings
from workbench.store import Store
from workbench.workflows.alert_views import AdviceView, BacktestView, CandidateView, MessageView, ScoreView
from workbench.workflows.alerting import write_files
from workbench.workflows.drills import drill_episodes, load_drill
from workbench.workflows.simulating import Report
from workbench.workflows.stored_episodes import stored_episode

_BEFORE, _AFTER = 120.0, 300.0
"""Seconds around an incident that the test of an advised rule takes in."""

_INCIDENT = re.compile(r"(?:(\d+):)?([^:@+]+)@([^@+]+)\+([^@+]+)")


def backtest_drill(
    rules: Path,
    drill: Path,
    *,
    only: Sequence[str] = (),
    receivers: Path | None = None,
    report: Report | None = None,
) -> BacktestView:
    """Run rules over the simulated incidents of a drill.

    Args:
        rules: the file of the rules.
        drill: the file of the drill.
        only: names of rules to run; all by default.
        receivers: whom to tell, so that the messages that each would have had are told too.
        report: told how many requests are simulated so far.

    Raises:
        DocumentError: a file cannot be read or holds what is not allowed.
        WorkbenchError: the simulation cannot go on, or a rule cannot be evaluated.
    """
    content, loaded = load_rules(rules), load_drill(drill)
    chosen = _chosen(content, only)
    plan = None if receivers is None else load_plan(receivers)
    episodes = drill_episodes(loaded, interval=content.interval, report=report)
    return _view(loaded.drill.name, chosen, episodes, content.interval, plan)


def backtest_runs(
    rules: Path,
    run_ids: Sequence[int],
    *,
    incidents: Sequence[str] = (),
    only: Sequence[str] = (),
    step: float = 5.0,
    recovery: float = 300.0,
    receivers: Path | None = None,
    settings: Settings | None = None,
) -> BacktestView:
    """Run rules over stored runs.

    Args:
        rules: the file of the rules.
        run_ids: the runs.
        incidents: what was wrong when: `overload@10min+5min` began at 10 minutes and went on for 5; with
            `3:` before it, in run 3 only. Without any, the faults of the runs are the incidents; in a run
            without faults every alarm is false.
        only: names of rules to run; all by default.
        step: time between two samples of the metrics, seconds.
        recovery: time after an incident in which an alarm is neither right nor false, seconds.
        receivers: whom to tell, so that the messages that each would have had are told too.
        settings: where the lake is.

    Raises:
        InputError: a file, an incident or a run cannot be used.
        StoreError: the lake cannot be read.
    """
    content = load_rules(rules)
    plan = None if receivers is None else load_plan(receivers)
    truth = [_read_incident(text) for text in incidents]
    if stray := [number for number, _ in truth if number is not None and number not in run_ids]:
        raise InputError(f"incident: given one of run {stray[0]}; allowed: {', '.join(map(str, run_ids))}")
    with Store(settings or load_settings()) as store:
        episodes = [
            stored_episode(
                store,
                run,
                [one for number, one in truth if number in (None, run)] if truth else None,
                step,
                recovery,
            )
            for run in run_ids
        ]
    name = "run " + ", ".join(str(run) for run in run_ids)
    return _view(name, _chosen(content, only), episodes, content.interval, plan)


def _read_incident(text: str) -> tuple[int | None, Incident]:
    match = _INCIDENT.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        start, length = parse_duration(match[3]), parse_duration(match[4])
    except ValueError:
        allowed = "such as overload@10min+5min, or 3:overload@10min+5min for run 3 only"
        raise InputError(f"incident: given {text!r}; allowed: {allowed}") from None
    return int(match[1]) if match[1] else None, Incident(match[2], start, start + length)


def _chosen(content: RuleFile, only: Sequence[str]) -> list[Rule]:
    known = [rule.name for rule in content.every_rule]
    if missing := [name for name in only if name not in known]:
        raise NotFoundError(f"rule: given {', '.join(missing)}; allowed: {', '.join(known)}")
    return [rule for rule in content.every_rule if not only or rule.name in only]


def _view(
    name: str, rules: Sequence[Rule], episodes: Sequence[Episode], interval: float, plan: Plan | None
) -> BacktestView:
    result = backtest(rules, episodes, interval=interval)
    return BacktestView(
        name=name,
        interval_s=interval,
        episodes=len(episodes),
        incidents=sum(len(episode.incidents) for episode in episodes),
        healthy_s=sum(episode.healthy for episode in episodes),
        scores=[ScoreView.of(score) for score in result.scores],
        first={fault: dict(counts) for fault, counts in result.first.items()},
        messages=[] if plan is None else _messages(plan, rules, episodes, interval),
    )


def _messages(
    plan: Plan, rules: Sequence[Rule], episodes: Sequence[Episode], interval: float
) -> list[MessageView]:
    """Pass the alerts of each episode through the pipeline in virtual time; several channels count once."""
    found = []
    for episode in episodes:
        evaluated = evaluate_all(rules, Memory(), episode.scene(interval))
        alerts = ((evaluation.at, evaluation.instances) for _, evaluation in evaluated)
        found += [
            MessageView(
                episode=episode.name,
                at_s=message.at,
                receiver=message.receiver,
                status=message.status,
                reason=message.reason,
                alerts=sorted({one.rule for one in message.alerts}),
            )
            for message in rehearse(plan, alerts, until=episode.end)
            if message.channel == 0
        ]
    return found


@dataclass(frozen=True)
class Wanted:
    """What advice is asked for.

    Args:
        budget: false alarms a day that may be.
        thresholds: those to try; spread over the values that the signal has by default.
        holds: the values of `for` to try, seconds.
    """

    budget: float = 1.0
    thresholds: Sequence[float] = ()
    holds: Sequence[float] = HOLDS


def advise_rule(
    rules: Path,
    rule: str,
    drill: Path,
    *,
    wanted: Wanted | None = None,
    export: Path | None = None,
    report: Report | None = None,
) -> tuple[AdviceView, str]:
    """Choose a threshold and `for` for a rule by a drill.

    Args:
        rules: the file of the rule.
        rule: its name.
        drill: the file of the drill.
        wanted: the budget, and what is tried.
        export: a folder for the chosen rule as Prometheus rule and its promtool test.
        report: told how many requests are simulated so far.

    Returns:
        The advice, and what was written where.

    Raises:
        InputError: a file cannot be used, the rule has no threshold, or there are too few episodes.
    """
    wanted = wanted or Wanted()
    content, loaded = load_rules(rules), load_drill(drill)
    (chosen,) = _chosen(content, [rule])
    if not isinstance(chosen.condition, Threshold):
        raise InputError(
            f"{rule}: given a condition of kind {chosen.condition.kind}; allowed: one with a threshold"
        )
    episodes = drill_episodes(loaded, interval=content.interval, report=report)
    advice = advise(
        chosen,
        episodes,
        interval=content.interval,
        budget=wanted.budget,
        thresholds=wanted.thresholds,
        holds=wanted.holds,
    )
    view = AdviceView(
        rule=rule,
        signal=chosen.condition.of.promql(),
        above=chosen.condition.above is not None,
        budget_per_day=wanted.budget,
        tried=len(advice.candidates),
        front=[CandidateView.of(one) for one in advice.front],
        chosen=CandidateView.of(advice.chosen) if advice.chosen else None,
        confirmed=ScoreView.of(advice.confirmed) if advice.confirmed else None,
        present=ScoreView.of(advice.present),
    )
    written = ""
    if export is not None:
        step = loaded.drill.step
        written = _export(content, chosen, advice, episode=episodes[1], step=step, folder=export)
    return view, written


def _export(
    content: RuleFile, rule: Rule, advice: Advice, *, episode: Episode, step: float, folder: Path
) -> str:
    if advice.chosen is None:
        raise InputError("export: given a budget that no pair keeps to; allowed: a larger one")
    chosen = changed_rule(rule, threshold=advice.chosen.threshold, hold=advice.chosen.hold)
    file = RuleFile(name=content.name, interval=content.interval, rules=[chosen])
    name = f"{rule.name}.rules.yml"
    group = incident_test(chosen, episode, step=step, interval=content.interval)
    tests = RuleTests.model_validate(
        {"rule_files": [name], "evaluation_interval": content.interval, "tests": [group]}
    )
    texts = {
        name: prometheus_rules(file),
        f"{rule.name}.rules_test.yml": prometheus_tests(tests, rule_file=name),
    }
    return write_files(folder, texts)


def incident_test(rule: Rule, episode: Episode, *, step: float, interval: float) -> Any:
    """Make a test of a rule out of the first incident of an episode, what was before and what came after."""
    first = episode.incidents[0]
    begin = (
        np.floor(max(episode.start, first.start - _BEFORE - rule.condition.longest_window()) / step) * step
    )
    end = min(episode.end, first.end + _AFTER)
    metrics: dict[str, list[tuple[Labels, list[float | None]]]] = {}
    for signal in (part for one in rule.condition.signals() for part in one.metrics()):
        found = episode.source.series(signal.metric, (), start=float(begin), end=end)
        kept = []
        for place in range(len(found)):
            labels, times, values = found.one(place)
            inside = (times >= begin - 1e-9) & (times <= end)
            kept.append((labels, values[inside].tolist()))
        metrics[signal.metric] = kept
    return recorded_test(
        [rule],
        metrics,
        name=f"{first.fault} in {episode.name}",
        interval=step,
        every=interval,
        until=float(np.floor((end - begin) / interval) * interval),
        steady=True,
    )
