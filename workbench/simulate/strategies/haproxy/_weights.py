"""HAProxy's weights, and the weights that its trees hold."""

from __future__ import annotations

from workbench.errors import InputError
from workbench.simulate.pool import Servers

SCALE = 16
"""Effective weight of a server for each unit of weight (BE_WEIGHT_SCALE)."""
MOST_WEIGHT = 256
MOST_EFFECTIVE = SCALE * MOST_WEIGHT


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


def effective_weight(weight: int, in_service: int, ramp: float) -> int:
    """Give a server's weight in HAProxy's trees, 0 if it is not there; a full server is.

    Slow start scales it by sixteenths. It takes numbers since a whole view costs a compiled caller more
    than the rest of the loop.
    """
    return max(int(SCALE * weight * ramp), 1) if in_service and weight > 0 else 0
