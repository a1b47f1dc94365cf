"""The socket to which HAProxy sends its log; each line is stamped when it comes."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Self

from workbench.errors import RecordingError

SOCKET = "log.sock"
_LONGEST = 65_536
_GLANCE = 0.1
"""How soon the thread sees that it is no longer needed, seconds."""


class LogSocket:
    """A context in which lines are taken; `lines` holds them with nanoseconds of the monotonic clock."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[tuple[int, str]] = []
        self._path = folder / SOCKET
        self._ended = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._take, daemon=True)

    def __enter__(self) -> Self:
        try:
            self._socket.bind(str(self._path))
        except OSError as error:
            self._socket.close()
            raise RecordingError(f"{self._path}: no socket can be made there ({error})") from None
        self._path.chmod(0o666)
        self._socket.settimeout(_GLANCE)
        self._thread.start()
        return self

    def finish(self) -> None:
        """Take what has been sent, then no more."""
        self._ended.set()
        self._thread.join()

    def __exit__(self, *error: object) -> None:
        self.finish()
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _take(self) -> None:
        while True:
            try:
                line = self._socket.recv(_LONGEST)
            except TimeoutError:
                if self._ended.is_set():
                    return
                continue
            self.lines.append((time.monotonic_ns(), line.decode("utf-8", "replace").rstrip("\n\0")))
