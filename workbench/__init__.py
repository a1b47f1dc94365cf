"""Workbench for load-balancing decisions."""

from importlib.metadata import version

__version__ = version("balancer-workbench")
