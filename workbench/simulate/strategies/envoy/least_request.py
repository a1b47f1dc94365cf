"""Envoy's least request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import STRATEGIES, Memory, Strategy
from workbench.simulate.strategies.envoy._scheduled import FULL_SCAN, N_CHOICES, Start, memory, pick


@STRATEGIES.register
class EnvoyLeastRequest(Strategy):
    """The emptier of a few servers drawn with replacement; by earliest deadline where weights differ.

    With equal weights a server that is drawn twice is its own only rival. With unequal ones a server's
    deadline is reckoned when it is picked, from weight / (in flight + 1)^bias as of then; slow start
    scales the weight. A server at its limit, which Envoy does not know for single servers, is passed over.
    """

    summary: ClassVar[str] = "the emptier of two draws with replacement; deadlines where weights differ"
    source: ClassVar[str] = "Envoy 1.39 (least_request_lb.cc, edf_scheduler.h)"
    kind: Literal["envoy.least_request"] = "envoy.least_request"
    choice_count: int = Field(2, ge=2, le=30_000)
    """Draws with `N_CHOICES`, 2 to 30,000."""
    selection_method: Literal["N_CHOICES", "FULL_SCAN"] = "N_CHOICES"
    """Among equal weights: compare some servers drawn at random, or all with ties by chance."""
    active_request_bias: float | None = Field(None, ge=0, le=10, allow_inf_nan=False)
    """How much requests in flight lower a weight, 0 (not at all) to 10; 1 where not given.

    If it is given, deadlines decide even where weights are equal; before 2026 Envoy did so only where
    they differ.
    """
    start: Start = 0
    """Picks that the schedule begins after, 0 to 429,496,728; Envoy draws them for each worker: `random`."""
    pick = staticmethod(pick)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin at the start."""
        bias = self.active_request_bias
        return memory(
            servers.count,
            method=FULL_SCAN if self.selection_method == "FULL_SCAN" else N_CHOICES,
            choices=self.choice_count,
            start=-1 if self.start == "random" else self.start,
            forced=bias is not None,
            bias=1.0 if bias is None else bias,
        )
