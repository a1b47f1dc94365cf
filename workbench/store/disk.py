"""What goes wrong with files, said in the user's words."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import DiskFullError, StoreError

NO_ROOM = {
    errno.ENOSPC: "no room is left on its disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the limit on the size of a file is reached (ulimit -f)",
}
"""What the operating system means by a code that says there is no room."""
_REMEDIES = {
    errno.EACCES: "give this user the right to write there",
    errno.EPERM: "give this user the right to write there",
    errno.EROFS: "its file system is mounted read-only",
    errno.ENOTDIR: "a part of the path is a file; move that file away",
    errno.EEXIST: "a file of that name is in the way; move it away",
    errno.EMFILE: "too many files are open; raise ulimit -n",
    errno.EIO: "the disk reports a fault; look at the system's log",
}


@contextmanager
def writing_to(lake: Path) -> Iterator[None]:
    """Turn what the operating system refuses in this block into errors that name cause and remedy.

    Raises:
        DiskFullError: no room, by disk, quota or limit.
        StoreError: any other refusal.
    """
    try:
        yield
    except OSError as error:
        raise explain_os_error(error, lake) from error


def explain_os_error(error: OSError, lake: Path) -> StoreError:
    """Name cause and remedy of a refused file operation."""
    if error.errno in NO_ROOM:
        return disk_full(lake, NO_ROOM[error.errno])
    remedy = _REMEDIES.get(error.errno or 0, "choose another folder (WORKBENCH_LAKE)")
    return StoreError(f"cannot write to the lake {lake}: {error}; {remedy}")


def disk_full(lake: Path, cause: str = NO_ROOM[errno.ENOSPC]) -> DiskFullError:
    """Say that the lake has no room, how much is free, and what to do."""
    return DiskFullError(
        f"no room in the lake {lake}: {cause}, {_free(lake)} free; nothing half-written remains. "
        "Free some room or choose another folder (WORKBENCH_LAKE)"
    )


def _free(lake: Path) -> str:
    folder = lake.absolute()
    while not folder.exists():
        folder = folder.parent
    return f"{shutil.disk_usage(folder).free / 1e6:,.1f} MB"
