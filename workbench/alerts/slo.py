"""Service level objectives, and the burn-rate rules that each stands for."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.alerts.labels import NAME
from workbench.alerts.selectors import Matchers, MetricName
from workbench.alerts.templates import Template
from workbench.documents import Section
from workbench.quantities import Duration, PositiveDuration, format_duration

_LONGEST = 100


def _name(text: str) -> str:
    if not NAME.fullmatch(text) or len(text) > _LONGEST:
        raise PydanticCustomError("name", "a name of at most 100 letters, digits and _")
    return text


AlertName = Annotated[str, AfterValidator(_name)]
"""What a rule or an objective may be called."""


class BurnWindow(Section):
    """One pair of windows: what share of the budget may burn in the long one before somebody is told."""

    long: PositiveDuration
    """The long window, seconds."""
    short: PositiveDuration
    """The short window, seconds."""
    budget: float = Field(gt=0, le=1)
    """Share of the period's budget, 0 to 1, that burns in the long window at the threshold."""
    severity: str = Field("page", min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.short >= self.long:
            raise PydanticCustomError("windows", "a short window that is shorter than the long one")
        return self


WINDOWS = (
    BurnWindow(long=3600.0, short=300.0, budget=0.02, severity="page"),
    BurnWindow(long=6 * 3600.0, short=1800.0, budget=0.05, severity="page"),
    BurnWindow(long=86400.0, short=7200.0, budget=0.10, severity="ticket"),
    BurnWindow(long=3 * 86400.0, short=6 * 3600.0, budget=0.10, severity="ticket"),
)
"""The SRE workbook's table 5-8; over 30 days burn rates of 14.4, 6, 3 and 1."""


class Objective(Section):
    """A share of good events that is aimed at over a period."""

    name: AlertName
    """The rules are called after it: name, `Burns`, and the long window."""
    errors: MetricName
    """The counter of bad events."""
    total: MetricName
    """The counter of all events."""
    match: Matchers = ()
    """Which series of both."""
    by: list[str] = Field(default_factory=list, max_length=20)
    """The labels for each of which there is a budget of its own."""
    objective: float = Field(gt=0, lt=1)
    """Share of good events, such as 0.999."""
    period: PositiveDuration = 30 * 86400.0
    """Over which the objective is to be met, seconds."""
    windows: list[BurnWindow] = Field(default=list(WINDOWS), min_length=1, max_length=20)
    """When somebody is told; those of the SRE workbook without the key."""
    keep_firing_for: Duration = 0.0
    """As in a rule."""
    labels: dict[str, Template] = Field(default_factory=dict)
    """As in a rule."""
    annotations: dict[str, Template] = Field(default_factory=dict)
    """As in a rule; without a `summary` they get one."""
    runbook: str | None = None
    """As in a rule."""

    def factor(self, window: BurnWindow) -> float:
        """The burn rate at which a window's share of the budget burns in it."""
        # Rounded as the published tables are: 0.02 x 720 h / 1 h is 14.4.
        return round(window.budget * self.period / window.long, 9)

    def rules(self) -> list[dict[str, Any]]:
        """Give the keys of the rules that the objective stands for."""
        return [self._rule(window) for window in self.windows]

    def _rule(self, window: BurnWindow) -> dict[str, Any]:
        factor = self.factor(window)
        shared = {key: getattr(self, key) for key in ("errors", "total", "match", "by", "objective")}
        budget = f"{100 * window.budget:g} % of the error budget"
        summary = (
            f"{self.name} burns its error budget {{{{ $value | humanize }}}} times too fast: "
            f"{budget} in {format_duration(window.long)} is {factor:g} times"
        )
        return {
            "name": f"{self.name}Burns{_short(window.long)}",
            "condition": {
                "kind": "burn_rate",
                **shared,
                "factor": factor,
                "long": window.long,
                "short": window.short,
            },
            "keep_firing_for": self.keep_firing_for,
            "severity": window.severity,
            "labels": {"objective": self.name, **self.labels},
            "annotations": {"summary": summary, **self.annotations},
            "runbook": self.runbook,
        }


def _short(seconds: float) -> str:
    """Write a window for a name.

    >>> _short(3600), _short(86400 * 3), _short(90)
    ('1h', '3d', '90s')
    """
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s".replace(".", "_")
