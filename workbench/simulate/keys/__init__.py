"""Distributions of keys, one a file; each is named by its `kind`."""

from workbench.simulate.keys._base import KEYS, MOST_KEYS, KeyDistribution, KeySource
from workbench.simulate.keys.addresses import AddressKeys
from workbench.simulate.keys.trace import TraceKeys
from workbench.simulate.keys.uniform import UniformKeys
from workbench.simulate.keys.zipf import ZipfKeys

__all__ = [
    "KEYS",
    "MOST_KEYS",
    "AddressKeys",
    "KeyDistribution",
    "KeySource",
    "TraceKeys",
    "UniformKeys",
    "ZipfKeys",
]
