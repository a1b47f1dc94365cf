"""Redis's protocol (RESP2), as far as a collector speaks it: commands as arrays of bulk strings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, TypeAlias

from workbench.errors import TargetError
from workbench.monitor.collectors._asking import connected, secret

Reply: TypeAlias = "str | int | list[Reply] | None"

_MOST = 64_000_000


class RedisConnection:
    """A connection to a Redis.

    Args:
        stream: to read answers from.
        send: sends bytes.
        place: for messages.
    """

    def __init__(self, stream: BinaryIO, send: BinaryIO, place: str) -> None:
        self._stream, self._send, self._place = stream, send, place

    def ask(self, *words: str | int) -> Reply:
        """Run a command.

        Raises:
            TargetError: Redis answers with an error, or not at all.
        """
        return self.ask_all([words])[0]

    def ask_all(self, commands: Sequence[Sequence[str | int]]) -> list[Reply]:
        """Run several commands in one go.

        Raises:
            TargetError: Redis answers one with an error, or not at all.
        """
        self._send.write(b"".join(map(_command, commands)))
        self._send.flush()
        return [self._reply(" ".join(map(str, command[:2]))) for command in commands]

    def _reply(self, command: str) -> Reply:
        line = self._stream.readline(_MOST).removesuffix(b"\r\n")
        kind, text = line[:1], line[1:].decode("utf-8", "replace")
        match kind:
            case b"+":
                return text
            case b"-":
                raise TargetError(f"{self._place}: answered {command} with {text}")
            case b":":
                return int(text)
            case b"$" if -1 <= (size := int(text)) <= _MOST:
                return None if size < 0 else self._bytes(size).decode("utf-8", "replace")
            case b"*" if -1 <= (size := int(text)) <= _MOST:
                return None if size < 0 else [self._reply(command) for _ in range(size)]
            case _:
                raise TargetError(f"{self._place}: answered {line[:40]!r}, as no Redis does")

    def _bytes(self, size: int) -> bytes:
        found = self._stream.read(size + 2)
        if len(found) != size + 2:
            raise TargetError(f"{self._place}: closed the connection in the middle of an answer")
        return found[:size]


def _command(words: Sequence[str | int]) -> bytes:
    coded = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(coded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in coded)


@contextmanager
def redis(
    place: str, *, timeout: float, database: int = 0, user: str = "default", password_env: str | None = None
) -> Iterator[RedisConnection]:
    """Connect to a Redis and choose a database.

    Raises:
        TargetError: it cannot be reached, wants another password, or breaks off.
    """
    with (
        connected(place, timeout=timeout) as line,
        line.makefile("rb") as stream,
        line.makefile("wb") as send,
    ):
        connection = RedisConnection(stream, send, place)
        try:
            if password_env is not None:
                connection.ask("AUTH", user, secret(password_env))
            connection.ask("SELECT", database)
            yield connection
        except ValueError as error:
            raise TargetError(f"{place}: answered as no Redis does ({error})") from None


def run_id(connection: RedisConnection) -> str:
    """Tell which process it is: another one after each restart."""
    told = str(connection.ask("INFO", "server"))
    found = [line.partition(":")[2] for line in told.splitlines() if line.startswith("run_id:")]
    return found[0].strip() if found else ""
