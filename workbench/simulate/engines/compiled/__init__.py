"""The engine compiled by Numba, which is imported only when a run needs it."""

from workbench.simulate.engines.compiled.engine import MOST_LINKS, CompiledEngine, refusal
from workbench.simulate.engines.compiled.finished import Finished

__all__ = ["MOST_LINKS", "CompiledEngine", "Finished", "refusal"]
