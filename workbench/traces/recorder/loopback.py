"""A server of known service times and an open-loop client: a program of its own, started by its path.

It needs the standard library only, so that a server that was killed is back within some tens of
milliseconds. All times are nanoseconds of the monotonic clock, which processes of a machine share.

    python loopback.py server NUMBER PORT SLOTS FACTOR LOG
    python loopback.py client PORT START PREFIX CONNECTIONS END < requests > answers

A server writes a line `ready` when it listens, and ends when its standard input is closed. Its log
has a line for each answer, `ID RECEIVED START FINISH SENT`, and one, `stall NANOSECONDS`, for each
longest time yet for which it did not run though it should have.

The client reads lines `MICROSECONDS-FROM-START SERVICE-MICROSECONDS KEY`, of which the number is the
id, and writes for each `ID DUE SENT ANSWERED STATUS SERVER`; status -1 is a connection closed without
an answer and 0 none until END, server -1 none. Then, on one line each, `connections` and `stall`.
With 0 CONNECTIONS each request has one of its own, otherwise so many are made before the first and kept.
"""

from __future__ import annotations

import gc
import heapq
import os
import select
import signal
import socket
import sys
import time
from collections import deque

_SECOND = 1_000_000_000
_MOST_BYTES = 65_536
_HEAD_END = b"\r\n\r\n"
clock = time.monotonic_ns


class Loop:
    """Waits for sockets until an instant, and learns how long it was kept from running."""

    def __init__(self) -> None:
        self.poll = select.epoll()
        self.stall = 0
        """Nanoseconds."""
        self._left = clock()

    def wait(self, until: int | None) -> list[int]:
        """Give the file numbers that can be read, or none at the instant.

        The number of epoll itself is waited for, since `select` knows microseconds and epoll does not.
        """
        began = clock()
        self.stall = max(self.stall, began - self._left)
        seconds = None if until is None else max(0, until - began) / _SECOND
        select.select([self.poll.fileno()], [], [], seconds)
        ready = [number for number, _ in self.poll.poll(0)]
        self._left = clock()
        if until is not None:
            self.stall = max(self.stall, self._left - max(until, began))
        return ready


class Server:
    """First come, first served at some slots; an answer leaves at an absolute time, whatever came before."""

    def __init__(self, number: int, port: int, slots: int, factor: float, log: str) -> None:
        self.number = number
        self.factor = factor
        self.loop = Loop()
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.free = [0] * slots
        """When each slot is free again: a heap."""
        self.due: list[tuple[int, int, socket.socket, str, int, int]] = []
        """Answers by the time at which they leave: a heap."""
        self.turn = 0
        self.told = 0
        self.open: dict[int, tuple[socket.socket, bytearray]] = {}
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(1024)
        self.listener.setblocking(False)
        self.loop.poll.register(self.listener, select.EPOLLIN)
        self.loop.poll.register(0, select.EPOLLIN | select.EPOLLHUP)

    def run(self) -> None:
        """Serve until standard input is closed."""
        os.write(1, b"ready %d\n" % clock())
        while True:
            for number in self.loop.wait(self.due[0][0] if self.due else None):
                if number == 0:
                    return
                if number == self.listener.fileno():
                    self._accept()
                elif number in self.open:
                    self._read(number)
            while self.due and self.due[0][0] <= clock():
                self._answer()
            if self.loop.stall > self.told:
                self.told = self.loop.stall
                os.write(self.log, b"stall %d\n" % self.told)

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:  # whoever asked has gone
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.open[connection.fileno()] = connection, bytearray()
        self.loop.poll.register(connection, select.EPOLLIN)

    def _read(self, number: int) -> None:
        connection, buffer = self.open[number]
        try:
            received = connection.recv(_MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            del self.open[number]
            connection.close()
            return
        buffer += received
        now = clock()
        while (end := buffer.find(_HEAD_END)) >= 0:
            head = _headers(bytes(buffer[:end]))
            del buffer[: end + len(_HEAD_END)]
            self._take(connection, head, now)

    def _take(self, connection: socket.socket, head: dict[str, str], now: int) -> None:
        if "x-svc" not in head:  # a check of the proxy's, which is no request
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return
        start = max(now, heapq.heappop(self.free))
        finish = start + round(int(head["x-svc"]) * 1000 * self.factor)
        heapq.heappush(self.free, finish)
        self.turn += 1
        heapq.heappush(self.due, (finish, self.turn, connection, head["x-id"], now, start))

    def _answer(self) -> None:
        finish, _, connection, name, received, start = heapq.heappop(self.due)
        sent = clock()  # not after sending: the client may have the answer before this goes on
        try:
            connection.sendall(
                f"HTTP/1.1 200 OK\r\nX-Server: {self.number}\r\nContent-Length: 3\r\n\r\nok\n".encode()
            )
        except OSError:  # the proxy has given the request up
            return
        os.write(self.log, f"{name} {received} {start} {finish} {sent}\n".encode())


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


class Client:
    """Sends each request when it is due, whether or not earlier ones have been answered."""

    def __init__(self, port: int, start: int, prefix: str, connections: int) -> None:
        self.port = port
        self.start = start
        self.prefix = prefix
        self.loop = Loop()
        self.made = 0
        self.keeps = connections > 0
        self.rest: deque[socket.socket] = deque()
        """Connections that wait for a request."""
        self.busy: dict[int, tuple[socket.socket, int, bytearray]] = {}
        """By file number: the request that a connection carries, and what has come of its answer."""
        for connection in [self._connect() for _ in range(connections)]:
            self.rest.append(connection)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.loop.poll.register(connection, select.EPOLLIN)
        self.made += 1
        return connection

    def run(self, requests: list[tuple[int, int, str]], end: int) -> list[list[int]]:
        """Send all; give `[due, sent, answered, status, server]` of each."""
        texts = [self._text(number, service, key) for number, (_, service, key) in enumerate(requests)]
        dues = [self.start + 1000 * due for due, _, _ in requests]
        self.rows = [[due, 0, end, 0, -1] for due in dues]
        self.loop._left = clock()
        sent = 0
        while sent < len(dues) or self.busy:
            for number in self.loop.wait(dues[sent] if sent < len(dues) else end):
                self._read(number)
            while sent < len(dues) and dues[sent] <= clock():
                self._send(sent, texts[sent])
                sent += 1
            if clock() >= end:
                break
        return self.rows

    def _text(self, number: int, service: int, key: str) -> bytes:
        return (
            f"GET /{key} HTTP/1.1\r\nHost: recorder\r\nX-Id: {self.prefix}{number}\r\nX-Key: {key}\r\n"
            f"X-Svc: {service}\r\n\r\n"
        ).encode()

    def _send(self, number: int, text: bytes) -> None:
        row = self.rows[number]
        try:
            connection = self.rest.popleft() if self.rest else self._connect()
            row[1] = clock()
            connection.sendall(text)
        except OSError:
            row[1:4] = [row[1] or clock(), clock(), -1]
            return
        self.busy[connection.fileno()] = connection, number, bytearray()

    def _read(self, number: int) -> None:
        connection, request, buffer = self.busy.get(number) or self._resting(number)
        try:
            received = connection.recv(_MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        now = clock()
        buffer += received
        end = buffer.find(_HEAD_END)
        head = _headers(bytes(buffer[:end])) if end >= 0 else {}
        whole = end >= 0 and len(buffer) >= end + len(_HEAD_END) + int(head.get("content-length", 0))
        if received and not whole:
            return
        self.busy.pop(number, None)
        if whole and request >= 0:
            self.rows[request][2:] = [now, int(buffer.split(b" ", 2)[1]), int(head.get("x-server", -1))]
        elif request >= 0:
            self.rows[request][2:4] = [now, -1]
        if received and self.keeps and head.get("connection", "") != "close":
            self.rest.append(connection)
        else:
            self.loop.poll.unregister(connection)
            connection.close()

    def _resting(self, number: int) -> tuple[socket.socket, int, bytearray]:
        """Take a connection out that the proxy closes although it carries no request."""
        connection = next(one for one in self.rest if one.fileno() == number)
        self.rest.remove(connection)
        return connection, -1, bytearray()


def _serve(number: str, port: str, slots: str, factor: str, log: str) -> None:
    Server(int(number), int(port), int(slots), float(factor), log).run()


def _load(port: str, start: str, prefix: str, connections: str, end: str) -> None:
    given = (line.rstrip("\n").split(" ", 2) for line in sys.stdin)
    requests = [(int(due), int(service), key) for due, service, key in given]
    client = Client(int(port), int(start), prefix, int(connections))
    rows = client.run(requests, int(end))
    lines = [f"{prefix}{number} {' '.join(map(str, row))}" for number, row in enumerate(rows)]
    lines += [f"connections {client.made}", f"stall {client.loop.stall}"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()
    {"server": _serve, "client": _load}[sys.argv[1]](*sys.argv[2:])
