"""The socket to which HAProxy sends its log; each line is stamped when it comes.

It is UDP on loopback: of a local datagram socket Linux keeps no more than ten lines by default, so that a
proxy which fails many waiting requests at once would lose some.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Self

_LONGEST = 65_536
_ROOM = 4_000_000
"""Bytes of lines that may wait; the system may allow less."""
_GLANCE = 0.1
"""How soon the thread sees that it is no longer needed, seconds."""


class LogSocket:
    """A context in which lines are taken; `lines` holds them with nanoseconds of the monotonic clock."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self.port = 0
        """Of 127.0.0.1."""
        self._ended = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._take, daemon=True)

    def __enter__(self) -> Self:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(_GLANCE)
        self.port = self._socket.getsockname()[1]
        self._thread.start()
        return self

    def finish(self) -> None:
        """Take what has been sent, then no more."""
        self._ended.set()
        self._thread.join()

    def __exit__(self, *error: object) -> None:
        self.finish()
        self._socket.close()

    def _take(self) -> None:
        while True:
            try:
                line = self._socket.recv(_LONGEST)
            except TimeoutError:
                if self._ended.is_set():
                    return
                continue
            self.lines.append((time.monotonic_ns(), line.decode("utf-8", "replace").rstrip("\n\0")))
