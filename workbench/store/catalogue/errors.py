"""What SQLite refuses, said in the user's words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from workbench.errors import CatalogueError, StoreError
from workbench.store.disk import disk_full

_LOCKED = "it is locked by another process; wait for that process or end it, then try again"
_READ_ONLY = "it cannot be written; give this user the right to write the file and its folder"
_CORRUPT = (
    "it is corrupt; the parts beside it are unharmed. Move it away and put back a copy, "
    "or choose another folder (WORKBENCH_LAKE)"
)
_REMEDIES = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
}


def explain_sqlite_error(error: sqlite3.Error, file: Path) -> StoreError:
    """Name file, cause and remedy of an error of SQLite."""
    # The low byte is the kind; Python's own errors, such as that of a closed connection, have none.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return disk_full(file.parent)
    remedy = _REMEDIES.get(code, "look at the disk and the folder's rights")
    return CatalogueError(f"the catalogue {file} cannot be used: {error}; {remedy}")
