"""Finding the place for the files of parts that the settings name."""

from __future__ import annotations

from workbench.errors import InputError
from workbench.settings import Settings
from workbench.store.files._base import PartFiles
from workbench.store.files.local import LocalFiles


def open_files(settings: Settings) -> PartFiles:
    """Open the folder or the object store that holds the parts.

    Raises:
        InputError: the address has no scheme.
        StoreError: what the address needs is not installed.
    """
    if not settings.parts:
        return LocalFiles(settings.lake)
    if "://" not in settings.parts:
        raise InputError(f"parts: given {settings.parts!r}; allowed: an address such as s3://bucket/lake")
    from workbench.store.files.remote import RemoteFiles

    return RemoteFiles(settings.parts, settings.lake / "tmp")
