"""The real HAProxy and nginx on loopback, in front of servers that tell which of them was reached."""

from __future__ import annotations

import queue
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT = 10
"""Most seconds to wait for anything."""


class Backends:
    """Servers that report each request, and answer it at once or, under /hold, when told to."""

    def __init__(self, count: int) -> None:
        self.reached: queue.Queue[tuple[int, socket.socket]] = queue.Queue()
        self.sockets = [_listening() for _ in range(count)]
        self.ports = [listener.getsockname()[1] for listener in self.sockets]
        for server, listener in enumerate(self.sockets):
            threading.Thread(target=self._serve, args=(server, listener), daemon=True).start()

    def _serve(self, server: int, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(WAIT)
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            self.reached.put((server, connection))
            if not head.startswith(b"GET /hold"):
                answer(connection)

    def close(self) -> None:
        """Stop listening."""
        for listener in self.sockets:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def answer(connection: socket.socket) -> None:
    """Answer a request."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.close()


class Client:
    """Requests to one port of the balancer."""

    def __init__(self, port: int, backends: Backends) -> None:
        self.port = port
        self.backends = backends
        self.held: list[tuple[int, socket.socket, socket.socket]] = []

    def pick(self, *, key: str = "", source: str = "127.0.0.1", hold: bool = False) -> int:
        """Send a request and tell which server it reached."""
        client = socket.create_connection(("127.0.0.1", self.port), WAIT, source_address=(source, 0))
        path = "/hold" if hold else "/"
        client.sendall(f"GET {path}?k={key} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        server, connection = self.backends.reached.get(timeout=WAIT)
        if hold:
            self.held.append((server, client, connection))
        else:
            drain(client)
        return server

    def end(self, place: int) -> int:
        """Let a held request end; tell whose it was."""
        server, client, connection = self.held.pop(place)
        answer(connection)
        drain(client)
        return server

    def close(self) -> None:
        """Let go of what is still held."""
        for _, client, connection in self.held:
            client.close()
            connection.close()


def drain(client: socket.socket) -> None:
    """Read an answer to its end."""
    received = b""
    while part := client.recv(65536):
        received += part
    assert received.startswith(b"HTTP/1.1 200"), received
    client.close()


@contextmanager
def running(command: list[str], log: Path, *, port: int) -> Iterator[None]:
    """Run a program while it is needed, from when it accepts connections on a port."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            until = time.monotonic() + WAIT
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert process.poll() is None, log.read_text()
                    assert time.monotonic() < until, log.read_text()
                    time.sleep(0.02)
            yield
        finally:
            process.terminate()
            process.wait(WAIT)


def free_ports(count: int) -> list[int]:
    """Find ports that nothing listens on."""
    sockets = [_listening() for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _listening() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    return listener
