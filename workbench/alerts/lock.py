"""One sender for each database: two would send everything twice."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import InputError, StoreError


@contextmanager
def only_sender(database: Path) -> Iterator[None]:
    """Be the only sender of a database in this block; the lock ends with the process, however that ends.

    Raises:
        InputError: another process is it already.
        StoreError: the file beside the database cannot be written.
    """
    file = database.with_name(f"{database.name}.lock")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}") from None
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(opened, 100).decode("ascii", "replace").strip()
            raise InputError(
                f"{database}: process {owner or 'unknown'} sends its alerts already; "
                "allowed: one sender for each file (choose another with --state)"
            ) from None
        os.ftruncate(opened, 0)
        os.write(opened, f"{os.getpid()}\n".encode("ascii"))
        yield
    finally:
        os.close(opened)
