"""The clients, as a scenario describes them: how long they wait and what they do when it fails."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workbench.documents import Section
from workbench.quantities import PositiveDuration
from workbench.simulate.retries import RETRIES, Retries
from workbench.simulate.services import SERVICES, ServiceDemand


class Clients(Section):
    """How clients wait, retry and give up. Without settings they wait for ever and never retry."""

    timeout: PositiveDuration | None = None
    """How long a client waits for the answer to one try, seconds; it then closes, and may try again."""
    deadline: PositiveDuration | None = None
    """How long it waits for an answer in all, whatever it tries, seconds."""
    patience: Annotated[ServiceDemand, SERVICES] | None = None
    """How long it waits for its service to begin before it leaves the queue: a distribution, seconds."""
    retries: Annotated[Retries, RETRIES] | None = None
    """What follows a failed try: a new one, at any balancer; none by default."""
    hedge_after: PositiveDuration | None = None
    """After so many seconds without an answer the request is sent once more, and the first answer counts."""
    hedges: int = Field(1, ge=1, le=10)
    """With `hedge_after`: how often, 1 to 10."""
