"""The configuration of a balancer: one document, kept in versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from workbench.configuration.guards import GuardText
from workbench.configuration.standing import ServerStanding, ServerState, Standing
from workbench.configuration.targets import TARGETS, Target
from workbench.documents import Section, check
from workbench.errors import InputError
from workbench.quantities import Duration
from workbench.simulate.balancers import Balancers
from workbench.simulate.clients import Clients
from workbench.simulate.disciplines import DISCIPLINES, Discipline, Fifo
from workbench.simulate.pool import GivesUp, ServerGroup, expand
from workbench.simulate.scenario import Scenario

_MOST_SERVERS = 30_000

ServerName = Annotated[str, Field(min_length=1, max_length=100)]


class ServerSettings(Section):
    """One server as its balancer knows it, and how fast it is in simulations."""

    address: str = Field("", max_length=300)
    """Where it listens, such as 10.0.0.1:8080; simulations do not need it."""
    state: ServerState = ServerState.READY
    """`ready`, `drain` (takes nothing new) or `maint` (takes nothing, is not checked)."""
    weight: int = Field(1, ge=0, le=65_535)
    """Share of the traffic that the server should have; 0 takes none. 0 to 65,535."""
    limit: int | None = Field(None, ge=1)
    """Requests in flight at most (`maxconn`, `max_conns`); none by default."""
    least_limit: int | None = Field(None, ge=1)
    """With `limit`: the limit while the balancer is idle (`minconn`)."""
    priority: int = Field(0, ge=0, le=100)
    """0 is preferred; above it are backups, or Envoy's priorities."""
    zone: str = Field("", max_length=100)
    """Where the server stands."""
    slots: int = Field(1, ge=1, le=1_000_000)
    """Requests that it serves at once, each at full speed; 1 or more."""
    speed: float = Field(1.0, gt=0, le=1e9)
    """Service demand is divided by it; above 0."""
    discipline: Annotated[Discipline, DISCIPLINES] = Fifo()
    """How it divides its slots among its requests: `fifo` or `ps`."""
    queue_limit: int | None = Field(None, ge=0)
    """Requests that may wait at the server itself before it refuses; none by default."""
    gives_up: GivesUp = GivesUp.NOTHING
    """What it does not finish once the other side has closed."""
    delay: Duration = 0.0
    """One-way network delay to it, seconds, on top of the network's own."""

    @property
    def usable(self) -> bool:
        """Tell whether it may be sent requests while it is healthy."""
        return self.state is ServerState.READY and self.weight > 0

    def group(self, name: str) -> ServerGroup:
        """Give the server as a group of a scenario's pool; what takes no traffic has weight 0 there."""
        given = self.model_dump(exclude={"address", "state"})
        return ServerGroup.model_validate(given | {"name": name, "weight": self.weight * self.usable})


class BalancerConfiguration(Section):
    """What a balancer is set to: strategy, servers, checks, and what clients do."""

    servers: dict[ServerName, ServerSettings] = Field(min_length=1, max_length=_MOST_SERVERS)
    """The servers by name, in the balancer's order."""
    balancers: Balancers
    clients: Clients = Clients()
    load: str = ""
    """Scenario file whose load changes are planned on, where the command line names none."""
    target: Annotated[Target, TARGETS] | None = None
    """The balancer that runs, on which versions are applied."""
    watch: Duration = 0.0
    """How long a balancer is watched after a version was applied to it, seconds; not at all by default."""
    guards: list[GuardText] = Field(["usable < 1", "errors > 5 %"], max_length=100)
    """What has the balancer put back while it is watched."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.balancers.check_pool(expand(self.groups()))
        return self

    def groups(self) -> list[ServerGroup]:
        """Give the pool that a scenario has under this configuration.

        A strategy that does not look at weights is given only servers that take traffic.
        """
        weightless = self.balancers.strategy.serves_weight_zero
        return [one.group(name) for name, one in self.servers.items() if one.usable or not weightless]

    def scenario(self, load: Scenario) -> Scenario:
        """Give a scenario with this pool, these balancers and clients, and all else from the load's.

        Raises:
            InputError: no server takes traffic.
            DocumentError: the load does not fit, such as by faults of servers that are not here.
        """
        if not any(one.usable for one in self.servers.values()):
            raise InputError("servers: given none that takes traffic; allowed: one or more to simulate with")
        content = load.model_dump(mode="json")
        content["pool"] = [group.model_dump(mode="json") for group in self.groups()]
        content["balancers"] = self.balancers.model_dump(mode="json")
        content["clients"] = self.clients.model_dump(mode="json")
        return check(content, Scenario, name="the load with this configuration", folder=Path.cwd())

    def standing(self) -> Standing:
        """Give what a balancer that runs is to be set to."""
        return Standing(
            servers={
                name: ServerStanding(weight=one.weight, state=one.state, limit=one.limit or 0)
                for name, one in self.servers.items()
            },
            settings={"strategy": self.balancers.strategy.label},
        )

    def content(self) -> dict[str, Any]:
        """Give all keys and values as they are stored."""
        return self.model_dump(mode="json")


def check_usable(configuration: BalancerConfiguration) -> None:
    """Refuse what would leave no server, or weights that the strategy cannot work with.

    Raises:
        InputError: with what is wrong.
    """
    servers = configuration.servers
    if not any(one.usable for one in servers.values()):
        states = [one.state.value if one.weight else "weight 0" for one in servers.values()]
        given = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        raise InputError(
            f"servers: given {given}, so no usable server would be left; allowed: one or more that are "
            "ready with a weight above 0, or --force"
        )
    strategy = configuration.balancers.strategy
    if not strategy.needs_keys:
        strategy.memory(expand(configuration.groups()), [])
