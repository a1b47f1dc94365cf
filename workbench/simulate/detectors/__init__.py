"""Passive health checks, one a file; each is named by its `kind`, those of a product after the product."""

from workbench.simulate.detectors._base import (
    CHANGED,
    CHECK_SOON,
    DETECTORS,
    NOT_BY_TIME,
    NOTHING,
    Detector,
    DetectorState,
)
from workbench.simulate.detectors.envoy import EnvoyOutlierDetection
from workbench.simulate.detectors.finagle import FinagleFailureAccrual
from workbench.simulate.detectors.haproxy import HaproxyObserve
from workbench.simulate.detectors.nginx import NginxMaxFails
from workbench.simulate.detectors.none import NoDetector

__all__ = [
    "CHANGED",
    "CHECK_SOON",
    "DETECTORS",
    "NOTHING",
    "NOT_BY_TIME",
    "Detector",
    "DetectorState",
    "EnvoyOutlierDetection",
    "FinagleFailureAccrual",
    "HaproxyObserve",
    "NginxMaxFails",
    "NoDetector",
]
