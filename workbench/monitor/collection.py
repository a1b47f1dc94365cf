"""What is collected: the document that names the targets, and how often they are looked at."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from workbench.documents import OneOrMany, Section, read_document
from workbench.monitor.collectors import COLLECTORS, Collector
from workbench.monitor.rollup import Coarser, in_order
from workbench.quantities import Duration, PositiveDuration

ENGINE = "collected"
"""What stands in the place of the engine of a run that was collected."""

_MOST_TIMEOUT = 5.0


class Collection(Section):
    """Real systems that are watched together."""

    name: str = Field(min_length=1)
    description: str = ""
    step: PositiveDuration = 1.0
    """Time between two looks, seconds."""
    timeout: PositiveDuration | None = None
    """Longest wait for an answer, seconds; by default the step, at most 5 s."""
    flush: Duration = 10.0
    """How often samples go to the store, seconds; what a killed process has not stored yet is lost."""
    targets: Annotated[list[Annotated[Collector, COLLECTORS]], OneOrMany()] = Field(min_length=1)
    """The systems."""
    keep: Annotated[list[Coarser], OneOrMany()] = Field(default_factory=list)
    """Coarser steps with age, such as `{after: 1d, step: 1min}`; as they are by default."""

    @property
    def patience(self) -> float:
        """Longest wait for an answer, seconds."""
        return self.timeout or min(self.step, _MOST_TIMEOUT)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        twice = [name for name, count in Counter(one.name for one in self.targets).items() if count > 1]
        if twice:
            raise ValueError(f"each name of a target once, not {', '.join(twice)} again")
        if self.timeout is not None and self.timeout > self.step:
            raise ValueError(f"a timeout of at most the step, {self.step:g}s")
        if not in_order(self.keep):
            raise ValueError("in keep longer steps for greater ages")
        played = [one.recorded() is not None for one in self.targets]
        if any(played) and not all(played):
            raise ValueError("targets that are all recorded, or all there to be asked")
        return self

    @property
    def is_recorded(self) -> bool:
        """Whether its looks were recorded earlier."""
        return all(one.recorded() is not None for one in self.targets)


def load_collection(file: Path) -> Collection:
    """Read a collection from a YAML file.

    Raises:
        DocumentError: the file cannot be read or holds what is not allowed.
    """
    return read_document(file, Collection)
