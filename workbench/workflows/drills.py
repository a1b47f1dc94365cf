"""Drills: incidents of known time and kind in a simulated pool, over which alert rules are tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from workbench.alerts.backtest import Episode, Incident
from workbench.alerts.rules import Interval
from workbench.alerts.series import MemorySource
from workbench.documents import Section, read_document
from workbench.errors import InputError
from workbench.quantities import Duration, Extent, PositiveDuration
from workbench.simulate import Scenario, Workload, choose_engine, load_scenario
from workbench.simulate.arrivals import Poisson, RateOverTime
from workbench.simulate.faults import FAULTS, check_faults
from workbench.simulate.faults import Fault as Breakage
from workbench.workflows.queue_series import observe, queue_series
from workbench.workflows.simulating import Report

_LOADS = ("overload", "flash_crowd")
_SPIKE = 20
"""Steps by which a flash crowd's decay is drawn."""


class Fault(Section):
    """Something that goes wrong, at a time of its own."""

    fault: str
    """overload: the rate is `factor` times as high. flash_crowd: it jumps there and falls back in a line.
    blackout: nobody samples the metrics. Or a fault of scenarios that lasts, such as crash or slow."""
    keys: dict[str, Any] = Field(default_factory=dict, max_length=20)
    """Of a fault of scenarios its own keys, such as `servers`, but for those that say when."""
    factor: float = Field(1.0, ge=1, le=1000)
    """How many times the usual rate."""
    lasting: PositiveDuration
    """How long it goes on, seconds."""
    name: str = Field("", max_length=100)
    """What reports call it; the fault and its factor without the key."""

    @field_validator("fault")
    @classmethod
    def _known(cls, fault: str) -> str:
        if fault not in (known := [*_LOADS, "blackout", *_lasting()]):
            raise PydanticCustomError("fault", "one of {known}", {"known": ", ".join(known)})
        return fault

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.factor > 1) != (self.fault in _LOADS):
            raise PydanticCustomError("factor", "`factor` above 1 with overload and flash_crowd, only there")
        if self.keys and self.fault not in _lasting():
            raise PydanticCustomError("keys", "`keys` with a fault of scenarios, such as crash, only there")
        if self.fault in _lasting():
            try:
                self.breakage(0.0)
            except ValidationError as error:
                raise PydanticCustomError("keys", "{why}", {"why": _first(error)}) from None
        return self

    @property
    def label(self) -> str:
        """What reports call it."""
        if self.fault in _LOADS:
            return self.name or f"{self.fault} x{self.factor:g}"
        return self.name or self.fault

    def breakage(self, at: float) -> Breakage:
        """Give the fault as scenarios have it, beginning at a time in seconds.

        Raises:
            ValidationError: its keys are not those of such a fault.
        """
        return FAULTS.read({"kind": self.fault, **self.keys, "at": [at], "lasts": self.lasting})


def _lasting() -> list[str]:
    """List the faults of scenarios that begin when they are told and end by themselves."""
    return [kind for kind in FAULTS if {"at", "lasts"} <= FAULTS[kind].model_fields.keys()]


def _first(error: ValidationError) -> str:
    item = error.errors()[0]
    where = ".".join(str(part) for part in item["loc"])
    return f"{where}: {item['msg'].removeprefix('Value error, ')}" if where else str(item["msg"])


class Drill(Section):
    """A document that says which incidents rules are tried on, and on which pool."""

    name: str = Field(min_length=1, max_length=100)
    description: str = ""
    scenario: str
    """The file of the scenario, found from the folder of this one; its arrivals must be Poisson."""
    faults: list[Fault] = Field(default_factory=list, max_length=100)
    """What goes wrong, one after the other; none to see false alarms only."""
    quiet: PositiveDuration = 1800.0
    """The healthy time before each fault and after the last, seconds."""
    recovery: Duration = 300.0
    """The time after a fault in which an alarm is neither right nor false, seconds."""
    warm_up: Duration = 120.0
    """The begin of each replication that no rule sees, seconds."""
    replications: int = Field(10, ge=1, le=10_000)
    """How often all of it is simulated, each time with other random numbers."""
    step: Interval = 5.0
    """Time between two samples of the metrics, seconds."""
    seed: int | None = Field(None, ge=0, lt=2**63)
    """In place of the scenario's own."""


@dataclass(frozen=True)
class LoadedDrill:
    """A drill with its scenario."""

    drill: Drill
    scenario: Scenario

    @property
    def rate(self) -> float:
        """The usual rate, arrivals a second."""
        arrivals = self.scenario.arrivals
        assert isinstance(arrivals, Poisson)
        return arrivals.rate


def load_drill(file: Path) -> LoadedDrill:
    """Read a drill and its scenario.

    Raises:
        DocumentError: one of the two cannot be read, or holds what is not allowed.
        InputError: the scenario's arrivals are not Poisson.
    """
    drill = read_document(file, Drill)
    scenario = load_scenario(file.parent / drill.scenario)
    if not isinstance(scenario.arrivals, Poisson):
        raise InputError(
            f"{file}: scenario: given one with arrivals of kind {scenario.arrivals.kind}; allowed: poisson, "
            "whose rate the faults change"
        )
    _check_pool(file, drill, scenario)
    if drill.seed is not None:
        scenario = scenario.model_copy(update={"seed": drill.seed})
    return LoadedDrill(drill, scenario)


def _check_pool(file: Path, drill: Drill, scenario: Scenario) -> None:
    """Check that the drill's faults fit the scenario's pool."""
    for fault in drill.faults:
        if fault.fault not in _lasting():
            continue
        try:
            check_faults([fault.breakage(0.0)], scenario.servers(), scenario.balancers.count)
        except ValidationError as error:
            given = f"faults: given {fault.label}; allowed: {_first(error)}"
            raise InputError(f"{file}: {given}") from None


def planned_incidents(
    loaded: LoadedDrill, *, replication: int, interval: float
) -> tuple[list[Incident], float]:
    """Give the incidents of a replication and the end of its last quiet time, seconds.

    Each begins at a moment of its own within an evaluation interval: where a fault falls between two
    evaluations is chance, and a delay that does not show it would be too good or too bad.
    """
    drill = loaded.drill
    rng = np.random.default_rng([loaded.scenario.seed, replication, 9])
    incidents, at = [], drill.warm_up
    for fault in drill.faults:
        start = at + drill.quiet + float(rng.random()) * interval
        incidents.append(Incident(fault.label, start, start + fault.lasting))
        at = start + fault.lasting + drill.recovery
    return incidents, at + drill.quiet


def drilled_scenario(loaded: LoadedDrill, incidents: Sequence[Incident], until: float) -> Scenario:
    """Give the scenario in which the incidents happen."""
    rate = loaded.rate
    points = [(0.0, rate)]
    for fault, incident in zip(loaded.drill.faults, incidents, strict=True):
        if fault.fault not in _LOADS:
            continue
        shares = [1 - step / _SPIKE for step in range(_SPIKE if fault.fault == "flash_crowd" else 1)]
        width = fault.lasting / len(shares)
        starts = accumulate([width] * (len(shares) - 1), initial=incident.start)
        points += [
            (start, rate * (1 + (fault.factor - 1) * share))
            for start, share in zip(starts, shares, strict=True)
        ]
        points.append((incident.end, rate))
    points.append((until, rate))
    arrivals = RateOverTime(points=points, between="step")
    broken = [
        fault.breakage(incident.start)
        for fault, incident in zip(loaded.drill.faults, incidents, strict=True)
        if fault.fault in _lasting()
    ]
    changes = {"arrivals": arrivals, "horizon": Extent(seconds=until)}
    return loaded.scenario.model_copy(update=changes | {"faults": [*loaded.scenario.faults, *broken]})


def drill_episodes(loaded: LoadedDrill, *, interval: float, report: Report | None = None) -> list[Episode]:
    """Simulate a drill.

    Args:
        loaded: the drill.
        interval: between evaluations of the rules, seconds.
        report: told how many requests are simulated so far, and how many there will be.

    Raises:
        WorkbenchError: the simulation cannot go on.
    """
    plans = [
        planned_incidents(loaded, replication=number, interval=interval)
        for number in range(loaded.drill.replications)
    ]
    total = sum(
        loaded.rate * (until + sum((fault.factor - 1) * fault.lasting for fault in loaded.drill.faults))
        for _, until in plans
    )
    done, episodes = 0.0, []
    for number, (incidents, until) in enumerate(plans):
        scenario = drilled_scenario(loaded, incidents, until)
        records = choose_engine(scenario).engine.run(Workload(scenario, replication=number))
        servers = scenario.servers()
        observed = observe(records, names=servers.names, slots=servers.slots)
        metrics = queue_series(observed, step=loaded.drill.step, until=until)
        for fault, incident in zip(loaded.drill.faults, incidents, strict=True):
            if fault.fault == "blackout":
                metrics = {
                    name: found.without(incident.start, incident.end) for name, found in metrics.items()
                }
        begin = np.ceil(loaded.drill.warm_up / interval) * interval
        episodes.append(
            Episode(
                MemorySource(metrics),
                start=float(begin),
                end=until,
                incidents=tuple(incidents),
                recovery=loaded.drill.recovery,
                name=f"replication {number}",
            )
        )
        done += len(records)
        if report is not None:
            report(done, max(total, done))
    return episodes
