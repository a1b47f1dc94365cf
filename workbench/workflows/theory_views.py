"""What theory says beside a result, in the form that every face of the workbench shows."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from workbench.quantities import format_duration


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Bound = Annotated[float | None, BeforeValidator(_finite)]
"""A finite number; null where there is none."""

_NAMES = {"utilisation": "utilisation", "refused": "refused requests", "little": "Little's law, residual"}


class TheoryCheckView(BaseModel):
    """One quantity as theory expects it and as it was measured; seconds, or a share of 0 to 1."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    quantity: str
    """`response_mean`, `wait_mean`, `response_p50`, `p95`, `p99`, `utilisation`, `refused` or `little`.

    The last is |L - lambda W| / L.
    """
    expected: float
    measured: Bound
    low: Bound
    """The interval of what was measured; those of all quantities hold together at 99 % (Bonferroni)."""
    high: Bound
    verdict: str
    """`pass`, or `warn` where the expected value lies outside."""

    def line(self) -> str:
        """Tell it in a line."""
        interval = "" if self.low is None else f" ({self._shown(self.low)} to {self._shown(self.high)})"
        return (
            f"{self.name}: expected {self._shown(self.expected)}, "
            f"measured {self._shown(self.measured)}{interval}: {self.verdict}"
        )

    @property
    def name(self) -> str:
        """The quantity in words."""
        kind, _, which = self.quantity.partition("_")
        times = {"response": "response time", "wait": "waiting time"}
        return _NAMES.get(self.quantity) or f"{times[kind]}, {which.replace('_', '.')}"

    def _shown(self, value: float | None) -> str:
        if value is None:
            return "-"
        if self.quantity == "little":
            return f"{value:.1e}" if value else "0"
        if self.quantity in _NAMES:
            return f"{100 * value:.2f} %"
        return f"-{format_duration(-value)}" if value < 0 else format_duration(value)


class TheoryView(BaseModel):
    """A result beside queueing theory."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    model: str
    """The model whose formula applies, such as `M/M/8`; empty where none does."""
    verdict: str
    """`pass`, `warn`, `no exact formula here`, or `too few requests` for an interval."""
    reason: str
    """What is in the way of a formula; empty where there is one."""
    checks: list[TheoryCheckView]
    """What is known: laws hold without a formula for the times."""

    def lines(self) -> list[str]:
        """Tell the verdict in a line, and each check in one more; Little's law only where it fails."""
        if self.model:
            head = f"theory, {self.model}: {self.verdict}"
        elif self.verdict == "warn":
            head = f"theory: warn; no exact formula for the times here ({self.reason})"
        else:
            head = f"theory: {self.verdict} ({self.reason})"
        if self.verdict == "warn":
            head += "; a longer run or warm-up may be needed: workbench plan"
        told = [one for one in self.checks if one.quantity != "little" or one.verdict == "warn"]
        return [head, *(f"  {one.line()}" for one in told)]

    def short(self) -> str:
        """Tell it in one line: the verdict, and what is not as expected."""
        odd = [one.line() for one in self.checks if one.verdict == "warn"]
        known = self.model or f"no exact formula here ({self.reason})"
        verdict = f", {self.verdict}" if self.model or odd else ""
        return "; ".join([f"{known}{verdict}", *odd])
