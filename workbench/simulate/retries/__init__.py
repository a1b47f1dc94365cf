"""Retry policies, one a file; each is named by its `kind`, those of a product after the product."""

from workbench.simulate.retries._base import RETRIES, Budget, Jitter, Retries, RetryRules
from workbench.simulate.retries.envoy import EnvoyRetries
from workbench.simulate.retries.finagle import FinagleRetries
from workbench.simulate.retries.grpc import GrpcRetries
from workbench.simulate.retries.haproxy import HaproxyRetries
from workbench.simulate.retries.nginx import NginxNextUpstream
from workbench.simulate.retries.none import NoRetries
from workbench.simulate.retries.plain import PlainRetries

__all__ = [
    "RETRIES",
    "Budget",
    "EnvoyRetries",
    "FinagleRetries",
    "GrpcRetries",
    "HaproxyRetries",
    "Jitter",
    "NginxNextUpstream",
    "NoRetries",
    "PlainRetries",
    "Retries",
    "RetryRules",
]
