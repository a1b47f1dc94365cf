"""What a rule saw of a stored run: the values of its signal, and when it fired."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import workbench
from workbench.alerts.conditions import Threshold
from workbench.alerts.courses import Scene
from workbench.alerts.firings import firings
from workbench.alerts.rules import load_rules
from workbench.errors import InputError, NotFoundError
from workbench.settings import Settings, load_settings
from workbench.store import Store
from workbench.workflows.stored_episodes import stored_episode

_SAMPLES_S = 5.0
"""Most time between two samples of the metrics, seconds."""


@dataclass(frozen=True, eq=False)
class RuleCourse:
    """A threshold rule over a run.

    Args:
        times_s: of the evaluations, seconds on the simulated clock.
        series: values of the signal by the labels of its series; NaN where there are none.
        threshold: what the signal is held against.
        clear_at: where the alert ends; None where that is the threshold.
        above: whether values above the threshold fire, or those below.
        firings: spans, from and to in seconds, in which an alert of the rule fired.
        signal: what is held against the threshold, in PromQL.
        every_s: between two evaluations, seconds.
    """

    times_s: tuple[float, ...]
    series: dict[str, NDArray[np.float64]]
    threshold: float
    clear_at: float | None
    above: bool
    firings: tuple[tuple[float, float], ...]
    signal: str
    every_s: float


def rule_files(*, settings: Settings | None = None) -> dict[str, Path]:
    """Find files of rules by name: those saved in the lake, then those that come with the project."""
    lake = (settings or load_settings()).lake.absolute()
    shipped = [place / "data" / "rules" for place in (Path(workbench.__file__).parent.parent, Path.cwd())]
    found = {}
    for folder in (*reversed(shipped), lake / "rules"):
        for file in sorted(folder.glob("*.yaml")):
            if not file.stem.endswith("_test") and "\nrules:" in file.read_text(encoding="utf-8"):
                found[file.stem] = file
    return found


def threshold_rules(rules: Path) -> list[str]:
    """Name the rules of a file that hold a signal against a threshold.

    Raises:
        DocumentError: the file cannot be read or holds what is not allowed.
    """
    return [rule.name for rule in load_rules(rules).every_rule if isinstance(rule.condition, Threshold)]


def rule_course(
    rules: Path, rule: str, run_id: int, *, most_points: int = 400, settings: Settings | None = None
) -> RuleCourse:
    """Evaluate a threshold rule over a stored run.

    Args:
        rules: the file of the rule.
        rule: its name.
        run_id: the run.
        most_points: a run so short that the rule's interval gives fewer than a quarter of so many
            evaluations is evaluated more often.
        settings: where the lake is.

    Raises:
        DocumentError: the file holds what is not allowed.
        InputError: there is no such rule, it has no threshold, or the run kept no requests.
        StoreError: the lake cannot be read.
    """
    content = load_rules(rules)
    chosen = next((one for one in content.every_rule if one.name == rule), None)
    if chosen is None or not isinstance(chosen.condition, Threshold):
        raise NotFoundError(f"rule: given {rule!r}; allowed: {', '.join(threshold_rules(rules))}")
    with Store(settings or load_settings()) as store:
        length = (store.run(run_id).end_us or 0) / 1e6
        if length <= 0:
            raise InputError(f"run: given {run_id}, which has no length; allowed: one with requests")
        every = min(content.interval, length / (most_points / 4))
        episode = stored_episode(store, run_id, [], min(_SAMPLES_S, every), 0.0)
    scene: Scene = episode.scene(every)
    condition = chosen.condition
    course = condition.of.over_time(scene)
    values = np.where(course.present, course.values, np.nan)
    spans = firings(chosen, scene)
    last = float(scene.times[-1])
    return RuleCourse(
        times_s=tuple(scene.times.tolist()),
        series={_name(dict(labels)): row for labels, row in zip(course.labels, values, strict=True)},
        threshold=condition.limit,
        clear_at=condition.clear_at,
        above=condition.above is not None,
        firings=tuple((span.start, last if span.end is None else span.end) for span in spans),
        signal=condition.of.promql(),
        every_s=every,
    )


def _name(labels: dict[str, str]) -> str:
    return " ".join(labels.values())
