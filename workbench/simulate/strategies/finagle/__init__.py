"""The strategies of Finagle."""

from workbench.simulate.strategies.finagle.aperture import FinagleAperture
from workbench.simulate.strategies.finagle.p2c_least_loaded import FinagleP2cLeastLoaded
from workbench.simulate.strategies.finagle.p2c_peak_ewma import FinagleP2cPeakEwma

__all__ = ["FinagleAperture", "FinagleP2cLeastLoaded", "FinagleP2cPeakEwma"]
