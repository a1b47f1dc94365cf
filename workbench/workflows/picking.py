"""Showing in which order a strategy picks, and which strategies there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, ValidationError

from workbench.errors import InputError
from workbench.quantities import parse_duration
from workbench.simulate import STRATEGIES, Strategy, read_strategy
from workbench.simulate.picking import Failing, pick_sequence
from workbench.simulate.pool import ServerGroup, expand
from workbench.workflows.results import View

_RANGE = re.compile(r"(.*?)(\d+)\.\.(.*?)(\d+)")
_FAILING = re.compile(r"(\d+)@(\d+)(?:-(\d+))?")


class PicksView(View):
    """The order in which a fresh balancer picks; servers from 0, -1 where there was none to pick."""

    schema_: Literal["workbench.picks/1"] = Field("workbench.picks/1", alias="schema")
    strategy: str
    servers: list[str]
    picks: list[int]
    """The server that each request was sent to at last."""
    tries: list[list[int]] = Field([])
    """Where servers were made to fail: all that each request was sent to, one after the other."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["server", "picks", "share"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        counts = [(name, self.picks.count(server)) for server, name in enumerate(self.servers)]
        nowhere = self.picks.count(-1)
        counts += [("none", nowhere)] if nowhere else []
        return [[name, str(count), f"{100 * count / len(self.picks):.1f} %"] for name, count in counts]

    def title(self) -> str:
        """Give the line above the table."""
        sent = self.tries or [[pick] for pick in self.picks]
        return f"{self.strategy}: {' '.join(','.join(map(str, tries)) for tries in sent)}"


def show_picks(
    strategy: Strategy | str,
    *,
    weights: Sequence[int] = (1, 1, 1),
    count: int = 20,
    names: Sequence[str] = (),
    limits: Sequence[int] = (),
    keys: str = "",
    hold: bool = False,
    down: Sequence[int] = (),
    fail: Sequence[str] = (),
    max_fails: int | None = None,
    interval: str | float = 1.0,
    seed: int = 1,
) -> PicksView:
    """Let a fresh balancer pick, without a simulation.

    Args:
        strategy: a strategy or its label.
        weights: one a server, 0 to 65,535.
        count: number of picks, 1 to 1,000,000.
        names: the servers' names, such as addresses, which consistent hashes hash.
        limits: most requests in flight of each server; 0 is no limit.
        keys: keys of the requests, in turn, such as `hot`, `a,b,c` or `k0..k299`.
        hold: requests never finish.
        down: servers, from 0, that are never in service.
        fail: what fails, such as `0@5-9`: requests 5 to 9, from 0, if they are sent to server 0. A failed
            request is sent on as the strategy's product does by default.
        max_fails: failures that put a server of nginx out for 10 s, 0 for never to 1,000,000; 1 by default.
        interval: time between requests, such as `100ms`; 0 or more, in seconds if a number.
        seed: of the balancer's own draws.

    Raises:
        InputError: something given cannot be used; the message names it and what is allowed.
    """
    chosen = read_strategy(strategy) if isinstance(strategy, str) else strategy
    spelled = _keys(keys)
    if not 1 <= count <= 1_000_000:
        raise InputError(f"count: given {count}; allowed: 1 to 1,000,000")
    if not weights:
        raise InputError("weights: given none; allowed: one for each server")
    for what, given in (("names", names), ("limits", limits)):
        if given and len(given) != len(weights):
            raise InputError(
                f"{what}: given {len(given)}; allowed: one for each of the {len(weights)} weights"
            )
    if max_fails is not None and not 0 <= max_fails <= 1_000_000:
        raise InputError(f"max_fails: given {max_fails}; allowed: 0 to 1,000,000")
    servers = expand(_groups(weights, names, limits))
    tries = pick_sequence(
        chosen,
        servers,
        count=count,
        keys=spelled,
        hold=hold,
        down=down,
        failing=[_failing(text) for text in fail],
        max_fails=max_fails,
        interval=_interval(interval),
        seed=seed,
    )
    picks = [sent[-1] for sent in tries]
    return PicksView(strategy=chosen.label, servers=servers.names, picks=picks, tries=tries if fail else [])


def _failing(text: str) -> Failing:
    """Read `SERVER@FIRST-LAST`, or `SERVER@REQUEST`."""
    match = _FAILING.fullmatch(text)
    if match is None or int(match[3] or match[2]) < int(match[2]):
        raise InputError(f"fail: given {text!r}; allowed: SERVER@FIRST-LAST, such as 0@5-9")
    return Failing(int(match[1]), int(match[2]), int(match[3] or match[2]))


def _interval(given: str | float) -> float:
    try:
        seconds = parse_duration(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 1e6:
        raise InputError(f"interval: given {given!r}; allowed: a duration from 0s to 1e6s, such as 100ms")
    return seconds


def _groups(weights: Sequence[int], names: Sequence[str], limits: Sequence[int]) -> list[ServerGroup]:
    try:
        return [
            ServerGroup(
                name=names[place] if names else f"server-{place}",
                weight=weight,
                limit=limits[place] if limits and limits[place] else None,
            )
            for place, weight in enumerate(weights)
        ]
    except ValidationError as error:
        item = error.errors()[0]
        allowed = item["msg"].removeprefix("Input should be ")
        raise InputError(f"{item['loc'][-1]}: given {item['input']!r}; allowed: {allowed}") from None


def _keys(text: str) -> list[str]:
    """Spell out `hot`, `a,b,c` and `k0..k299`."""
    keys: list[str] = []
    for part in filter(None, text.split(",")):
        match = _RANGE.fullmatch(part)
        if match is None:
            keys.append(part)
        elif match[1] == match[3] and int(match[2]) <= int(match[4]) < 1_000_000:
            keys += [f"{match[1]}{number}" for number in range(int(match[2]), int(match[4]) + 1)]
        else:
            raise InputError(f"keys: given {part!r}; allowed: a range such as k0..k299")
    return keys


class StrategiesView(View):
    """The strategies that there are."""

    schema_: Literal["workbench.strategies/1"] = Field("workbench.strategies/1", alias="schema")
    strategies: list[dict[str, Any]]
    """`kind`, `summary`, `source` and `parameters`: each with `default`, `required` and `meaning`."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["strategy", "picks", "parameters", "as defined by"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                one["kind"],
                one["summary"],
                ", ".join(
                    name if parameter["required"] else f"{name}={parameter['default']}"
                    for name, parameter in one["parameters"].items()
                ),
                one["source"],
            ]
            for one in self.strategies
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{len(self.strategies)} strategies"


def list_strategies() -> StrategiesView:
    """List the strategies, those that a user has registered included."""
    return StrategiesView(strategies=[_described(STRATEGIES[kind]) for kind in sorted(STRATEGIES)])


def _described(member: type[Strategy]) -> dict[str, Any]:
    fields = {name: field for name, field in member.model_fields.items() if name != "kind"}
    return {
        "kind": member.model_fields["kind"].default,
        "summary": member.summary,
        "source": member.source,
        "parameters": {
            name: {
                "default": None if field.is_required() else field.default,
                "required": field.is_required(),
                "meaning": field.description or "",
            }
            for name, field in fields.items()
        },
    }
