"""Distributions of service demand, one a file; each is named by its `kind`."""

from workbench.simulate.services._base import SERVICES, DemandSource, Moments, ServiceDemand
from workbench.simulate.services.deterministic import Deterministic
from workbench.simulate.services.empirical import Empirical
from workbench.simulate.services.erlang import Erlang
from workbench.simulate.services.exponential import Exponential
from workbench.simulate.services.hyperexponential import Hyperexponential
from workbench.simulate.services.lognormal import Lognormal
from workbench.simulate.services.pareto import Pareto
from workbench.simulate.services.trace import TraceDemand

__all__ = [
    "SERVICES",
    "DemandSource",
    "Deterministic",
    "Empirical",
    "Erlang",
    "Exponential",
    "Hyperexponential",
    "Lognormal",
    "Moments",
    "Pareto",
    "ServiceDemand",
    "TraceDemand",
]
