"""HAProxy's weights, and when one of its servers is full rather than down."""

from __future__ import annotations

from workbench.errors import InputError
from workbench.simulate.pool import Servers

SCALE = 16
"""Effective weight of a server for each unit of weight (BE_WEIGHT_SCALE)."""
MOST_WEIGHT = 256
MOST_EFFECTIVE = SCALE * MOST_WEIGHT
ENDLESS = 2**62


def check_weights(kind: str, servers: Servers) -> None:
    """Refuse weights that HAProxy does not know.

    Raises:
        InputError: a weight is above 256.
    """
    for name, weight in zip(servers.names, servers.weight, strict=True):
        if weight > MOST_WEIGHT:
            raise InputError(
                f"strategy {kind}: weight of {name}: given {weight}; allowed: 0 to {MOST_WEIGHT}"
            )


def limits(servers: Servers) -> list[int]:
    """List the servers' limits on requests in flight, which is HAProxy's maxconn."""
    return [ENDLESS if limit is None else limit for limit in servers.limit]


def effective_weight(weight: int, usable: int, in_flight: int, limit: int) -> int:
    """Give a server's weight in HAProxy's trees; 0 if it is not there: not usable, and not merely full.

    It takes numbers since a whole view costs a compiled caller more than the rest of the loop.
    """
    return SCALE * weight if usable or in_flight >= limit else 0
