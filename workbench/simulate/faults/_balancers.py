"""Balancers that a fault names."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_core import InitErrorDetails

from workbench.simulate.faults._base import problem

BalancerNumbers = Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=10_000)]
"""Balancers by their numbers, from 0."""


def unknown(numbers: list[int], balancers: int) -> list[InitErrorDetails]:
    """List the numbers that no balancer has."""
    allowed = f"0 to {balancers - 1}, the scenario's balancers" if balancers > 1 else "0, the only balancer"
    return [problem("balancers", number, allowed) for number in numbers if number >= balancers]
