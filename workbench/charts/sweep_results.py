"""The results of a sweep, as all charts of sweeps take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.quantities import format_duration


@dataclass(frozen=True)
class Figure:
    """What is measured.

    Args:
        label: in words.
        unit: `duration` (seconds), `share` or `number`.
    """

    label: str
    unit: str

    def shown(self, value: float | None) -> str:
        """Write a value of it.

        >>> Figure("failed", "share").shown(0.25)
        '25 %'
        """
        if value is None:
            return "–"
        if self.unit == "duration":
            return format_duration(value)
        return f"{100 * value:.3g} %" if self.unit == "share" else f"{value:.4g}"


@dataclass(frozen=True)
class SweepDecision:
    """One decision at one circumstance; None where there is no value.

    Args:
        decision: in words.
        verdict: what is said of it.
        holds: whether it holds the target; None without one.
        value: the measure of the sweep.
        low: lower end of its interval.
        high: upper end of its interval.
        numbers: what was decided, where that is a number, by parameter.
        figures: every measure, by name.
    """

    decision: str
    verdict: str
    holds: bool | None
    value: float | None
    low: float | None
    high: float | None
    numbers: Mapping[str, float]
    figures: Mapping[str, float | None]


@dataclass(frozen=True)
class SweepPlace:
    """One circumstance.

    Args:
        place: in words; empty where there is only one.
        options: the circumstances, by parameter.
        numbers: the same where they are numbers.
        decisions: the best first.
    """

    place: str
    options: Mapping[str, str]
    numbers: Mapping[str, float]
    decisions: tuple[SweepDecision, ...]

    @property
    def best(self) -> SweepDecision | None:
        """The best, where there is an answer."""
        return next((one for one in self.decisions if one.verdict == "best"), None)


@dataclass(frozen=True)
class SweepResults:
    """A sweep.

    Args:
        measure: name of the measure that it is judged by.
        figures: what every measure is.
        target: what the measure may be at most; None without one.
        level: probability with which the intervals hold.
        parameters: what was varied, with the labels in order.
        decide: parameters that are ours to choose.
        places: the circumstances.
    """

    measure: str
    figures: Mapping[str, Figure]
    target: float | None
    level: float
    parameters: Mapping[str, tuple[str, ...]]
    decide: tuple[str, ...]
    places: tuple[SweepPlace, ...]

    @property
    def figure(self) -> Figure:
        """What it is judged by."""
        return self.figures[self.measure]

    @property
    def decisions(self) -> tuple[str, ...]:
        """All decisions, the one that is best most often, or else least on average, first."""
        ranks: dict[str, list[int]] = {}
        for place in self.places:
            for rank, one in enumerate(place.decisions):
                ranks.setdefault(one.decision, []).append(rank)
        return tuple(sorted(ranks, key=lambda name: sum(ranks[name]) / len(ranks[name])))


def read_sweep(document: Mapping[str, Any]) -> SweepResults:
    """Take the results out of a sweep as it is shown (`workbench.sweep_result/1`)."""
    return SweepResults(
        measure=document["measure"],
        figures={name: Figure(one["label"], one["unit"]) for name, one in document["measures"].items()},
        target=document["target"],
        level=document["level"],
        parameters={name: tuple(labels) for name, labels in document["parameters"].items()},
        decide=tuple(document["decide"]),
        places=tuple(
            SweepPlace(
                place["place"],
                place["options"],
                _known(place["numbers"]),
                tuple(_decision(one) for one in place["decisions"]),
            )
            for place in document["places"]
        ),
    )


def _decision(one: Mapping[str, Any]) -> SweepDecision:
    same = ("decision", "verdict", "holds", "value", "low", "high", "figures")
    return SweepDecision(**{name: one[name] for name in same}, numbers=_known(one["numbers"]))


def _known(numbers: Mapping[str, float | None]) -> dict[str, float]:
    return {name: number for name, number in numbers.items() if number is not None}
