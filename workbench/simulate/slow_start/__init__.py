"""Slow starts, one a file; each is named by its `kind`, those of a product after the product."""

from workbench.simulate.slow_start._base import SLOW_STARTS, SlowStart
from workbench.simulate.slow_start.envoy import EnvoySlowStart
from workbench.simulate.slow_start.haproxy import HaproxySlowstart
from workbench.simulate.slow_start.nginx_plus import NginxPlusSlowStart

__all__ = [
    "SLOW_STARTS",
    "EnvoySlowStart",
    "HaproxySlowstart",
    "NginxPlusSlowStart",
    "SlowStart",
]
