"""Checking, linting and exporting alert rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from workbench.alerts.conditions import NotExportableError
from workbench.alerts.exporting import prometheus_rules, prometheus_tests
from workbench.alerts.firings import firings
from workbench.alerts.linter import Surroundings, lint
from workbench.alerts.metrics import Metric, MetricKind
from workbench.alerts.mutation import mutation_score
from workbench.alerts.receivers import load_plan
from workbench.alerts.rule_tests import RuleTests, check_names, load_rule_tests, run_rule_tests
from workbench.alerts.rules import Rule, RuleFile, load_rules
from workbench.errors import DocumentError, InputError, NotFoundError, Problem
from workbench.monitor import METRICS
from workbench.workflows.alert_views import AlertCheckView, AlertLintView, CheckedRule, FindingView
from workbench.workflows.drills import drill_episodes, load_drill
from workbench.workflows.simulating import Report

TESTS = "_test.yaml"
"""How a file of tests is called, after the name of its file of rules."""
_WATCHED = "workbench_reconcile_"
"""How the metrics of a watched reconciliation begin."""

T = TypeVar("T")
Tested = tuple[Path, RuleTests, Sequence[Rule]]
"""A file of tests, its content, and the rules that they are about."""


def check_rules(files: Sequence[Path], *, tests: Sequence[Path] = (), mutate: bool = False) -> AlertCheckView:
    """Read files of rules and run their tests.

    Args:
        files: of rules; the tests of `queues.yaml` are found in `queues_test.yaml` beside it.
        tests: more files of tests, about the rules of any of the files.
        mutate: where all tests pass, also try wrong copies of each rule on them.

    Raises:
        DocumentError: files cannot be read or hold what is not allowed; all problems of all files at once.
    """
    loaded = _all_at_once([_reading(file, load_rules) for file in files])
    every = [rule for _, content in loaded for rule in content.every_rule]
    found = [(beside, content.every_rule) for file, content in loaded if (beside := tests_of(file)).exists()]
    documents = _all_at_once([_reading_tests(*one) for one in (*found, *((file, every) for file in tests))])
    mismatches = [
        f"{file}: {mismatch}"
        for file, document, rules in documents
        for mismatch in run_rule_tests(document, rules)
    ]
    checked = [
        _checked(file, rule, documents, mutate=mutate and not mismatches)
        for file, content in loaded
        for rule in content.every_rule
    ]
    return AlertCheckView(rules=checked, mismatches=mismatches)


def tests_of(file: Path) -> Path:
    """Say where the tests of a file of rules are looked for."""
    return file.with_name(f"{file.stem}{TESTS}")


def _reading(file: Path, read: Callable[[Path], T]) -> Callable[[], tuple[Path, T]]:
    return lambda: (file, read(file))


def _reading_tests(file: Path, rules: Sequence[Rule]) -> Callable[[], Tested]:
    def read() -> Tested:
        document = load_rule_tests(file)
        check_names(document, rules, file)
        return file, document, rules

    return read


def _all_at_once(reads: Sequence[Callable[[], T]]) -> list[T]:
    results: list[T] = []
    problems: list[Problem] = []
    for read in reads:
        try:
            results.append(read())
        except DocumentError as error:
            problems += error.problems
    if problems:
        raise DocumentError(problems)
    return results


def _checked(file: Path, rule: Rule, documents: Sequence[Tested], *, mutate: bool) -> CheckedRule:
    about = [(document, rules) for _, document, rules in documents if rule in rules]
    count = sum(_expectations(document, rule) for document, _ in about)
    kept = CheckedRule(
        file=str(file),
        rule=rule.name,
        severity=rule.severity,
        hold_s=rule.hold,
        condition=_condition_text(rule),
        tests=count,
    )
    if not mutate:
        return kept
    scores = [mutation_score(rule, document, rules) for document, rules in about]
    caught = {change for score in scores for change in score.caught}
    missed = [change for score in scores[:1] for change in score.missed if change not in caught]
    update = {"mutants": len(caught) + len(missed), "caught": len(caught), "missed": missed}
    return kept.model_copy(update=update if scores else {})


def _expectations(document: RuleTests, rule: Rule) -> int:
    return sum(
        sum(one.alertname == rule.name for one in group.alert_rule_test)
        + sum(f'"{rule.name}"' in one.expr for one in group.promql_expr_test)
        for group in document.tests
    )


def _condition_text(rule: Rule) -> str:
    try:
        return rule.condition.promql("")
    except NotExportableError:
        return rule.condition.kind


def lint_rules(
    file: Path,
    *,
    drill: Path | None = None,
    step: float | None = None,
    receivers: Path | None = None,
    report: Report | None = None,
) -> AlertLintView:
    """Find what is allowed in a file of rules and yet probably not meant.

    Args:
        file: of rules.
        drill: incidents on a simulated pool, whose healthy times show which rules fire for nothing.
        step: time between two samples of the metrics, seconds; the interval of the rules by default.
        receivers: whom to tell; what is doubtful there is found too.
        report: told how many requests are simulated so far.

    Raises:
        DocumentError: a file cannot be read or holds what is not allowed.
    """
    rules = load_rules(file)
    healthy = _healthy_shares(rules, drill, report) if drill is not None else None
    found = lint(rules, Surroundings(known_metrics(), step=step, healthy=healthy))
    views = [FindingView(rule=one.rule, code=one.code, message=one.message) for one in found]
    doubts = [] if receivers is None else load_plan(receivers).doubts()
    views += [FindingView(rule="-", code="receivers", message=doubt) for doubt in doubts]
    return AlertLintView(rules=len(rules.every_rule), findings=views)


def known_metrics() -> dict[str, Metric]:
    """Give all metrics that the workbench has: of queues, and of a reconciliation that is watched."""
    from workbench.reconcile.metrics import HELP, HISTOGRAMS

    shares = {name for name in HELP if name.endswith("_ratio") or name in ("alarm", "certificate_valid")}
    watched = {
        _WATCHED + name: Metric(meaning, labels=None, most=1.0 if name in shares else math.inf)
        for name, meaning in HELP.items()
    }
    watched |= {name: Metric(text, MetricKind.HISTOGRAM, labels=()) for name, text in HISTOGRAMS.items()}
    queues = {
        name: Metric(one.meaning, MetricKind(one.kind), one.unit, one.labels, one.least, one.most)
        for name, one in METRICS.items()
    }
    return queues | watched


def _healthy_shares(rules: RuleFile, drill: Path, report: Report | None) -> Mapping[str, float]:
    loaded = load_drill(drill)
    every = loaded.drill.quiet * (len(loaded.drill.faults) + 1)
    quiet = loaded.drill.model_copy(update={"faults": [], "quiet": every})
    episodes = drill_episodes(type(loaded)(quiet, loaded.scenario), interval=rules.interval, report=report)
    shares = {}
    for rule in rules.every_rule:
        spans = [
            (span.start, episode.end if span.end is None else span.end)
            for episode in episodes
            for span in firings(rule, episode.scene(rules.interval))
        ]
        total = sum(episode.healthy for episode in episodes)
        shares[rule.name] = sum(end - start for start, end in spans) / total
    return shares


def export_rules(
    file: Path, *, rules: Sequence[str] = (), tests: Path | None = None, folder: Path | None = None
) -> str:
    """Write rules as Prometheus reads them.

    Args:
        file: of rules.
        rules: names of those to write; all by default.
        tests: tests to write for promtool with them; by default those beside the file, where there are.
        folder: where to write `NAME.rules.yml` and `NAME.rules_test.yml`; without it nothing is written.

    Returns:
        The file of rules as text, or what was written where.

    Raises:
        DocumentError: a file cannot be read or holds what is not allowed.
        NotFoundError: there is no rule of a given name.
        InputError: Prometheus cannot say some of the rules; the message names all of them.
    """
    content = load_rules(file)
    _check_known(content, rules)
    text = prometheus_rules(content, rules)
    if folder is None:
        return text
    name = f"{file.stem}.rules.yml"
    written = {name: text}
    source = tests or tests_of(file)
    if source.exists() or tests is not None:
        document = load_rule_tests(source)
        written[f"{file.stem}.rules_test.yml"] = prometheus_tests(_only(document, rules), rule_file=name)
    return write_files(folder, written)


def _check_known(content: RuleFile, names: Sequence[str]) -> None:
    known = [rule.name for rule in content.every_rule]
    if missing := [name for name in names if name not in known]:
        raise NotFoundError(f"rule: given {', '.join(missing)}; allowed: {', '.join(known)}")


def _only(document: RuleTests, names: Sequence[str]) -> RuleTests:
    """Leave out what tests say of rules that are not written."""
    if not names:
        return document
    groups = []
    for group in document.tests:
        alerts = [one for one in group.alert_rule_test if one.alertname in names]
        states = [one for one in group.promql_expr_test if any(f'"{name}"' in one.expr for name in names)]
        if alerts or states:
            groups.append(group.model_copy(update={"alert_rule_test": alerts, "promql_expr_test": states}))
    if not groups:
        raise InputError(f"rule: given {', '.join(names)}, of which no test says anything; allowed: others")
    return document.model_copy(update={"tests": groups})


def write_files(folder: Path, texts: Mapping[str, str]) -> str:
    """Write files into a folder and say so.

    Raises:
        InputError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder}: given a folder that cannot be written ({error.strerror})") from None
    return "\n".join(f"wrote {folder / name}" for name in texts)
