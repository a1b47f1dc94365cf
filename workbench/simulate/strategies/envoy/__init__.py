"""The strategies of Envoy."""

from workbench.simulate.strategies.envoy.least_request import EnvoyLeastRequest
from workbench.simulate.strategies.envoy.maglev import EnvoyMaglev
from workbench.simulate.strategies.envoy.random import EnvoyRandom
from workbench.simulate.strategies.envoy.ring_hash import EnvoyRingHash
from workbench.simulate.strategies.envoy.round_robin import EnvoyRoundRobin

__all__ = [
    "EnvoyLeastRequest",
    "EnvoyMaglev",
    "EnvoyRandom",
    "EnvoyRingHash",
    "EnvoyRoundRobin",
]
