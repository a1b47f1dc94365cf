"""Rules: documents that say when somebody is told."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from workbench.alerts.conditions import CONDITIONS, Condition
from workbench.alerts.labels import NAME, Labels
from workbench.alerts.slo import AlertName, Objective
from workbench.alerts.templates import Template, render
from workbench.documents import Section, read_document
from workbench.quantities import Duration, PositiveDuration

_LONGEST = 1000 * 86400.0
_KNOWN = 100_000
"""Series whose labels are remembered; beyond it they are merged anew, lest names that come and go pile up."""
_RESERVED = frozenset({"alertname", "severity", "alertstate", "__name__"})


def _interval(seconds: float) -> float:
    if not 1e-3 <= seconds <= _LONGEST:
        raise PydanticCustomError("interval", "a time of 1ms to 1000d")
    return seconds


Interval = Annotated[PositiveDuration, AfterValidator(_interval)]
"""Between two evaluations or samples, seconds, 0.001 or more."""


class NoData(StrEnum):
    """What it means that a rule's data are not there."""

    OK = "ok"
    """Nothing is wrong: alerts end."""
    KEEP = "keep"
    """Nothing is known: alerts stay as they are."""
    ALERT = "alert"
    """Something is wrong: an alert labelled `reason="no_data"`."""


class OnError(StrEnum):
    """What it means that a rule cannot be evaluated."""

    KEEP = "keep"
    """Nothing is known: alerts stay as they are."""
    ALERT = "alert"
    """Something is wrong: an alert labelled `reason="error"`."""


class Rule(Section):
    """One alert: when it is due, for how long before anybody is told, and what they are told."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    name: AlertName
    """The label `alertname`."""
    condition: Annotated[Condition, CONDITIONS]
    hold: Duration = Field(0.0, alias="for")
    """How long the condition must hold before the alert fires, seconds."""
    keep_firing_for: Duration = 0.0
    """How long an alert goes on firing after the condition last held, seconds."""
    severity: str = Field("page", min_length=1, max_length=100)
    """The label `severity`, such as page, ticket or info."""
    labels: dict[str, Template] = Field(default_factory=dict, max_length=50)
    """More labels of the alerts; they win over those of the series."""
    annotations: dict[str, Template] = Field(default_factory=dict, max_length=50)
    """What a receiver reads, such as `summary` and `description`."""
    runbook: str | None = Field(None, min_length=1)
    """Where to read what to do; the annotation `runbook_url`."""
    no_data: NoData = NoData.OK
    on_error: OnError = OnError.KEEP

    @field_validator("labels", "annotations")
    @classmethod
    def _names(cls, texts: dict[str, str]) -> dict[str, str]:
        for name in texts:
            if not NAME.fullmatch(name) or name in _RESERVED:
                allowed = f"names of letters, digits and _ but for {', '.join(sorted(_RESERVED))}"
                raise PydanticCustomError("names", allowed)
        return texts

    @cached_property
    def _own_labels(self) -> dict[str, str]:
        return {"alertname": self.name, "severity": self.severity}

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """The templates of all annotations, the runbook's link included."""
        return self.annotations | ({"runbook_url": self.runbook} if self.runbook else {})

    @cached_property
    def _is_constant(self) -> bool:
        return not any("{{" in text for text in self.labels.values())

    @cached_property
    def _labelled(self) -> dict[Labels, Labels]:
        return {}

    def labels_of(self, series: Labels, value: float) -> Labels:
        """Give the labels of the alert of a series."""
        found = self._labelled.get(series) if self._is_constant else None
        if found is None:
            own = {name: render(text, series, value) for name, text in self.labels.items()}
            found = series.merged({**own, **self._own_labels})
            if self._is_constant and len(self._labelled) < _KNOWN:
                self._labelled[series] = found
        return found

    def annotations_of(self, series: Mapping[str, str], value: float) -> dict[str, str]:
        """Fill in the annotations for a series and a value."""
        return {name: render(text, series, value) for name, text in self.texts.items()}


class RuleFile(Section):
    """A document of rules that are evaluated together."""

    name: str = Field(min_length=1, max_length=100)
    description: str = ""
    interval: Interval = 15.0
    """How often the rules are evaluated, seconds."""
    rules: list[Rule] = Field(default_factory=list, max_length=10_000)
    objectives: list[Objective] = Field(default_factory=list, max_length=1000)
    """Service level objectives; each gives four rules, or as many as it has windows."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [rule.name for rule in self.every_rule]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            allowed = f"each name once ({', '.join(twice)} stands twice)"
            raise PydanticCustomError("names", allowed)
        if not names:
            raise PydanticCustomError("rules", "at least one rule or objective")
        return self

    @cached_property
    def every_rule(self) -> tuple[Rule, ...]:
        """The rules, and those that the objectives stand for."""
        made = chain.from_iterable(objective.rules() for objective in self.objectives)
        return (*self.rules, *(Rule.model_validate(keys) for keys in made))

    def rule(self, name: str) -> Rule | None:
        """Find a rule by its name."""
        return next((rule for rule in self.every_rule if rule.name == name), None)


def load_rules(file: Path) -> RuleFile:
    """Read a file of rules.

    Raises:
        DocumentError: the file is missing or not YAML, or some of its keys are wrong; all problems come
            at once, each with its line.
    """
    return read_document(file, RuleFile)


def make_rules(*rules: Mapping[str, Any], interval: float = 15.0, name: str = "rules") -> RuleFile:
    """Make rules from dicts with the same keys as in a file."""
    return RuleFile.model_validate({"name": name, "interval": interval, "rules": list(rules)})
