"""Slow starts, one a file; each is named by its `kind`, those of a product after the product."""

from workbench.simulate.slow_start._base import SLOW_STARTS, SlowStart
from workbench.simulate.slow_start.haproxy import HaproxySlowstart

__all__ = ["SLOW_STARTS", "HaproxySlowstart", "SlowStart"]
