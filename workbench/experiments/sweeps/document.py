"""The document of a sweep: a question, a scenario, and what is varied."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from workbench.documents import Section
from workbench.errors import DocumentError, InputError
from workbench.experiments.designs import DESIGNS, Design, Option
from workbench.experiments.designs.grid import Grid
from workbench.experiments.sweeps.measures import SweepMeasure
from workbench.experiments.sweeps.parameters import Varied
from workbench.experiments.sweeps.paths import STRATEGY, PathError
from workbench.experiments.sweeps.quantities import read_quantity, show_value
from workbench.experiments.sweeps.settings import Setting, with_settings
from workbench.simulate import Scenario, load_scenario


def _read_scenario(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str):
        return load_scenario((info.context or {}).get("folder", Path.cwd()) / value)
    return value


def _read_target(value: Any) -> Any:
    quantity = read_quantity(value)
    if value is not None and quantity is None:
        raise PydanticCustomError("target", "a duration, a share or a number, such as 300ms or 1%")
    return None if quantity is None else quantity.number


_SCENARIO_SCHEMA = {
    "type": ["string", "object"],
    "description": "the path of a scenario's file, or its keys (scenario.json describes them)",
}
_TARGET_SCHEMA = {"type": ["string", "number", "null"], "description": "300ms, 1%, or a number"}


class Sweep(Section):
    """A question that many simulations of one scenario answer."""

    name: str = Field(min_length=1, max_length=100, pattern=r"[A-Za-z0-9]")
    question: str = ""
    """What it is to answer."""
    description: str = ""
    scenario: Annotated[Scenario, BeforeValidator(_read_scenario), WithJsonSchema(_SCENARIO_SCHEMA)]
    """A scenario, or the path of its file, seen from the sweep's own."""
    parameters: dict[str, Varied] = Field(min_length=1, max_length=50)
    """What is varied, by the name under which it is shown."""
    design: Annotated[Design, DESIGNS] = Grid()
    """Which points are tried; random and Sobol draw the circumstances, with every decision at each."""
    decide: list[str] = Field([], max_length=50)
    """Parameters that are ours to choose; the others are circumstances. By default those of the strategy."""
    measure: SweepMeasure = SweepMeasure.RESPONSE_P99
    """What is judged by; less is better."""
    target: Annotated[float | None, BeforeValidator(_read_target), WithJsonSchema(_TARGET_SCHEMA)] = None
    """What the measure may be at most, such as 300ms: the first decision that surely holds it is named."""
    replications: int = Field(5, ge=2, le=10_000)
    """Runs of each point, all on the same requests, 2 or more."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [
            _problem(("decide", place), name, f"one of {', '.join(self.parameters)}")
            for place, name in enumerate(self.decide)
            if name not in self.parameters
        ]
        for name in self.parameters:
            problems += self._check_parameter(name)
        if problems:
            raise ValidationError.from_exception_data("sweep", problems)
        return self

    def _check_parameter(self, name: str) -> list[InitErrorDetails]:
        parameter, place = self.parameters[name], ("parameters", name)
        try:
            levels = [parameter.at(name, 0.0)] if self._samples(name) else parameter.levels(name)
            before = self._settings_before(name)
        except (PydanticCustomError, InputError) as error:
            return [_problem(place, show_value(parameter.model_dump(exclude_defaults=True)), str(error))]
        form = next((form for form in ("values", "options") if getattr(parameter, form) is not None), "from")
        found = []
        for number, level in enumerate(levels):
            at: tuple[int | str, ...] = (*place, form)
            at = (*at, number) if form == "values" else (*at, level.label) if form == "options" else at
            try:
                refusals = self._refusals(before, level)
            except PathError as error:
                return [_problem(place, error.path, error.allowed)]
            found += [_problem(at, level.label, text) for text in refusals]
        return found

    def _samples(self, name: str) -> bool:
        parameter = self.parameters[name]
        unbound = parameter.start is not None and parameter.step is None and parameter.points is None
        return unbound and not isinstance(self.design, Grid) and name not in self.decide

    def _settings_before(self, name: str, seen: tuple[str, ...] = ()) -> tuple[Setting, ...]:
        """Give settings at which a parameter counts: those of what it hangs on come first."""
        settings: tuple[Setting, ...] = ()
        for other, labels in self.allowed_at(name).items():
            if other not in self.parameters or other in (*seen, name):
                raise InputError(f"`when` with one of the other parameters, not {other!r}")
            levels = self.parameters[other].levels(other)
            known = [level.label for level in levels]
            if strange := [label for label in labels if label not in known]:
                raise InputError(f"`when` {other} is one of {', '.join(known)}, not {strange[0]!r}")
            settings += self._settings_before(other, (*seen, name))
            settings += next(level.settings for level in levels if level.label == labels[0])
        return settings

    def _refusals(self, before: tuple[Setting, ...], level: Option) -> list[str]:
        try:
            with_settings(self.scenario, (*before, *level.settings))
        except DocumentError as error:
            return [f"{problem.key}: {problem.allowed}" for problem in error.problems]
        except PathError:
            raise
        except InputError as error:
            return [str(error)]
        return []

    def decisions(self) -> list[str]:
        """Name the parameters that are ours to choose."""
        if self.decide:
            return [name for name in self.parameters if name in self.decide]
        found = [
            name
            for name, parameter in self.parameters.items()
            if (parameter.path or name).startswith(STRATEGY)
            or any(path.startswith(STRATEGY) for one in (parameter.options or {}).values() for path in one)
        ]
        return found or list(self.parameters)

    def allowed_at(self, name: str) -> dict[str, list[str]]:
        """Give the labels of other parameters at which a parameter counts."""
        return {
            other: [show_value(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
            for other, wanted in self.parameters[name].when.items()
        }


def _problem(place: tuple[int | str, ...], given: Any, allowed: str) -> InitErrorDetails:
    safe = allowed.replace("{", "(").replace("}", ")")
    return InitErrorDetails(type=PydanticCustomError("sweep", safe), loc=place, input=given)
