"""What may be asked of a precision, and which measures there are."""

from __future__ import annotations

from workbench.errors import InputError
from workbench.experiments.precision import FIRST
from workbench.simulate import Measure, Scenario
from workbench.simulate.arrivals import TraceArrivals

MOST = 1000
"""Replications after which nobody goes on by default."""


def check_precision(scenario: Scenario, precision: float, most: int) -> None:
    """Refuse a precision that cannot be reached by more replications.

    Raises:
        InputError: it is out of its range, the limit is, or a trace is replayed.
    """
    if not 0.0 < precision < 1.0:
        raise InputError(f"precision: given {precision:g}; allowed: above 0 % and below 100 %, such as 1%")
    if not FIRST <= most <= 100_000:
        raise InputError(f"most: given {most}; allowed: {FIRST} to 100,000 replications")
    if isinstance(scenario.arrivals, TraceArrivals):
        raise InputError(
            "precision: given with a trace; allowed: scenarios whose arrivals are drawn, for replications "
            "of one recorded trace tell no more than the trace does"
        )


def read_measure(given: Measure | str) -> Measure:
    """Look a measure up.

    Raises:
        InputError: there is no such measure.
    """
    try:
        return Measure(given)
    except ValueError:
        raise InputError(f"measure: given {given!r}; allowed: {', '.join(Measure)}") from None
