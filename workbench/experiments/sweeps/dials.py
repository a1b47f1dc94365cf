"""Dials: what people turn that is no single key of a scenario.

load         offered load by capacity, 0 to 1 and above: sets the arrival rate
variability  squared coefficient of variation of the service demand, of the same mean
staleness    how old a balancer's view of the others' requests may be; 0 is a shared view
slow_share   share of each group's servers that work at half of their speed, unknown to the balancer
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.errors import InputError
from workbench.quantities import parse_duration
from workbench.simulate import Scenario

SLOW_FACTOR = 0.5
"""Speed of a slow server, as a share of its own."""

Dial = Callable[[dict[str, Any], Any], None]


def _load(document: dict[str, Any], value: Any) -> None:
    scenario = Scenario.model_validate(document)
    load, share = scenario.offered_load(), _number("load", value, above=0.0)
    arrivals = document["arrivals"]
    if load is None or load <= 0:
        raise InputError("load: given arrivals without a rate of their own; allowed: all but a closed loop")
    factor = share * scenario.capacity() / load
    if "rate" in arrivals:
        arrivals["rate"] *= factor
    elif "rates" in arrivals:
        arrivals["rates"] = [rate * factor for rate in arrivals["rates"]]
    elif "speed" in arrivals:
        arrivals["speed"] *= factor
    elif "points" in arrivals:
        arrivals["points"] = [[time, rate * factor] for time, rate in arrivals["points"]]
    else:
        raise InputError(f"load: given arrivals of the kind {arrivals['kind']}; allowed: those with a rate")


def _variability(document: dict[str, Any], value: Any) -> None:
    cv2 = _number("variability", value)
    scenario = Scenario.model_validate(document)
    mean = scenario.service.moments().mean
    if document["service"]["kind"] == "lognormal" and cv2 > 0:
        document["service"] = {"kind": "lognormal", "mean": mean, "cv2": cv2}
    elif cv2 == 0:
        document["service"] = {"kind": "deterministic", "value": mean}
    elif cv2 < 1:
        document["service"] = {"kind": "erlang", "mean": mean, "stages": max(1, round(1 / cv2))}
    elif cv2 == 1:
        document["service"] = {"kind": "exponential", "mean": mean}
    else:
        document["service"] = {"kind": "hyperexponential", "mean": mean, "cv2": cv2}


def _staleness(document: dict[str, Any], value: Any) -> None:
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise InputError(f"staleness: given {value!r}; allowed: {error}") from None
    balancers = document["balancers"]
    balancers["view"] = "refreshed" if seconds else "shared"
    balancers["refresh_every"] = seconds or None


def _slow_share(document: dict[str, Any], value: Any) -> None:
    share = _number("slow_share", value)
    if share > 1:
        raise InputError(f"slow_share: given {value!r}; allowed: a share from 0 to 1")
    groups = []
    for group in document["pool"]:
        slow = round(share * group["count"])
        name = f"slow-{group['name']}"
        if slow:
            groups.append(group | {"count": slow, "speed": group["speed"] * SLOW_FACTOR, "name": name})
        if slow < group["count"]:
            groups.append(group | {"count": group["count"] - slow})
    document["pool"] = groups


def _number(dial: str, value: Any, *, above: float | None = None) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or value < 0 or (above is not None and value <= above):
        raise InputError(f"{dial}: given {value!r}; allowed: a number or share of 0 or more")
    return float(value)


DIALS: Mapping[str, Dial] = {
    "slow_share": _slow_share,
    "variability": _variability,
    "staleness": _staleness,
    "load": _load,
}
"""The dials in the order in which they are turned: the load comes last, for it is relative to the rest."""
