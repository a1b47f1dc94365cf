"""The strategies of nginx."""

from workbench.simulate.strategies.nginx.round_robin import NginxRoundRobin

__all__ = ["NginxRoundRobin"]
