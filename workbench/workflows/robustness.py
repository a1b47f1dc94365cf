"""What would flip the answer: the smallest change of circumstances at which another strategy is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import InputError
from workbench.experiments.robustness import Flip, Ladder, between, ladders, nearest_flip, spread
from workbench.experiments.sweeps import Place, Sweep, SweepMeasure, judge
from workbench.experiments.sweeps.quantities import show_quantity
from workbench.settings import Settings, load_settings
from workbench.simulate import Scenario, Strategy
from workbench.workflows.results import Number, View
from workbench.workflows.running import Source, resolve
from workbench.workflows.simulating import Report
from workbench.workflows.sweep_views import SweepPlanView, SweepView
from workbench.workflows.sweeping import load_sweep, open_sweep, sweep

_UNITS = {"load": "share", "variability": "number", "staleness": "duration", "slow_share": "share"}
_LOGARITHMIC = ("variability", "staleness")
_MAP_VALUES = 6


class FlipView(BaseModel):
    """Where an answer flips."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    value: float
    shown: str
    best: str
    """What is best there."""
    held: float
    """The nearest value towards the scenario at which the answer still held."""


class DialView(BaseModel):
    """One dial."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    dial: str
    base: Number
    """Where the scenario stands."""
    shown: str
    below: FlipView | None
    """The nearest flip below."""
    above: FlipView | None
    """The nearest flip above."""
    least: Number
    """The least value that was tried."""
    most: Number
    """The largest value that was tried."""
    reason: str
    """Why it was not tried; empty where it was."""


class RobustnessView(View):
    """What would flip an answer."""

    schema_: Literal["workbench.robustness/1"] = Field("workbench.robustness/1", alias="schema")
    scenario: str
    lake: str
    measure: str
    measure_label: str
    strategies: list[str]
    best: str
    """The best in the scenario as it stands."""
    not_told_apart: list[str]
    dials: list[DialView]
    answer: str
    map: SweepView | None
    """Over two dials, which is best where; its `parameters` name them."""
    map_here: list[str]
    """The labels of these two at which the scenario stands."""
    reused: int
    simulated: int
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["what changes", "scenario", "flips below", "flips above", "tried"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [_row(dial) for dial in self.dials]

    def title(self) -> str:
        """Give the line above the table."""
        return f"what would flip the answer {self.best}: {self.scenario}, {self.measure_label}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [
            f"answer: {self.answer}",
            *([_map_line(self.map)] if self.map is not None else []),
            f"{self.reused + self.simulated:,} cells: {self.reused:,} reused, {self.simulated:,} simulated",
            *(f"note: {note}" for note in self.notes),
        ]


def _row(dial: DialView) -> list[str]:
    if dial.reason:
        return [dial.dial, dial.shown, "", "", f"not tried: {dial.reason}"]
    sides = ["-" if one is None else f"{one.shown}: {one.best}" for one in (dial.below, dial.above)]
    return [dial.dial, dial.shown, *sides, f"{_show(dial.dial, dial.least)} to {_show(dial.dial, dial.most)}"]


def _map_line(view: SweepView) -> str:
    best: dict[str, int] = {}
    for place in view.places:
        best[place.best or "no answer"] = best.get(place.best or "no answer", 0) + 1
    told = ", ".join(f"{name} at {count}" for name, count in sorted(best.items(), key=lambda one: -one[1]))
    over = " and ".join(name for name in view.parameters if name not in view.decide)
    return (
        f"of {len(view.places)} combinations of {over} the best is {told} (workbench report {view.sweep_id})"
    )


def robustness(
    source: Source,
    *,
    strategies: Sequence[Strategy | str] | None = None,
    measure: SweepMeasure | str = SweepMeasure.RESPONSE_P99,
    replications: int = 5,
    rounds: int = 3,
    dials: Sequence[str] | None = None,
    over: Sequence[str] | None = None,
    on: str | None = None,
    workers: int | None = None,
    settings: Settings | None = None,
    announce: Callable[[SweepPlanView], None] | None = None,
    report: Report | None = None,
) -> RobustnessView:
    """Find the smallest change of load, variability, staleness or slow servers that flips an answer.

    An answer has flipped where another strategy is surely better: where the interval of the difference
    to the best there lies above 0.

    Args:
        source: a scenario, the path of its YAML file, or a dict with the same keys.
        strategies: those to compare; the scenario's `comparison` by default.
        measure: what is judged by.
        replications: runs of each strategy at each value, 2 or more.
        rounds: how often the distance between holding and flipping is halved.
        dials: what is turned: some of `load`, `variability`, `staleness`, `slow_share`; all by default.
        over: two dials of which a map is made; by default the two that flip first.
        on: what simulates, as for `sweep`.
        workers: cells at once.
        settings: where the lake is.
        announce: told before each sweep what is to run.
        report: told how many requests are simulated so far.

    Raises:
        InputError: the scenario, a strategy, the measure or a dial cannot be used.
    """
    scenario = resolve(source)
    search = _Search(
        scenario,
        _labels(scenario, strategies),
        str(measure),
        replications,
        settings or load_settings(),
        lambda one, where: sweep(
            one, on=on, workers=workers, settings=where, announce=announce, report=report
        ),
    )
    wanted = _checked("map", over, exactly=2)
    turned = _checked("dial", dials) or list(_UNITS)
    found = [one for one in ladders(scenario) if one.dial in {*turned, *wanted}]
    base = search.at("", [])
    best = next(iter(base.values())).best
    if best is None:
        raise InputError(
            f"{scenario.name}: given no request that ended well; allowed: an answer to begin with"
        )
    answer = best.standing.strategy
    views = [search.dial(one, answer, rounds=rounds) for one in found]
    chosen = wanted or _nearest(views)
    view = search.map([one for name in chosen for one in found if one.dial == name]) if chosen else None
    close = next(iter(base.values())).close
    return RobustnessView(
        scenario=scenario.name,
        lake=str(search.settings.lake.absolute()),
        measure=search.measure,
        measure_label=SweepMeasure(search.measure).label,
        strategies=search.strategies,
        best=answer,
        not_told_apart=close,
        dials=views,
        answer=_sentence(answer, views),
        map=view,
        map_here=[_label(one.base) for name in chosen for one in found if one.dial == name],
        reused=search.reused,
        simulated=search.simulated,
        notes=_notes(answer, close),
    )


def _labels(scenario: Scenario, given: Sequence[Strategy | str] | None) -> list[str]:
    plan = scenario.comparison
    chosen = given if given is not None else plan.strategies if plan is not None else []
    labels = [one if isinstance(one, str) else one.label for one in chosen]
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise InputError(
            f"strategies: given {', '.join(labels) or 'none'}; allowed: two or more, each once, by "
            "--strategy or in the scenario's `comparison` section"
        )
    return labels


def _checked(what: str, given: Sequence[str] | None, *, exactly: int = 0) -> list[str]:
    names = list(dict.fromkeys(given or ()))
    if not set(names) <= set(_UNITS) or (names and exactly and len(names) != exactly):
        some = "two" if exactly else "some"
        raise InputError(f"{what}: given {', '.join(names)}; allowed: {some} of {', '.join(_UNITS)}")
    return names


@dataclass
class _Search:
    """Runs the sweeps of a search, each under a name of its own."""

    scenario: Scenario
    strategies: list[str]
    measure: str
    replications: int
    settings: Settings
    run: Callable[[Sweep, Settings], SweepView]
    reused: int = 0
    simulated: int = 0

    def at(self, dial: str, values: Sequence[float]) -> dict[float, Place]:
        """Give what is found at some values of a dial, or in the scenario as it stands."""
        view = self._sweep(dial or "as it stands", {dial: list(values)} if dial else {})
        whole, _ = open_sweep(view.sweep_id, self.settings)
        there = {row["key"]: row for row in whole.found.to_pylist()}
        rows: dict[int, list[dict[str, Any] | None]] = {}
        for cell in whole.cells:
            rows.setdefault(cell.point, []).append(there.get(cell.key))
        places = judge(whole.sweep, whole.points, rows).places
        return {place.options[dial].number or 0.0 if dial else math.nan: place for place in places}

    def dial(self, ladder: Ladder, answer: str, *, rounds: int) -> DialView:
        """Search both sides of a dial."""
        if ladder.reason or not ladder.values:
            return _dial_view(ladder, None, None, ())
        values = sorted(ladder.values)
        places = self.at(ladder.dial, values)
        for _ in range(rounds):
            more = [
                between(ladder.base, flip, logarithmic=ladder.dial in _LOGARITHMIC)
                for above in (False, True)
                if (flip := nearest_flip(ladder.base, places, answer, above=above)) is not None
            ]
            fresh = sorted({*values, *(one for one in more if one != ladder.base)})
            if ladder.dial == "slow_share" or fresh == values:
                break
            values = fresh
            places = self.at(ladder.dial, values)
        below, above_flip = (
            nearest_flip(ladder.base, places, answer, above=above) for above in (False, True)
        )
        return _dial_view(ladder, below, above_flip, values)

    def map(self, pair: Sequence[Ladder]) -> SweepView | None:
        """Try two dials together."""
        if len(pair) < 2 or any(one.reason for one in pair):
            return None
        values = {}
        for one in pair:
            others = spread([value for value in one.values if value != one.base], _MAP_VALUES - 1)
            values[one.dial] = sorted({*others, float(_label(one.base))})
        return self._sweep(" and ".join(values), values)

    def _sweep(self, what: str, values: dict[str, list[float]]) -> SweepView:
        bare = self.scenario.model_dump(mode="json") | {"comparison": None}
        document = load_sweep(
            {
                "name": f"{self.scenario.name[:60]} robustness, {what}",
                "question": f"Which strategy is best as {what} changes?",
                "scenario": bare,
                "parameters": {**values, "balancers.strategy": self.strategies},
                "decide": ["balancers.strategy"],
                "measure": self.measure,
                "replications": self.replications,
            }
        )
        view = self.run(document, self.settings)
        self.reused += view.reused
        self.simulated += view.simulated
        return view


def _label(value: float) -> str:
    return f"{value:.6g}"


def _show(dial: str, value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else show_quantity(value, _UNITS[dial])


def _dial_view(ladder: Ladder, below: Flip | None, above: Flip | None, values: Sequence[float]) -> DialView:
    tried = [*values, ladder.base]
    return DialView(
        dial=ladder.dial,
        base=ladder.base,
        shown=_show(ladder.dial, float(_label(ladder.base))),
        below=_flip_view(ladder.dial, below),
        above=_flip_view(ladder.dial, above),
        least=min(tried),
        most=max(tried),
        reason=ladder.reason,
    )


def _flip_view(dial: str, flip: Flip | None) -> FlipView | None:
    if flip is None:
        return None
    return FlipView(value=flip.value, shown=_show(dial, flip.value), best=flip.best, held=flip.held)


def _distance(dial: DialView) -> float:
    """Say how far a dial is from its nearest flip, relative to where it stands; absolute where that is 0."""
    base = dial.base or 0.0
    found = [abs(flip.value - base) / (base or 1.0) for flip in (dial.below, dial.above) if flip is not None]
    return min(found, default=math.inf)


def _nearest(dials: Sequence[DialView]) -> list[str]:
    usable = [dial for dial in dials if not dial.reason]
    return [dial.dial for dial in sorted(usable, key=_distance)[:2]] if len(usable) > 1 else []


def _sentence(answer: str, dials: Sequence[DialView]) -> str:
    told = []
    for dial in sorted((one for one in dials if not one.reason), key=_distance):
        for flip, word in ((dial.below, "falls"), (dial.above, "rises")):
            if flip is not None:
                told.append(f"{dial.dial} {word} from {dial.shown} to {flip.shown} ({flip.best})")
    if told:
        return f"{answer} is no longer best when {'; or '.join(told)}"
    tried = ", ".join(dial.dial for dial in dials if not dial.reason)
    return f"nothing that was tried makes another strategy surely better than {answer}: {tried or 'no dial'}"


def _notes(answer: str, close: Sequence[str]) -> list[str]:
    notes = [
        "one dial at a time; each value is a comparison of its own at 95 %, so of many values tried one in "
        "twenty may flip, or hold, by chance",
    ]
    if close:
        notes.append(f"already as it stands {answer} is not told apart from {', '.join(close)}")
    return notes
