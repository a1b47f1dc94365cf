"""Explaining why a request went where it went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.documents import check
from workbench.errors import InputError
from workbench.experiments import Cell
from workbench.quantities import format_duration
from workbench.settings import Settings, load_settings
from workbench.simulate import Scenario, Workload
from workbench.simulate.decisions import Decision
from workbench.simulate.engines.reference import watch_decision
from workbench.store import Store
from workbench.workflows.results import Number, View, shown
from workbench.workflows.running import check_simulated
from workbench.workflows.simulating import cell_key

_SHOWN = 20


class AlternativeView(BaseModel):
    """A server as it stood when the request was sent; times in seconds, null where it would refuse."""

    model_config = ConfigDict(frozen=True)

    server_id: int
    name: str
    usable: bool
    weight: int
    seen_in_flight: int
    in_flight: int
    waiting: int
    begin_in: Number
    response: Number


class ExplanationView(View):
    """Why a request went where it went."""

    schema_: Literal["workbench.explanation/1"] = Field("workbench.explanation/1", alias="schema")
    run_id: int
    request: int
    strategy: str
    time: float
    """When the pick was made, seconds on the simulated clock."""
    balancer: int
    demand: float
    """Service demand of the request, seconds."""
    chosen: int
    """The server, from 0; -1 where there was none to pick."""
    best: int
    """The usable server that would have answered first."""
    regret: Number
    """Seconds by which it would have answered sooner."""
    told: float | None
    """Seconds since the balancer was last told what others have in flight; null where it is not told."""
    alternatives: list[AlternativeView]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return [
            "server",
            "usable",
            "weight",
            "seen in flight",
            "really",
            "waiting",
            "begins in",
            "answers in",
            "",
        ]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text: the picked, the best, then those that answer soonest."""
        special = {self.chosen, self.best}
        order = sorted(
            self.alternatives,
            key=lambda one: (one.server_id not in special, one.response is None, one.response, one.server_id),
        )
        return [self._row(one) for one in order[:_SHOWN]]

    def _row(self, one: AlternativeView) -> list[str]:
        marks = [
            word for word, server in (("picked", self.chosen), ("best", self.best)) if server == one.server_id
        ]
        counts = [str(one.weight), str(one.seen_in_flight), str(one.in_flight), str(one.waiting)]
        usable = "yes" if one.usable else "no"
        times = ["refuses"] * 2 if one.response is None else [shown(one.begin_in), shown(one.response)]
        return [one.name, usable, *counts, *times, ", ".join(marks)]

    def title(self) -> str:
        """Give the line above the table."""
        return (
            f"request {self.request} of run {self.run_id}: demand {format_duration(self.demand)}, "
            f"picked by balancer {self.balancer} under {self.strategy} at {format_duration(self.time)}"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = [f"regret {shown(self.regret)}: what the best usable server would have saved this request"]
        if self.told is not None:
            lines.append(f"the view was {format_duration(self.told)} old")
        if len(self.alternatives) > _SHOWN:
            lines.append(f"{len(self.alternatives) - _SHOWN} more servers are in the JSON")
        return lines


def explain(run_id: int, request: int, *, settings: Settings | None = None) -> ExplanationView:
    """Replay a stored run up to one request and tell how its server was picked.

    Args:
        run_id: the run's number.
        request: the request's number, from 0, as `req_id` in the requests table.
        settings: where the lake is.

    Raises:
        NotFoundError: there is no such run or request.
        InputError: the run's trace or strategy is no longer there, or is another one by now.
        StoreError: the lake cannot be read.
    """
    with Store(settings or load_settings()) as store:
        run = store.run(run_id)
    check_simulated(run)
    scenario = check(json.loads(run.scenario_json), Scenario, name=f"run {run_id}", folder=Path.cwd())
    if cell_key(Cell(scenario, run.replication)) != run.key:
        raise InputError(
            f"run {run_id}: given a trace, a strategy or a version that has changed since; "
            "allowed: a run that would be the same today"
        )
    decision = watch_decision(Workload(scenario, replication=run.replication), request)
    return ExplanationView(
        run_id=run_id,
        request=request,
        strategy=run.strategy,
        regret=decision.regret,
        best=decision.best,
        alternatives=_alternatives(decision, scenario.servers().names),
        **{name: getattr(decision, name) for name in ("time", "balancer", "demand", "chosen", "told")},
    )


def _alternatives(decision: Decision, names: list[str]) -> list[AlternativeView]:
    return [
        AlternativeView(
            server_id=one.server,
            name=names[one.server],
            usable=one.usable,
            weight=one.weight,
            seen_in_flight=one.seen_in_flight,
            in_flight=one.in_flight,
            waiting=one.waiting,
            begin_in=one.begin_in,
            response=one.response,
        )
        for one in decision.alternatives
    ]
