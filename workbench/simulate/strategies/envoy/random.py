"""Envoy's random choice."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.simulate.strategies._base import STRATEGIES, Strategy
from workbench.simulate.strategies.random import pick


@STRATEGIES.register
class EnvoyRandom(Strategy):
    """Every usable server is equally likely, whatever its weight."""

    summary: ClassVar[str] = "every server equally likely"
    source: ClassVar[str] = "Envoy 1.39 (random_lb.cc)"
    kind: Literal["envoy.random"] = "envoy.random"
    pick = staticmethod(pick)
