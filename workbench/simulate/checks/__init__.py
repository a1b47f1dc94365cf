"""Active health checks, one a file; each is named by its `kind`, those of a product after the product."""

from workbench.simulate.checks._base import CHECKS, CheckState, HealthCheck

__all__ = ["CHECKS", "CheckState", "HealthCheck"]
