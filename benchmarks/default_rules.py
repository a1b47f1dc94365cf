"""What the default rules do when something goes wrong of which the time is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.alerts.backtest import Episode, Incident, backtest
from workbench.alerts.labels import Labels
from workbench.alerts.rules import load_rules
from workbench.alerts.series import MemorySource, SeriesSet
from workbench.workflows.alert_views import ScoreView
from workbench.workflows.drills import drill_episodes, load_drill
from workbench.workflows.results import shown

RULES = Path(__file__).parents[1] / "data" / "rules"

EPISODES, DAYS, PER_MINUTE = 20, 3, 20
"""Of the reconciliation: episodes, days of each, and matches proposed a minute on average."""

HEALTHY, DRIFTED = (12.0, 1.5), (6.0, 2.0)
"""Beta distributions of the confidence while all is well, and after the ledgers have changed."""


def reconciliation_episode(seed: int) -> Episode:
    """Draw the confidence of matches, minute by minute; on the second day it falls for six hours."""
    rng = np.random.default_rng(seed)
    times = 60.0 * np.arange(DAYS * 24 * 60)
    start = 86400.0 + 3600.0 * rng.random()
    incident = Incident("lower confidence", start, start + 6 * 3600.0)
    drifted = (times >= incident.start) & (times < incident.end)
    matches = rng.poisson(PER_MINUTE, len(times))
    low = np.empty(len(times))
    for place, (count, bad) in enumerate(zip(matches, drifted, strict=True)):
        low[place] = (rng.beta(*(DRIFTED if bad else HEALTHY), count) <= 0.75).sum()
    all_of_it = Labels()
    metrics = {
        "workbench_match_confidence_bucket": SeriesSet.gather(
            [(all_of_it.merged({"le": "0.75"}), times, np.cumsum(low))]
        ),
        "workbench_match_confidence_count": SeriesSet.gather(
            [(all_of_it, times, np.cumsum(matches).astype(np.float64))]
        ),
    }
    return Episode(MemorySource(metrics), 3600.0, float(times[-1]), (incident,), recovery=2 * 3600.0)


def rows(score: ScoreView) -> list[str]:
    """Write a rule's row for each fault that it detected, or one row where there is none."""
    false = f"{score.false_alarms} in {shown(score.healthy_s)}, {score.false_per_day.figures()} a day"
    name = f"`{score.rule}`"
    found = [
        f"| {name} | {fault} | {own.detected}/{own.incidents} | {own.delay_p50_s.seconds()} | {false} |"
        for fault, own in score.faults.items()
        if own.detected
    ]
    return found or [f"| {name} | none | 0/{score.incidents} | - | {false} |"]


def main() -> list[str]:
    """Give the lines of the table."""
    queues, budget, reconciliation = (
        load_rules(RULES / f"{name}.yaml") for name in ("queues", "budget", "reconciliation")
    )
    drilled = drill_episodes(load_drill(RULES / "drill.yaml"), interval=queues.interval)
    drawn = [reconciliation_episode(seed) for seed in range(EPISODES)]
    found = [
        backtest(file.every_rule, episodes, interval=file.interval)
        for file, episodes in ((queues, drilled), (budget, drilled), (reconciliation, drawn))
    ]
    scores = [ScoreView.of(score) for one in found for score in one.scores]
    heading = "| rule | fault | detected | delay, p50 (95 % interval) | false alarms |"
    return [heading, "|---|---|---|---|---|", *(line for score in scores for line in rows(score))]


if __name__ == "__main__":
    print("\n".join(main()))
