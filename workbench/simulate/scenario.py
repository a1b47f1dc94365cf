"""Scenarios: a document that says what is simulated."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from workbench.documents import OneOrMany, Section, check, read_document
from workbench.errors import InputError
from workbench.quantities import Duration, Extent, PositiveDuration
from workbench.simulate.arrivals import ARRIVALS, ArrivalProcess, ClosedLoop, TraceArrivals
from workbench.simulate.balancers import Balancers
from workbench.simulate.clients import Clients
from workbench.simulate.faults import FAULTS, Fault, check_faults
from workbench.simulate.keys import KEYS, KeyDistribution
from workbench.simulate.pool import ServerGroup, Servers, expand
from workbench.simulate.services import SERVICES, ServiceDemand
from workbench.simulate.strategies import STRATEGIES, Strategy
from workbench.simulate.traces import file_state
from workbench.tables import Outcome

_MOST_SERVERS = 30_000

ENGINE_VERSION = "4"
"""Raised whenever the same scenario and seed would give other records."""


class EngineName(StrEnum):
    """What simulates; the records are the same."""

    AUTO = "auto"
    """The compiled engine where it can run the scenario and starting it pays."""
    REFERENCE = "reference"
    """SimPy, event by event; written to be read and debugged."""
    COMPILED = "compiled"
    """Numba; where it cannot run the scenario, the reference engine does."""


class Network(Section):
    """The way between the balancers and the pool."""

    delay: Duration = 0.0
    """One-way delay between balancer and server, seconds."""
    refused_after: Duration | None = None
    """When a balancer knows that a connection is refused, seconds; there and back by default.

    Less where the delay holds work that a refusal does not take, such as reading the request.
    """


class Measure(StrEnum):
    """What strategies are compared by: a column of the summaries, in seconds."""

    RESPONSE_MEAN = "response_mean"
    RESPONSE_P50 = "response_p50"
    RESPONSE_P90 = "response_p90"
    RESPONSE_P95 = "response_p95"
    RESPONSE_P99 = "response_p99"
    RESPONSE_P99_9 = "response_p99_9"
    WAIT_MEAN = "wait_mean"
    WAIT_P95 = "wait_p95"
    WAIT_P99 = "wait_p99"

    @property
    def column(self) -> str:
        """The column of the summaries."""
        return f"{self.value}_s"

    @property
    def label(self) -> str:
        """The name in words, such as `response time, p99`."""
        kind, _, which = self.value.partition("_")
        return f"{kind}{'ing' if kind == 'wait' else ''} time, {which.replace('_', '.')}"


class ComparisonPlan(Section):
    """What `workbench compare` does when the command line does not say otherwise."""

    strategies: list[Annotated[Strategy, STRATEGIES]] = Field(min_length=1, max_length=100)
    replications: int = Field(10, ge=2, le=10_000)
    """Runs of each strategy, all on the same requests, 2 or more."""
    measure: Measure = Measure.RESPONSE_MEAN


class Scenario(Section):
    """What is simulated: load, servers, balancers, for how long and under which seed."""

    name: str = Field(min_length=1, max_length=100)
    description: str = ""
    arrivals: Annotated[ArrivalProcess, ARRIVALS]
    service: Annotated[ServiceDemand, SERVICES]
    """Service demand of a request: seconds at a server of speed 1."""
    pool: Annotated[list[ServerGroup], OneOrMany(), Field(min_length=1, max_length=10_000)]
    """One group of servers, or a list of groups."""
    balancers: Balancers
    keys: Annotated[KeyDistribution, KEYS] | None = Field(None, validate_default=True)
    """Which key a request carries, for strategies that hash."""
    clients: Clients = Clients()
    network: Network = Network()
    faults: Annotated[list[Annotated[Fault, FAULTS]], OneOrMany()] = Field([], max_length=1000)
    """What breaks: one fault, or a list of them."""
    horizon: Extent | None = Field(None, validate_default=True)
    """When arrivals end: a number of requests, or a time. A trace ends by itself, so it may do without."""
    warm_up: Extent = Extent(share=0.1)
    """The beginning that is left out of all measures."""
    sample_every: PositiveDuration | None = None
    """Length of the intervals of the stored samples, seconds; about 500 a run by default."""
    seed: int = Field(1, ge=0, lt=2**63)
    engine: EngineName = EngineName.AUTO
    """What simulates; no result depends on it."""
    comparison: ComparisonPlan | None = None

    @field_validator("pool")
    @classmethod
    def _check_pool(cls, pool: list[ServerGroup]) -> list[ServerGroup]:
        if not any(group.weight for group in pool):
            raise PydanticCustomError("weights", "a pool in which at least one server has a weight above 0")
        if sum(group.count for group in pool) > _MOST_SERVERS:
            raise PydanticCustomError("pool", "at most 30,000 servers in all")
        return pool

    @field_validator("keys")
    @classmethod
    def _check_keys(cls, keys: KeyDistribution | None, info: ValidationInfo) -> KeyDistribution | None:
        balancers = info.data.get("balancers")
        if keys is None and balancers is not None:
            _check_hashing([balancers.strategy])
        return keys

    @field_validator("balancers")
    @classmethod
    def _check_balancers(cls, balancers: Balancers, info: ValidationInfo) -> Balancers:
        if (pool := info.data.get("pool")) is not None:
            balancers.check_pool(expand(pool))
        return balancers

    @field_validator("faults")
    @classmethod
    def _check_faults(cls, faults: list[Fault], info: ValidationInfo) -> list[Fault]:
        pool, balancers = info.data.get("pool"), info.data.get("balancers")
        if pool is not None and balancers is not None:
            check_faults(faults, expand(pool), balancers.count)
        return faults

    @field_validator("comparison")
    @classmethod
    def _check_comparison(cls, plan: ComparisonPlan | None, info: ValidationInfo) -> ComparisonPlan | None:
        if plan is not None and info.data.get("keys", True) is None:
            _check_hashing(plan.strategies)
        return plan

    @field_validator("sample_every")
    @classmethod
    def _check_sample_every(cls, seconds: float | None) -> float | None:
        if seconds is not None and (seconds < 1e-6 or abs(seconds * 1e6 - round(seconds * 1e6)) > 1e-3):
            raise PydanticCustomError("sample_every", "whole microseconds, 1us or more")
        return seconds

    @field_validator("horizon")
    @classmethod
    def _check_horizon(cls, horizon: Extent | None, info: ValidationInfo) -> Extent | None:
        # Arrivals that are not right themselves are not here, and may well be a trace.
        if horizon is None and isinstance(info.data.get("arrivals"), TraceArrivals | None):
            return None
        if horizon is None:
            allowed = "a horizon, such as `horizon: 100k requests` or `horizon: 10min`"
            raise PydanticCustomError("horizon", allowed)
        if horizon.share is not None or not (horizon.requests or horizon.seconds):
            raise PydanticCustomError("horizon", "a horizon above 0, in requests or as a time")
        return horizon

    @model_validator(mode="after")
    def _check_discipline(self) -> Self:
        if refusal := self.why_not_shared():
            raise PydanticCustomError("discipline", refusal)
        return self

    def why_not_shared(self) -> str:
        """Say what a pool with servers that their requests share may not be with; empty if all is well."""
        if self.never_fails() or not any(group.discipline.shares for group in self.pool):
            return ""
        return (
            "`discipline: ps` where nothing fails: no faults, checks, slow start, changing weights, breaker, "
            "priorities, failover, queue at the balancer, retries or clients that give up"
        )

    def never_fails(self) -> bool:
        """Tell whether every request is sent exactly once, so that attempts need no records of their own."""
        balancers = self.balancers
        waits = balancers.queue is not None or (
            balancers.queues is not None and any(group.limit for group in self.pool)
        )
        settings = (balancers.checks, balancers.slow_start, balancers.weights, balancers.breaker)
        return not (
            self.faults
            or waits
            or any(setting is not None for setting in settings)
            or self.clients != Clients()
            or any(group.priority for group in self.pool)
            or balancers.failover is not None
            or (any(group.queue_limit is not None for group in self.pool) and self.retries_refusals())
        )

    def retries_refusals(self) -> bool:
        """Tell whether a request that a server refuses is sent again, or tells against the server."""
        given = self.balancers.detector is not None
        return given or Outcome.REFUSED in self.balancers.retry_rules().on

    def servers(self) -> Servers:
        """List the pool, server by server."""
        return expand(self.pool, network_delay=self.network.delay)

    def with_strategy(self, strategy: Strategy) -> Self:
        """Give the same scenario under another strategy.

        Raises:
            InputError: the strategy hashes keys and the scenario has none.
        """
        if strategy.needs_keys and self.keys is None:
            raise InputError(
                f"keys: given none; allowed: a scenario with `keys`, since {strategy.kind} hashes them"
            )
        return self.model_copy(update={"balancers": self.balancers.model_copy(update={"strategy": strategy})})

    def capacity(self) -> float:
        """Seconds of demand that the pool serves a second, counting servers with weight above 0."""
        return sum(group.count * group.slots * group.speed for group in self.pool if group.weight)

    def offered_load(self) -> float | None:
        """Seconds of demand that arrive a second; None for a closed loop.

        Raises:
            TraceError: the trace cannot be used.
        """
        rate = self.arrivals.mean_rate()
        return None if rate is None else rate * self.service.moments().mean

    def to_json(self) -> str:
        """Write the resolved scenario as JSON, keys sorted."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    def key(self, *, replication: int, engine: str) -> str:
        """Hash all that the records of a run depend on: scenario, seed, trace content, engine version."""
        content = self.model_dump(mode="json", exclude={"description", "comparison", "engine"})
        for part in ("arrivals", "service", "keys"):
            if content[part] and "file" in content[part]:
                content[part]["file"] = _digest(*file_state(Path(content[part]["file"])))
        content |= {"replication": replication, "engine": engine, "engine_version": ENGINE_VERSION}
        content["strategy_code"] = self.balancers.strategy.code()
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def closed(self) -> ClosedLoop | None:
        """The closed loop, if that is what arrives."""
        return self.arrivals if isinstance(self.arrivals, ClosedLoop) else None


def _check_hashing(strategies: Sequence[Strategy]) -> None:
    if without := [strategy.kind for strategy in strategies if strategy.needs_keys]:
        raise PydanticCustomError("keys", f"keys, such as `zipf`, since {without[0]} hashes them")


@lru_cache(maxsize=64)
def _digest(file: Path, _changed: int, _size: int) -> str:
    with file.open("rb") as content:
        return "sha256:" + hashlib.file_digest(content, "sha256").hexdigest()


def load_scenario(source: Scenario | Path | str | dict[str, Any], *, folder: Path | None = None) -> Scenario:
    """Make a scenario from a YAML file's path or from a dict with the same keys.

    Args:
        source: the path of a YAML file, a dict, or a scenario, which is given back.
        folder: where a dict's files are found; the working folder by default.

    Raises:
        DocumentError: with every problem of the document.
    """
    if isinstance(source, Scenario):
        return source
    if isinstance(source, dict):
        return check(source, Scenario, name="scenario", folder=folder or Path.cwd())
    return read_document(Path(source), Scenario)
