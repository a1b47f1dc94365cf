"""The dashboard: pages in a browser over one lake.

A page reads its inputs from the address, asks a query, and draws. What it shows can be shared by its
address alone.
"""

from workbench.dashboard.app import main

__all__ = ["main"]
