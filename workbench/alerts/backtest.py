"""Backtests: what rules would have done over times of which it is known when something was wrong.

An alarm is a time during which at least one alert of a rule fires. One that begins during an incident
detects it; one that begins outside every incident and its recovery is false. An alarm that stood already
when an incident began tells nobody of it, so it does not count as a detection.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.alerts.courses import Scene
from workbench.alerts.estimates import Estimate, quantile_estimate, rate_estimate, share_estimate
from workbench.alerts.firings import Span, firings
from workbench.alerts.rules import Rule
from workbench.alerts.series import Source

_DAY = 86400.0


@dataclass(frozen=True)
class Incident:
    """A time during which something was wrong, seconds."""

    fault: str
    """What was wrong, such as `overload`."""
    start: float
    end: float


@dataclass(frozen=True)
class Episode:
    """A stretch of time with its data and the truth about it.

    Args:
        source: the data.
        start: the first evaluation, seconds.
        end: the last evaluation is not later, seconds.
        incidents: in the order of time, without overlaps.
        recovery: after an incident, the time in which an alarm is neither right nor false, seconds.
        name: such as `replication 3`.
    """

    source: Source
    start: float
    end: float
    incidents: tuple[Incident, ...] = ()
    recovery: float = 300.0
    name: str = ""

    def scene(self, interval: float) -> Scene:
        """Give the evaluations of the episode."""
        count = math.floor((self.end - self.start) / interval + 1e-9) + 1
        return Scene(self.source, self.start + interval * np.arange(count, dtype=np.float64))

    @property
    def healthy(self) -> float:
        """Seconds outside incidents and recoveries."""
        sick = 0.0
        edge = self.start
        for incident in self.incidents:
            until = min(incident.end + self.recovery, self.end)
            sick += max(0.0, until - max(incident.start, edge))
            edge = max(edge, until)
        return self.end - self.start - sick

    def is_healthy(self, at: float) -> bool:
        """Tell whether a time is outside incidents and recoveries."""
        return not any(one.start <= at <= one.end + self.recovery for one in self.incidents)


@dataclass(frozen=True)
class Score:
    """What a rule did over episodes."""

    rule: str
    incidents: int
    detected: int
    already_firing: int
    """Incidents that began while an alarm stood already; they count as missed."""
    false_alarms: int
    healthy_s: float
    """Time outside incidents, seconds."""
    delays: tuple[float, ...]
    """From the begin of each incident to its alarm, seconds; infinite where it was missed."""
    faults: tuple[str, ...]
    """What each incident was."""
    resets: tuple[float, ...]
    """From the end of each incident at which an alarm stood to that alarm's end, seconds."""

    @property
    def false_per_day(self) -> Estimate:
        """False alarms a day of healthy time."""
        return rate_estimate(self.false_alarms, self.healthy_s / _DAY)

    @property
    def recall(self) -> Estimate:
        """Share of the incidents that were detected."""
        return share_estimate(self.detected, self.incidents)

    def delay(self, quantile: float) -> Estimate:
        """Seconds until an incident is detected; infinite where too many were missed."""
        return quantile_estimate(self.delays, quantile)

    def delays_of(self, fault: str) -> tuple[float, ...]:
        """Give the delays of the incidents of one fault."""
        return tuple(delay for delay, one in zip(self.delays, self.faults, strict=True) if one == fault)

    def reset(self, quantile: float) -> Estimate:
        """Seconds from an incident's end until the alarm's."""
        return quantile_estimate(self.resets, quantile)


def score(rule: str, episodes: Sequence[Episode], alarms: Sequence[Sequence[Span]]) -> Score:
    """Judge the alarms of a rule, one sequence an episode."""
    delays: list[float] = []
    resets: list[float] = []
    already = false = 0
    for episode, spans in zip(episodes, alarms, strict=True):
        for incident in episode.incidents:
            stood = any(
                one.start < incident.start and one.overlaps(incident.start, incident.start) for one in spans
            )
            inside = [one.start for one in spans if incident.start <= one.start <= incident.end]
            delays.append(inside[0] - incident.start if inside and not stood else math.inf)
            already += stood
            last = [
                one for one in spans if one.start <= incident.end and one.overlaps(incident.end, incident.end)
            ]
            resets += [math.inf if one.end is None else one.end - incident.end for one in last]
        false += sum(episode.is_healthy(one.start) for one in spans)
    return Score(
        rule=rule,
        incidents=len(delays),
        detected=sum(math.isfinite(delay) for delay in delays),
        already_firing=already,
        false_alarms=false,
        healthy_s=sum(episode.healthy for episode in episodes),
        delays=tuple(delays),
        faults=tuple(incident.fault for episode in episodes for incident in episode.incidents),
        resets=tuple(resets),
    )


@dataclass(frozen=True)
class Backtest:
    """What a set of rules did."""

    scores: tuple[Score, ...]
    first: Mapping[str, Mapping[str, int]]
    """For each fault how often each rule's alarm came first; `none` where there was none."""
    alarms: Mapping[str, tuple[tuple[Span, ...], ...]]
    """For each rule its alarms, episode by episode."""


def backtest(rules: Sequence[Rule], episodes: Sequence[Episode], *, interval: float) -> Backtest:
    """Run rules over episodes; `interval` is the time between evaluations, seconds.

    Raises:
        WorkbenchError: a rule cannot be evaluated.
    """
    scenes = [episode.scene(interval) for episode in episodes]
    alarms = {rule.name: tuple(tuple(firings(rule, scene)) for scene in scenes) for rule in rules}
    scores = tuple(score(rule.name, episodes, alarms[rule.name]) for rule in rules)
    return Backtest(scores, first_pages(episodes, alarms), alarms)


def first_pages(
    episodes: Sequence[Episode], alarms: Mapping[str, Sequence[Sequence[Span]]]
) -> dict[str, dict[str, int]]:
    """Count for each fault which rule's alarm came first; of one evaluation, the first in order."""
    found: dict[str, Counter[str]] = {}
    for place, episode in enumerate(episodes):
        for incident in episode.incidents:
            begun = [
                (span.start, name)
                for name, spans in alarms.items()
                for span in spans[place]
                if incident.start <= span.start <= incident.end
            ]
            first = min(begun, key=lambda one: one[0])[1] if begun else "none"
            found.setdefault(incident.fault, Counter())[first] += 1
    return {fault: dict(counts.most_common()) for fault, counts in found.items()}
