"""Saying how long a precision takes, from pilots that are not stored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.experiments import Need, average, mser, need_of_long_runs, need_of_replications
from workbench.experiments.precision import FIRST
from workbench.quantities import Extent
from workbench.settings import Settings, load_settings
from workbench.simulate import (
    Choice,
    EngineName,
    Measure,
    Records,
    Scenario,
    Strategy,
    Workload,
    choose_engine,
    measured_window,
)
from workbench.simulate.arrivals import ClosedLoop, Gamma, Mmpp, Poisson, Uniform
from workbench.simulate.engines.choosing import WORTH_COMPILING
from workbench.simulate.theory import stability
from workbench.workflows.estimate_views import NeedView, PlanView
from workbench.workflows.precision import check_precision
from workbench.workflows.running import Source, notes, resolve

_PILOTS = 5
_SLOW_PILOT = 40_000
"""Requests of a pilot on the reference engine: less than a second."""

_MEASURES = {
    Measure.RESPONSE_MEAN: None,
    Measure.WAIT_MEAN: None,
    Measure.RESPONSE_P50: 0.5,
    Measure.RESPONSE_P95: 0.95,
    Measure.RESPONSE_P99: 0.99,
}


@dataclass(frozen=True)
class _Pilots:
    runs: list[Records]
    windows: list[tuple[float, float]]
    per_request: float
    """Seconds of processor time."""

    def values(self, measure: Measure) -> list[NDArray[np.float64]]:
        kind = measure.value.partition("_")[0]
        found = []
        for run, (begin, end) in zip(self.runs, self.windows, strict=True):
            inside = (run.arrival >= begin) & (run.arrival <= end) & run.ok()
            found.append((run.wait if kind == "wait" else run.response)[inside])
        return found


def plan(
    source: Source,
    *,
    precision: float = 0.01,
    strategy: Strategy | str | None = None,
    seed: int | None = None,
    engine: EngineName | str | None = None,
    settings: Settings | None = None,
) -> PlanView:
    """Say how many requests and how much time it takes to know a scenario to a precision.

    Five pilots are simulated and thrown away. The guess is a rough one, of a mean mostly within a third, of a
    tail's quantile within a factor of two.

    Args:
        source: a scenario, the path of its YAML file, or a dict with the same keys.
        precision: half-width of the 95 % interval by the value, above 0 and below 1.
        strategy: in place of the scenario's own.
        seed: in place of the scenario's own, 0 or more.
        engine: in place of the scenario's own: `auto`, `reference` or `compiled`.
        settings: how many processes may work.

    Raises:
        InputError: the scenario or a parameter cannot be used, a trace is replayed, or the scenario is
            unstable, so that there is nothing to know.
    """
    scenario = resolve(source, strategy=strategy, seed=seed, engine=engine)
    check_precision(scenario, precision, FIRST)
    held = stability(scenario)
    if held is not None and not held.stable and not held.bounded:
        raise InputError(
            f"plan: given {held.sentence(scenario.balancers.strategy.label)}; "
            "allowed: a scenario that is stable"
        )
    choice = choose_engine(scenario)
    steady = _is_steady(scenario)
    pilots = _simulate(scenario, choice, steady)
    horizon = _horizon(scenario, pilots)
    begin = pilots.windows[0][0] / max(pilots.runs[0].until, 1e-300)
    return PlanView(
        scenario=scenario.name,
        strategy=scenario.balancers.strategy.label,
        precision=precision,
        needs=[
            _view(measure, _need(pilots, measure, q, steady, precision), pilots, horizon=horizon)
            for measure, q in _MEASURES.items()
        ],
        engine=choice.engine.name,
        engine_reason=choice.reason,
        requests_per_s=1.0 / pilots.per_request,
        jobs=(settings or load_settings()).jobs,
        horizon=horizon,
        warm_up=round(begin * horizon),
        settled=mser(average([run.response for run in pilots.runs])) if steady else None,
        pilots=_PILOTS,
        pilot_requests=len(pilots.runs[0]),
        notes=notes(scenario),
    )


def _is_steady(scenario: Scenario) -> bool:
    """Whether the scenario is the same at all times, so that its long run is what counts."""
    return scenario.never_fails() and isinstance(
        scenario.arrivals, Poisson | Gamma | Uniform | Mmpp | ClosedLoop
    )


def _simulate(scenario: Scenario, choice: Choice, steady: bool) -> _Pilots:
    if steady:
        requests = WORTH_COMPILING if choice.engine.name == "compiled" else _SLOW_PILOT
        scenario = scenario.model_copy(
            update={"horizon": Extent(requests=requests), "warm_up": Extent(share=0.1)}
        )
    runs, begun = [], time.process_time()
    for number in range(_PILOTS):
        runs.append(choice.engine.run(Workload(scenario, replication=number)))
        if number == 0:  # it has compiled, or loaded, what the others find
            begun = time.process_time()
    spent = time.process_time() - begun
    windows = [measured_window(run, scenario.warm_up) for run in runs]
    return _Pilots(runs, windows, max(spent, 1e-9) / max(1, sum(len(run) for run in runs[1:])))


def _need(pilots: _Pilots, measure: Measure, q: float | None, steady: bool, precision: float) -> Need:
    values = pilots.values(measure)
    if min(len(one) for one in values) < 100:
        raise InputError(
            "plan: given pilots with less than 100 measured requests that ended well; allowed: more"
        )
    if steady:
        return need_of_long_runs(values, q, precision=precision)
    single = [float(one.mean() if q is None else np.quantile(one, q)) for one in values]
    return need_of_replications(single, requests=_mean_length(values), precision=precision)


def _view(measure: Measure, need: Need, pilots: _Pilots, *, horizon: int) -> NeedView:
    measured = _mean_length(pilots.values(measure))
    share = measured / len(pilots.runs[0])
    requests = need.requests / share
    return NeedView(
        measure=measure.value,
        measure_label=measure.label,
        value=need.value,
        relative=need.relative * (measured / (share * horizon)) ** 0.5,
        requests=round(requests),
        replications=max(1, int(np.ceil(requests / horizon))),
        processor_s=requests * pilots.per_request,
    )


def _mean_length(values: Sequence[NDArray[np.float64]]) -> float:
    return float(np.mean([len(one) for one in values]))


def _horizon(scenario: Scenario, pilots: _Pilots) -> int:
    expected = Workload(scenario).expected_requests()
    if expected is not None:
        return max(1, round(expected))
    seconds = scenario.horizon.seconds if scenario.horizon else None
    rate = len(pilots.runs[0]) / max(pilots.runs[0].until, 1e-300)
    return max(1, round(rate * (seconds or pilots.runs[0].until)))
