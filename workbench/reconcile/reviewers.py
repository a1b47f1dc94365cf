"""Who reviews, how long a review takes, and when reviewers work."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.documents import Section
from workbench.quantities import Duration
from workbench.simulate.services import SERVICES, ServiceDemand
from workbench.simulate.services.lognormal import Lognormal

DAY = 86_400.0
WEEK = 7 * DAY

Floats = NDArray[np.float64]


class Hours(Section):
    """When reviewers work: the same hours on the first days of every week.

    A review that is not done when the shift ends is taken up where it was at the next.
    """

    start: Duration = 9 * 3600.0
    """Beginning of the shift: time since midnight, seconds."""
    end: Duration = 17 * 3600.0
    """End of the shift: time since midnight, seconds, 24h at most."""
    days: int = Field(5, ge=1, le=7)
    """Days of the week that are worked, from Monday on, 1 to 7."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.start < self.end <= DAY:
            raise PydanticCustomError("hours", "a shift that ends after it starts and by 24h")
        return self

    @property
    def shift(self) -> float:
        """Length of a shift, seconds."""
        return self.end - self.start

    def worked(self, time: Floats) -> Floats:
        """Turn times into working time: seconds of shift since the first, a Monday's, began.

        Args:
            time: seconds since a Monday's midnight.
        """
        week, rest = np.divmod(time, WEEK)
        day, of_day = np.divmod(rest, DAY)
        inside = np.where(day < self.days, np.clip(of_day - self.start, 0.0, self.shift), 0.0)
        return np.asarray((week * self.days + np.minimum(day, self.days)) * self.shift + inside)

    def clock(self, worked: Floats) -> Floats:
        """Turn working time into times, the reverse of `worked`; between two shifts the later counts.

        Returns:
            Seconds since a Monday's midnight.
        """
        shifts = np.floor(worked / self.shift)
        week, day = np.divmod(shifts, self.days)
        return np.asarray(week * WEEK + day * DAY + self.start + (worked - shifts * self.shift))


class Inflow(Section):
    """When proposals come to be decided."""

    kind: Literal["daily_batch", "all_day"] = "daily_batch"
    """All of a day at once, or spread evenly over its 24 hours (a Poisson process)."""
    at: Duration = 6 * 3600.0
    """With `daily_batch`, the time since midnight at which the day's ledger is matched, seconds."""
    days: int = Field(5, ge=1, le=7)
    """Days of the week on which there is a ledger, from Monday on, 1 to 7."""
    per_day: float | None = Field(None, gt=0, le=1e7)
    """Proposals on such a day; by default as many as the matched ledgers had on a date."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.at > DAY:
            raise PydanticCustomError("at", "a time of day, 24h at most")
        return self


class Reviewers(Section):
    """The people who review, as servers of one queue."""

    count: int = Field(2, ge=1, le=1000)
    """Reviewers at work at once, 1 to 1000."""
    service: Annotated[ServiceDemand, SERVICES] = Lognormal(mean=180.0, cv2=1.0)
    """How long one review takes: any service distribution, such as {kind: lognormal, mean: 3min, cv2: 1}."""
    hours: Hours = Hours()

    def reviews_a_week(self) -> float:
        """Most reviews that they can do a week."""
        return self.count * self.hours.shift * self.hours.days / self.service.moments().mean
