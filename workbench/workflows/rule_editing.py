"""Trying thresholds of a rule as they are moved, and saving the rule with the one that is chosen."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

import workbench
from workbench.alerts.advice import grid, spread
from workbench.alerts.backtest import Episode
from workbench.alerts.conditions import Threshold
from workbench.alerts.rules import Rule, RuleFile, load_rules
from workbench.documents import parse_document
from workbench.errors import InputError, NotFoundError, StoreError
from workbench.settings import Settings, load_settings
from workbench.store import Store
from workbench.workflows.alert_views import CandidateView
from workbench.workflows.drills import drill_episodes, load_drill
from workbench.workflows.stored_episodes import stored_episode

_RECOVERY_S = 60.0
"""Seconds after a stored run's outage in which an alarm is neither right nor false."""
_BETWEEN = 24
"""Thresholds that are tried across the values that the signal has."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What thresholds are tried on: times of which it is known when something was wrong.

    Args:
        name: what it is, in words.
        episodes: the times.
        interval: between two evaluations, seconds.
    """

    name: str
    episodes: tuple[Episode, ...]
    interval: float

    @property
    def incidents(self) -> int:
        """Incidents in all."""
        return sum(len(one.incidents) for one in self.episodes)

    @property
    def healthy_s(self) -> float:
        """Time outside incidents and recoveries, seconds."""
        return sum(one.healthy for one in self.episodes)


@dataclass(frozen=True)
class Trial:
    """A rule with several thresholds and one `for`.

    Args:
        tried: by rising threshold.
        chosen: the threshold that was asked for.
        present: the rule as it is in its file.
        low: the least value that is worth trying.
        high: the largest.
    """

    tried: tuple[CandidateView, ...]
    chosen: CandidateView
    present: CandidateView
    low: float
    high: float


def interval_of(rules: Path) -> float:
    """Say how often the rules of a file are evaluated, seconds.

    Raises:
        DocumentError: the file holds what is not allowed.
    """
    return load_rules(rules).interval


def present_threshold(rules: Path, rule: str) -> tuple[float, float, float | None]:
    """Give a rule's threshold, its `for` in seconds, and where it clears; None where that is the threshold.

    Raises:
        InputError: there is no such rule, or it has no threshold.
    """
    chosen, condition = _threshold_rule(rules, rule)
    return condition.limit, chosen.hold, condition.clear_at


def drill_files() -> dict[str, Path]:
    """Find the drills that come with the project and those in the working folder's `data/rules`, by name."""
    places = (Path(workbench.__file__).parent.parent, Path.cwd())
    found = [file for place in places for file in sorted((place / "data" / "rules").glob("*drill*.yaml"))]
    return {file.stem: file for file in found if "\nfaults:" in file.read_text(encoding="utf-8")}


def drill_ground(drill: Path, *, interval: float, replications: int) -> Ground:
    """Simulate a drill a few times.

    Args:
        drill: its file.
        interval: between evaluations, seconds.
        replications: how often it is simulated, 1 or more.

    Raises:
        DocumentError: the file holds what is not allowed.
        WorkbenchError: the simulation cannot go on.
    """
    loaded = load_drill(drill)
    fewer = loaded.drill.model_copy(update={"replications": replications})
    episodes = drill_episodes(dataclasses.replace(loaded, drill=fewer), interval=interval)
    return Ground(f"{loaded.drill.name}, {replications} times", tuple(episodes), interval)


def run_ground(run_ids: Sequence[int], *, interval: float, settings: Settings | None = None) -> Ground:
    """Take stored runs, whose outages are the incidents.

    Raises:
        NotFoundError: there is no such run, or it kept no requests.
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        episodes = tuple(stored_episode(store, run, None, min(5.0, interval), _RECOVERY_S) for run in run_ids)
    return Ground(f"run {', '.join(map(str, run_ids))}", episodes, interval)


def try_threshold(rules: Path, rule: str, ground: Ground, *, threshold: float, hold: float) -> Trial:
    """Run a rule with one threshold, and with others around it to see what moving it would do.

    Args:
        rules: the file of the rule.
        rule: its name.
        ground: what it is tried on.
        threshold: in place of its own.
        hold: in place of its own `for`, seconds.

    Raises:
        InputError: there is no such rule, it has no threshold, or its signal has no data.
    """
    chosen, condition = _threshold_rule(rules, rule)
    values = spread(chosen, ground.episodes, interval=ground.interval)
    low, high = min(*values, threshold, condition.limit), max(*values, threshold, condition.limit)
    steps = {low + (high - low) * place / (_BETWEEN - 1) for place in range(_BETWEEN)}
    thresholds = sorted({*values, *steps, threshold})
    found = grid(chosen, ground.episodes, thresholds=thresholds, holds=[hold], interval=ground.interval)
    (present,) = grid(
        chosen,
        ground.episodes,
        thresholds=[condition.limit],
        holds=[chosen.hold],
        interval=ground.interval,
    )
    asked = next(one for one in found if one.threshold == threshold)
    return Trial(
        tried=tuple(CandidateView.of(one) for one in found),
        chosen=CandidateView.of(asked),
        present=CandidateView.of(present),
        low=low,
        high=high,
    )


def edited_rules(rules: Path, rule: str, *, threshold: float, hold: float) -> str:
    """Write a file of rules with another threshold and `for` of one rule; comments and the rest stay.

    `clear_at` keeps its share of the threshold.

    Raises:
        InputError: there is no such rule, or it has no threshold.
        DocumentError: the result would not be allowed.
    """
    _, condition = _threshold_rule(rules, rule)
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 110
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(rules.read_text(encoding="utf-8"))
    found = next((one for one in document["rules"] if one["name"] == rule), None)
    if found is None:
        raise InputError(f"rule: given {rule!r}, which an objective makes; allowed: one that is written out")
    found["condition"]["above" if condition.above is not None else "below"] = _rounded(threshold)
    if condition.clear_at is not None and condition.limit:
        found["condition"]["clear_at"] = _rounded(threshold * condition.clear_at / condition.limit)
    found["for"] = f"{hold:g}s"
    stream = io.StringIO()
    yaml.dump(document, stream)
    parse_document(stream.getvalue(), RuleFile, name=rules.name, folder=rules.parent)
    return stream.getvalue()


def save_rules(name: str, text: str, *, settings: Settings | None = None) -> Path:
    """Save rules in the lake, under `rules`; nobody sees half a file.

    Args:
        name: of the file, without its end.
        text: YAML.
        settings: where the lake is.

    Raises:
        InputError: the name has other characters than letters, digits, `_` and `-`.
        DocumentError: the text holds what is not allowed.
        StoreError: the file cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name):
        raise InputError(f"name: given {name!r}; allowed: letters, digits, _ and -")
    folder = (settings or load_settings()).lake.absolute() / "rules"
    parse_document(text, RuleFile, name=f"{name}.yaml", folder=folder)
    file = folder / f"{name}.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(file)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written ({error.strerror})") from None
    return file


def _threshold_rule(rules: Path, rule: str) -> tuple[Rule, Threshold]:
    every = load_rules(rules).every_rule
    chosen = next((one for one in every if one.name == rule), None)
    if chosen is None:
        raise NotFoundError(f"rule: given {rule!r}; allowed: {', '.join(one.name for one in every)}")
    if not isinstance(chosen.condition, Threshold):
        raise InputError(
            f"{rule}: given a condition of kind {chosen.condition.kind}; allowed: one with a threshold"
        )
    return chosen, chosen.condition


def _rounded(value: float) -> float | int:
    short = float(f"{value:.6g}")
    return int(short) if short == int(short) else short
