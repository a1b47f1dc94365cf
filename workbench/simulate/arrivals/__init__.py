"""Arrival processes, one a file; each is named by its `kind`."""

from workbench.simulate.arrivals._base import ARRIVALS, ArrivalProcess, Arrivals, ArrivalSource
from workbench.simulate.arrivals.closed_loop import ClosedLoop
from workbench.simulate.arrivals.flash_crowd import FlashCrowd
from workbench.simulate.arrivals.gamma import Gamma
from workbench.simulate.arrivals.mmpp import Mmpp
from workbench.simulate.arrivals.poisson import Poisson
from workbench.simulate.arrivals.rate_over_time import RateOverTime
from workbench.simulate.arrivals.trace import TraceArrivals
from workbench.simulate.arrivals.uniform import Uniform

__all__ = [
    "ARRIVALS",
    "ArrivalProcess",
    "ArrivalSource",
    "Arrivals",
    "ClosedLoop",
    "FlashCrowd",
    "Gamma",
    "Mmpp",
    "Poisson",
    "RateOverTime",
    "TraceArrivals",
    "Uniform",
]
