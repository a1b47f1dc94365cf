"""Thresholds from costs: what a review costs beside what a wrong decision costs.

Accepting at confidence p costs (1 - p) x wrong on average, rejecting p x missed, a review its own
cost; each proposal takes the cheapest (Chow, On optimum recognition error and reject tradeoff,
1970). Costs may be in any unit, the same for all three.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.documents import Section

Floats = NDArray[np.float64]


class Costs(Section):
    """What decisions cost, in any one unit, such as euros or minutes."""

    review: float = Field(ge=0, allow_inf_nan=False)
    """One proposal looked at by a person, 0 or more."""
    wrong: float = Field(gt=0, allow_inf_nan=False)
    """One wrong match accepted, above 0."""
    missed: float = Field(gt=0, allow_inf_nan=False)
    """One right match rejected, above 0."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 0.0 < self.wrong / (self.wrong + self.missed) < 1.0:
            raise PydanticCustomError("costs", "costs that differ by a factor of less than 1e15")
        return self

    @property
    def accept(self) -> float:
        """The confidence from which accepting is cheapest, 0 to 1."""
        return max(1.0 - self.review / self.wrong, self._even)

    @property
    def reject(self) -> float:
        """The confidence up to which rejecting is cheapest, 0 to 1; at most `accept`."""
        return min(self.review / self.missed, self._even)

    @property
    def _even(self) -> float:
        """The confidence at which accepting and rejecting cost the same."""
        return self.wrong / (self.wrong + self.missed)

    def of_deciding(self, confidence: Floats) -> Floats:
        """Give the expected cost of deciding each proposal unseen, whichever way is cheaper.

        It is what a review of the proposal saves, before its own cost.
        """
        return np.minimum((1.0 - confidence) * self.wrong, confidence * self.missed)
