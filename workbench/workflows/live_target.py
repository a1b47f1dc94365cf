"""A live run as a balancer on which versions of a configuration are applied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from workbench.configuration import (
    TARGETS,
    Observation,
    ServerStanding,
    ServerState,
    Standing,
    Step,
    Target,
)
from workbench.errors import TargetError
from workbench.monitor.live import read_command
from workbench.settings import Settings, load_settings
from workbench.simulate import Scenario
from workbench.store import Store
from workbench.tables import Outcome
from workbench.workflows.living import command

_RECENT_US = 10_000_000
"""Simulated time over which the mean response time of late is taken, microseconds."""
_WAIT = 30.0
"""How long the run may take to obey, seconds on the clock."""


@TARGETS.register
class LiveTarget(Target):
    """A live run, told by commands in its journal: strategy, weights and states of servers."""

    summary: ClassVar[str] = "a live run, by its commands"
    carries: ClassVar[frozenset[str]] = frozenset({"weight", "state", "strategy"})
    kind: Literal["live"] = "live"
    run: int = Field(ge=0)
    """Number of the live run."""
    lake: str = ""
    """Folder of its lake; that of the configuration by default."""

    @property
    def address(self) -> str:
        """Name the run."""
        return f"live run {self.run}{f' in {self.lake}' if self.lake else ''}"

    def within(self, lake: Path) -> LiveTarget:
        """Look for the run in a lake where none is named."""
        return self if self.lake else self.model_copy(update={"lake": str(lake)})

    def current(self) -> Standing:
        """Follow the commands that were applied from the scenario on."""
        with Store(self._settings()) as store:
            store.catalogue.lives.one(self.run)
            scenario = Scenario.model_validate_json(store.run(self.run).scenario_json)
            applied = store.catalogue.lives.commands(self.run, state="applied")
        pool = scenario.servers()
        servers: dict[str, dict[str, Any]] = {
            name: {"weight": weight, "state": ServerState.READY, "up": True}
            for name, weight in zip(pool.names, pool.weight, strict=True)
        }
        settings = {"strategy": scenario.balancers.strategy.label}
        for one in applied:
            self._follow(read_command(one.command).model_dump(), servers, settings)
        return Standing({name: ServerStanding(**one) for name, one in servers.items()}, settings)

    def apply(self, steps: Sequence[Step]) -> Standing:
        """Send the commands, each of which must be obeyed before the next; weights go as one."""
        done: set[int] = set()
        for place, step in enumerate(steps):
            if place in done:
                continue
            if step.key == "weight":
                alike = [other for other in range(place, len(steps)) if self._joins(steps, place, other)]
                done.update(alike)
                pairs = [f"{steps[other].server}={steps[other].after}" for other in alike]
                self._send(f"weight {' '.join(pairs)}")
            elif step.key == "state":
                self._send(f"server {step.server} {step.after}")
            else:
                self._send(f"strategy={step.after}")
        return self.current()

    def observe(self) -> Observation:
        """Count the requests that are stored, and look at the last interval of the samples."""
        standing = self.current()
        usable = sum(
            one.state is ServerState.READY and one.weight != 0 and one.up is True
            for one in standing.servers.values()
        )
        with Store(self._settings()) as store:
            live = store.catalogue.lives.one(self.run)
            if live.state not in ("running", "paused"):
                raise TargetError(f"{self.address}: does not run any more: it is {live.state}")
            (counted,) = store.query(_requests_sql(store, self.run, live.at_us), views=()).to_pylist()
            (sampled,) = store.query(_samples_sql(store, self.run), views=()).to_pylist()
        response = counted["response_us"]
        return Observation(
            usable=usable,
            queued=round(sampled["queued"] or 0),
            in_flight=max(0, live.requests - live.answered),
            requests=int(counted["requests"]),
            errors=int(counted["errors"] or 0),
            response_s=None if response is None else response / 1e6,
        )

    @staticmethod
    def _joins(steps: Sequence[Step], place: int, other: int) -> bool:
        """Tell whether only steps of weights lie between two."""
        return all(step.key == "weight" for step in steps[place : other + 1])

    @staticmethod
    def _follow(told: dict[str, Any], servers: dict[str, dict[str, Any]], settings: dict[str, str]) -> None:
        names = list(servers)

        def named(given: str) -> dict[str, Any]:
            return servers[given if given in servers else names[int(given)]]

        if told["kind"] == "weight":
            for server, weight in told["weights"].items():
                named(server)["weight"] = weight
        elif told["kind"] == "strategy":
            settings["strategy"] = told["label"]
        elif told["kind"] == "server":
            state = str(told["state"])
            if state in list(ServerState):
                named(told["name"]).update(state=ServerState(state), up=True)
            elif state == "kill":
                named(told["name"])["up"] = False

    def _send(self, text: str) -> None:
        # Forced, since whoever applies steps has looked at what they leave, all of them together.
        view = command(
            self.run, text, reason="configuration", force=True, wait=_WAIT, settings=self._settings()
        )
        (line,) = view.commands
        if line.state != "applied":
            why = line.result or f"not obeyed within {_WAIT:g} s"
            raise TargetError(f"{self.address}: {text}: {line.state}: {why}")

    def _settings(self) -> Settings:
        return load_settings(lake=Path(self.lake) if self.lake else None)


def _requests_sql(store: Store, run_id: int, at_us: int) -> str:
    """Count stored requests and those that did not end ok; the mean response of those of late."""
    ok = f"outcome = '{Outcome.OK.label}'"
    return (
        f"select count(*) as requests, count(*) filter (not {ok}) as errors, "
        f"avg(response_us) filter ({ok} and arrival_us >= {at_us - _RECENT_US}) as response_us "
        f"from {store.relation_sql('requests', run_ids=[run_id])}"
    )


def _samples_sql(store: Store, run_id: int) -> str:
    """Add up what waited at the servers in the last interval."""
    samples = store.relation_sql("samples", run_ids=[run_id])
    return (
        f"select sum(queue_depth) as queued from {samples} where ts_us = (select max(ts_us) from {samples})"
    )
