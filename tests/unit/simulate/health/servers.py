"""A real server on loopback that fails when it is told to."""

from __future__ import annotations

import socket
import threading

from tests.parity.programs import WAIT


class Server:
    """A server that answers every request with a status, and can die and come back on the same port."""

    def __init__(self, port: int, status: int) -> None:
        self.port, self.status = port, status
        self.start()

    def start(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        threading.Thread(target=self._serve, args=(self.listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(WAIT)
                if connection.recv(65536):
                    line = f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    connection.sendall(line.encode())

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
