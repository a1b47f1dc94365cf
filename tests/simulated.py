"""Every strategy built for a pool of so many servers: a new one joins the contract tests by being listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from workbench.simulate.strategies import STRATEGIES, Strategy, read_strategy

KEYS: dict[str, Any] = {"kind": "addresses", "count": 60, "exponent": 0.5}
"""Keys that every strategy can hash; those that do not hash take no notice of them."""

PARAMETERS: dict[str, Callable[[int], dict[str, Any]]] = {
    # It has no default: one interval a server, for demands of about 1 s.
    "size_interval": lambda servers: {"cutoffs": [0.6 * server for server in range(1, servers)]},
    # Whenever a server comes or goes, each of 65,537 slots would be filled anew.
    "envoy.maglev": lambda servers: {"table_size": 251},
}
"""What a strategy is given where its defaults will not do, for a pool of so many servers."""

TIMES = {
    "finagle.p2c_peak_ewma": "decay_time",
    "prequal": "probe_age",
    "size_interval": "cutoffs",
}
"""The parameter in seconds that must grow with all other times for a run to stay the same."""

LABELS = [*STRATEGIES, "power_of_two(choices=3)", "haproxy.hash(type=consistent, balance_factor=125)"]

every_strategy = pytest.mark.parametrize("label", LABELS)


def build(label: str, servers: int, *, second: float = 1.0) -> Strategy:
    """Make a strategy for a pool of so many servers, in a world where `second` is what a second was."""
    if label in PARAMETERS:
        plain = STRATEGIES[label].model_validate({"kind": label} | PARAMETERS[label](servers))
    else:
        plain = read_strategy(label)
    name = TIMES.get(plain.kind)
    if name is None or second == 1.0:
        return plain
    given = plain.model_dump()
    longer = [time * second for time in given[name]] if name == "cutoffs" else given[name] * second
    return type(plain).model_validate(given | {name: longer})


def kind_of(label: str) -> type[Strategy]:
    """Look up the class of a label."""
    return STRATEGIES[label.partition("(")[0]]


def every_strategy_but(reasons: Mapping[str, str]) -> Any:
    """Parametrise over all strategies but those for which a table holds the reason why not."""
    assert set(reasons) <= set(LABELS), "a reason for a strategy that there is not"
    return pytest.mark.parametrize("label", [label for label in LABELS if label not in reasons])


def only(labels: Iterable[str]) -> Any:
    """Parametrise over the strategies of a table of reasons, for the weaker property that they keep."""
    return pytest.mark.parametrize("label", list(labels))
