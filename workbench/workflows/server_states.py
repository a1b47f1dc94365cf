"""How each server of a run stands now, told from what has happened to it so far."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import InputError
from workbench.monitor.live import read_command
from workbench.monitor.live.commands import SetWeight

_DEAD = ("crash", "hang")
Event = dict[str, Any]


@dataclass
class ServerState:
    """How one server stands.

    Args:
        name: of the server.
        weight: that it has now; None where nobody tells.
        up: whether the checks hold it to be up; None where nobody tells.
        ejected: how many balancers keep it out.
        down_for: the balancers whose checks hold it to be down.
        faults: what is wrong with it, or was done to it, each with its details.
    """

    name: str
    weight: float | None = None
    up: bool | None = True
    ejected: int = 0
    down_for: set[int | None] = field(default_factory=set)
    faults: dict[str, list[str]] = field(default_factory=dict)

    @property
    def serves(self) -> bool:
        """Whether it can be sent to: it lives, is not held to be down, and is neither ejected nor drained."""
        broken = any(self.faults.get(one) for one in (*_DEAD, "drain"))
        return self.up is not False and not self.ejected and not broken

    @property
    def label(self) -> str:
        """Its state in words, the worst first."""
        told = [text for details in self.faults.values() for text in details]
        told += ["held to be down"] if self.up is False and not any(map(self.faults.get, _DEAD)) else []
        told += ["ejected"] if self.ejected else []
        return ", ".join(told) or ("up" if self.up else "not told")


def server_states(
    events: Iterable[Event], *, names: Sequence[str], weights: Sequence[float | None]
) -> list[ServerState]:
    """Follow what happened to servers, in order of time.

    Args:
        events: `kind`, `server_id`, `balancer_id` and `detail`.
        names: name of each server, by its number.
        weights: what each began with; None where nobody tells.
    """
    states = [ServerState(name, weight) for name, weight in zip(names, weights, strict=True)]
    for event in events:
        number = event["server_id"]
        if event["kind"] == "command":
            _reweigh(states, event["detail"])
        elif number is not None and 0 <= number < len(states):
            _follow(states[number], event)
    return states


def fault_spans(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Pair where faults begin and end: `fault`, `server_id`, `begin_s` and `end_s`, None while it lasts."""
    spans: list[dict[str, Any]] = []
    for event in events:
        name, server = _fault(event["detail"]), event["server_id"]
        if event["kind"] == "fault_begins":
            spans.append({"fault": name, "server_id": server, "begin_s": event["at_s"], "end_s": None})
        elif event["kind"] == "fault_ends":
            for span in spans:
                if (span["fault"], span["server_id"], span["end_s"]) == (name, server, None):
                    span["end_s"] = event["at_s"]
                    break
    return spans


def _follow(state: ServerState, event: Event) -> None:
    detail, balancer = event["detail"], event.get("balancer_id")
    match event["kind"]:
        case "found":
            state.up = json.loads(detail)["up"]
        case "down":
            state.down_for.add(balancer)
            state.up = False
        case "up":
            state.down_for.discard(balancer)
            state.up = not state.down_for
        case "ejected":
            state.ejected += 1
        case "returned":
            state.ejected = max(0, state.ejected - 1)
        case "weight":
            state.weight = float(detail)
        case "fault_begins":
            state.faults.setdefault(_fault(detail), []).append(detail)
        case "fault_ends" if state.faults.get(_fault(detail)):
            state.faults[_fault(detail)].pop()


def _reweigh(states: Sequence[ServerState], detail: str) -> None:
    """Take in a command, whose event says `weight 2=5 (command 3 of ann)`."""
    try:
        command = read_command(detail.partition(" (command ")[0])
    except InputError:
        return
    if not isinstance(command, SetWeight):
        return
    names = [state.name for state in states]
    for server, weight in command.weights.items():
        number = names.index(server) if server in names else int(server)
        states[number].weight = float(weight)


def _fault(detail: str) -> str:
    return detail.partition(" ")[0]
