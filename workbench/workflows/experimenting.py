"""Preparing an experiment: which scenarios there are, what is wrong with one, and how long it will take."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import workbench
from workbench.documents import parse_document
from workbench.errors import DocumentError, InputError, Problem
from workbench.settings import Settings, load_settings
from workbench.simulate import Measure, Scenario, Workload, read_strategy, why_reference
from workbench.store import Store
from workbench.store.store import CATALOGUE_FILE
from workbench.workflows.jobs import start_job
from workbench.workflows.running import check_pool, notes

_FILE = "scenario.yaml"
_REQUESTS_PER_S = {"reference": 60_000.0, "compiled": 2_000_000.0}
"""Requests simulated a second, with all that is around it, where no run of the store tells."""
_TELLING = 20_000
"""Requests of a run from which its pace tells of others."""
_BEGINNING_S = 2.5
"""Seconds that a command takes before it simulates."""


@dataclass(frozen=True)
class CheckedScenario:
    """A scenario's text after reading it.

    Args:
        scenario: what it says; None where it cannot be used.
        problems: all that is wrong with it, in the order of the lines.
        notes: what a reader of its results must know.
        load: share of the pool's capacity that is offered; None for a closed loop.
    """

    scenario: Scenario | None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    load: float | None = None


@dataclass(frozen=True)
class Estimate:
    """What an experiment will take.

    Args:
        requests: in all runs together; None where nobody knows.
        seconds: about how long, on this machine; None where nobody knows.
        basis: what that stands on, in words.
    """

    requests: float | None
    seconds: float | None
    basis: str


def scenario_files() -> dict[str, Path]:
    """Find the scenarios in `simulations`, beside the package and in the working folder, by their names."""
    places = (Path(workbench.__file__).parent.parent, Path.cwd())
    found = [file for place in places for file in sorted((place / "simulations").glob("*.yaml"))]
    return {file.stem: file for file in found if "sweep" not in file.stem}


def check_scenario(text: str, *, name: str, folder: Path) -> CheckedScenario:
    """Read a scenario's text, and say all that is wrong with it at once.

    Args:
        text: YAML.
        name: what it is called in messages.
        folder: where it finds other files, such as traces.
    """
    try:
        scenario = parse_document(text, Scenario, name=name, folder=folder)
        check_pool(scenario)
        offered = scenario.offered_load()
        load = None if offered is None else offered / scenario.capacity()
        return CheckedScenario(scenario, notes=tuple(notes(scenario)), load=load)
    except DocumentError as error:
        return CheckedScenario(None, tuple(error.problems))
    except InputError as error:
        return CheckedScenario(None, (Problem(name, 0, "", "what cannot be used", str(error)),))


def estimate(
    scenario: Scenario,
    *,
    strategies: Sequence[str] = (),
    replications: int = 1,
    settings: Settings | None = None,
) -> Estimate:
    """Estimate how long an experiment will take, by the pace of the runs that the store holds.

    Args:
        scenario: what is to be simulated.
        strategies: labels of the strategies to compare; its own where there are none.
        replications: runs of each.
        settings: where the lake is, and how many simulations run at once.

    Raises:
        InputError: a strategy cannot be used, or the trace.
        StoreError: the lake cannot be read.
    """
    settings = settings or load_settings()
    each = Workload(scenario).expected_requests()
    if each is None:
        return Estimate(None, None, "how many requests there will be shows only when it runs")
    versions = [scenario.with_strategy(read_strategy(one)) for one in strategies] or [scenario]
    paces, known = _paces(settings)
    engines = ["reference" if why_reference(one) else "compiled" for one in versions]
    simulating = sum(each * replications / paces[engine] for engine in engines)
    seconds = _BEGINNING_S + simulating / min(settings.jobs, replications * len(versions))
    told = set(engines) <= known
    basis = "by the pace of earlier runs" if told else "by the pace of a usual machine; no run has told yet"
    return Estimate(each * replications * len(versions), seconds, basis)


def start_experiment(
    scenario: Scenario,
    *,
    strategies: Sequence[str] = (),
    replications: int = 10,
    measure: Measure | str = Measure.RESPONSE_MEAN,
    settings: Settings | None = None,
) -> int:
    """Start a run, or a comparison where there are strategies to compare, as a job; return its number.

    Args:
        scenario: what is simulated.
        strategies: labels of the strategies to compare; one run under the scenario's own where there are
            fewer than two.
        replications: runs of each strategy.
        measure: what to compare by.
        settings: where the lake is.

    Raises:
        InputError: a strategy cannot be used.
        StoreError: the lake cannot be written.
    """
    for one in strategies:
        check_pool(scenario.with_strategy(read_strategy(one)))
    files = {_FILE: json.dumps(json.loads(scenario.to_json()), indent=1)}
    if len(strategies) < 2:
        chosen = [f"--strategy={one}" for one in strategies]
        under = strategies[0] if strategies else scenario.balancers.strategy.label
        title = f"{scenario.name} under {under}"
        return start_job(["run", _FILE, *chosen], title=title, files=files, settings=settings)
    arguments = [f"--strategy={one}" for one in strategies]
    arguments += [f"--replications={replications}", f"--measure={Measure(measure).value}"]
    title = f"{scenario.name}: {len(strategies)} strategies, {replications} replications"
    return start_job(["compare", _FILE, *arguments], title=title, files=files, settings=settings)


def _paces(settings: Settings) -> tuple[dict[str, float], set[str]]:
    """Requests a second of each engine, and those engines of which a run has told."""
    if not (settings.lake / CATALOGUE_FILE).is_file():
        return _REQUESTS_PER_S, set()
    with Store(settings) as store:
        runs = store.runs(limit=50, state="complete")
    told: dict[str, list[float]] = {}
    for run in runs:
        took = (run.finished - run.started).total_seconds() if run.finished else 0.0
        if took > 0 and (run.requests or 0) >= _TELLING:
            told.setdefault(run.engine, []).append((run.requests or 0) / took)
    measured = {engine: statistics.median(paces) for engine, paces in told.items()}
    return _REQUESTS_PER_S | measured, set(measured)
