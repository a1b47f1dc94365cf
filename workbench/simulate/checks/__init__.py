"""Active health checks, one a file; each is named by its `kind`, those of a product after the product."""

from workbench.simulate.checks._base import BAD_ANSWER, CHECKS, NO_ANSWER, PASSED, CheckState, HealthCheck
from workbench.simulate.checks.envoy import EnvoyHealthCheck
from workbench.simulate.checks.haproxy import HaproxyCheck
from workbench.simulate.checks.nginx_plus import NginxPlusHealthCheck

__all__ = [
    "BAD_ANSWER",
    "CHECKS",
    "NO_ANSWER",
    "PASSED",
    "CheckState",
    "EnvoyHealthCheck",
    "HaproxyCheck",
    "HealthCheck",
    "NginxPlusHealthCheck",
]
