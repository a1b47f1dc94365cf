"""Whether what is about to be written will fit on the lake's disk."""

from __future__ import annotations

import shutil

from workbench.errors import DiskFullError
from workbench.store.store import Store

_BYTES_A_REQUEST = 10.0
"""What a request takes where the lake has none to learn from, bytes."""
_BYTES_A_RUN = 100_000
"""What the histograms, samples and summaries of a run take at least, bytes."""


def require_room(store: Store, *, needed: int, what: str) -> None:
    """Refuse to begin what will not fit.

    Args:
        store: the lake.
        needed: bytes that it will take.
        what: what is begun, as the error names it.

    Raises:
        DiskFullError: the disk has less to give, with the share that stays free left out.
    """
    disk = shutil.disk_usage(store.lake)
    usable = disk.free - store.settings.disk_free * disk.total
    if needed > usable:
        raise DiskFullError(
            f"no room in the lake {store.lake}: {what} needs about {needed / 1e6:,.1f} MB, "
            f"{max(0.0, usable) / 1e6:,.1f} MB may be used ({100 * store.settings.disk_free:g} % of the "
            "disk stay free, WORKBENCH_DISK_FREE); nothing was begun. Free some room (workbench store gc, "
            "compact), store fewer requests (WORKBENCH_RECORDS) or choose another folder (WORKBENCH_LAKE)"
        )


def room_for_requests(store: Store, *, requests: float | None, runs: int = 1) -> None:
    """Refuse to begin runs whose requests will not fit; an unknown number is taken for none.

    Args:
        store: the lake; its own last runs tell what a request takes.
        requests: how many there will be in all.
        runs: in how many runs.

    Raises:
        DiskFullError: they will not fit.
    """
    if store.settings.parts or not runs:
        return
    each = store.catalogue.runs.bytes_per_request() or _BYTES_A_REQUEST
    needed = (requests or 0.0) * store.settings.records * each + runs * _BYTES_A_RUN
    require_room(store, needed=int(needed), what=f"storing {requests or 0:,.0f} requests")
