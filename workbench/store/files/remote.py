"""Parts in an object store, through fsspec: written locally, then put once under their final key."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from workbench.errors import PartError, StoreError
from workbench.store.disk import writing_to
from workbench.store.files._base import Found, PartFiles
from workbench.store.files.local import TEMPORARY_SUFFIX


class RemoteFiles(PartFiles):
    """A prefix of an object store.

    A key appears when its object is complete, so nothing is renamed; keys are never written twice with
    other content.

    Args:
        address: such as `s3://bucket/lake`.
        staging: local folder for files on their way.

    Raises:
        StoreError: fsspec, or what it needs for this kind of address, is not installed.
    """

    def __init__(self, address: str, staging: Path) -> None:
        self.root = address.rstrip("/")
        self.scheme = address.partition("://")[0]
        self._staging = staging
        self._prefix = self.root.partition("://")[2]
        try:
            import fsspec

            self.system: Any = fsspec.filesystem(self.scheme)
        except (ImportError, ValueError) as error:
            raise StoreError(
                f"parts: given {address}; it cannot be reached: {error}. "
                "pip install 'balancer-workbench[cluster]' brings s3"
            ) from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what the store refuses in a block into errors that name the address."""
        with writing_to(self._staging):
            try:
                yield
            except (StoreError, KeyboardInterrupt):
                raise
            except Exception as error:
                if (
                    isinstance(error, OSError)
                    and error.filename
                    and str(self._staging) in str(error.filename)
                ):
                    raise
                raise StoreError(f"the object store {self.root} cannot be used: {error}") from error

    def stage(self, folder: str) -> Path:
        """Make an empty local file; the folder of the store needs no making."""
        self._staging.mkdir(parents=True, exist_ok=True)
        temporary = self._staging / f"{uuid.uuid4().hex}{TEMPORARY_SUFFIX}"
        temporary.touch()
        return temporary

    def put(self, staged: Sequence[tuple[Path, str]]) -> None:
        """Put staged files under their keys and remove them here."""
        for temporary, path in staged:
            self.system.put_file(str(temporary), f"{self._prefix}/{path}")
            temporary.unlink()

    def discard(self, staged: Path) -> None:
        """Remove a staged file, if it is there."""
        staged.unlink(missing_ok=True)

    def size(self, path: str) -> int | None:
        """Give the size of an object, None where it is not there."""
        try:
            return int(self.system.info(f"{self._prefix}/{path}")["size"])
        except FileNotFoundError:
            return None
        except Exception as error:
            raise StoreError(f"the object store {self.root} cannot be used: {error}") from error

    def open(self, path: str) -> BinaryIO:
        """Open an object for reading."""
        try:
            return cast("BinaryIO", self.system.open(f"{self._prefix}/{path}", "rb"))
        except Exception as error:
            raise PartError(f"{self.root}/{path} cannot be read: {error}") from error

    def remove(self, path: str) -> bool:
        """Remove an object."""
        try:
            self.system.rm_file(f"{self._prefix}/{path}")
        except FileNotFoundError:
            return True
        except Exception as error:
            raise StoreError(f"the object store {self.root} cannot be used: {error}") from error
        return True

    def listed(self) -> Iterator[Found]:
        """Walk over the objects below the address."""
        self.system.invalidate_cache()
        try:
            found = self.system.find(self._prefix, detail=True)
        except FileNotFoundError:
            return
        for key, about in sorted(found.items()):
            modified = about.get("LastModified") or about.get("mtime") or datetime.now(UTC)
            yield Found(key.removeprefix(f"{self._prefix}/"), int(about["size"]), modified)
