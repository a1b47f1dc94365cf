"""Where the files of parts lie: in the lake's folder, or in an object store."""

from workbench.store.files._base import Found, PartFiles
from workbench.store.files.local import TEMPORARY_SUFFIX, LocalFiles, sync_folder
from workbench.store.files.opening import open_files

__all__ = ["TEMPORARY_SUFFIX", "Found", "LocalFiles", "PartFiles", "open_files", "sync_folder"]
