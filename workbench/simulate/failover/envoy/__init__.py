"""Envoy's rules of failover."""

from workbench.simulate.failover.envoy.locality_weighted import EnvoyLocalityWeighted
from workbench.simulate.failover.envoy.priorities import EnvoyPriorities, PriorityLoad, priority_load
from workbench.simulate.failover.envoy.zone_aware import EnvoyZoneAware

__all__ = ["EnvoyLocalityWeighted", "EnvoyPriorities", "EnvoyZoneAware", "PriorityLoad", "priority_load"]
