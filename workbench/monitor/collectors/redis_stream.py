"""Streams of a Redis, each consumer group a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from workbench.errors import TargetError
from workbench.monitor.collectors._asking import SocketPlace
from workbench.monitor.collectors._base import COLLECTORS, Collector, Look, Reading
from workbench.monitor.collectors._redis import RedisConnection, Reply, redis, run_id


@COLLECTORS.register
class RedisStream(Collector):
    """Redis streams (7.0 or later): of each consumer group what waits, is delivered and is acknowledged.

    A stream without groups is a server of its own: all its entries wait.
    """

    summary: ClassVar[str] = "redis_stream: streams in a Redis and their consumer groups"
    kind: Literal["redis_stream"] = "redis_stream"
    socket: SocketPlace = "127.0.0.1:6379"
    """Where the Redis is: host:port, or the path of its socket."""
    streams: tuple[str, ...] = Field(min_length=1)
    """The keys of the streams. One that is not there has no reading."""
    database: int = Field(0, ge=0)
    user: str = "default"
    password_env: str | None = None
    """Variable of the environment that holds the password."""

    def look(self, *, timeout: float) -> Look:
        """Ask for each stream and its groups."""
        with redis(
            self.socket,
            timeout=timeout,
            database=self.database,
            user=self.user,
            password_env=self.password_env,
        ) as connection:
            process, now = run_id(connection), _now(connection)
            there = connection.ask_all([("EXISTS", stream) for stream in self.streams])
            readings = [
                reading
                for stream, exists in zip(self.streams, there, strict=True)
                if exists
                for reading in _stream(connection, stream, now)
            ]
        return Look(tuple(readings), process)


def _now(connection: RedisConnection) -> float:
    answer = connection.ask("TIME")
    if not isinstance(answer, list):
        raise TargetError(f"redis: answered TIME with {answer!r}; allowed: seconds and microseconds")
    return float(str(answer[0])) + float(str(answer[1])) / 1e6


def _stream(connection: RedisConnection, stream: str, now: float) -> Iterator[Reading]:
    told, groups = connection.ask_all([("XINFO", "STREAM", stream), ("XINFO", "GROUPS", stream)])
    whole = _pairs(told)
    added = _known(whole, "entries-added")
    rows = [_pairs(group) for group in groups] if isinstance(groups, list) else []
    if not rows:
        oldest = _age(connection, stream, "-", now)
        counters = {} if added is None else {"arrivals": added}
        length = _known(whole, "length")
        yield Reading(server=stream, pool=stream, waiting=length, oldest_s=oldest, counters=counters)
    for group in rows:
        pending, lag = _known(group, "pending"), _known(group, "lag")
        # A group that has read nothing yet does not say so, but nothing is then what it lags behind by.
        read = _known(group, "entries-read") if added is None or lag is None else added - lag
        counters = {} if added is None else {"arrivals": added}
        if read is not None and pending is not None:
            counters["completions"] = read - pending
        yield Reading(
            server=f"{stream}/{group['name']}",
            pool=stream,
            waiting=lag,
            in_service=pending,
            oldest_s=_age(connection, stream, f"({group['last-delivered-id']}", now),
            counters=counters,
        )


def _age(connection: RedisConnection, stream: str, after: str, now: float) -> float:
    """Tell the age of the first entry after an id: an id begins with its time in milliseconds."""
    found = connection.ask("XRANGE", stream, after, "+", "COUNT", 1)
    if not isinstance(found, list) or not found or not isinstance(found[0], list):
        return 0.0
    return max(0.0, now - float(str(found[0][0]).partition("-")[0]) / 1000.0)


def _pairs(reply: Reply) -> Mapping[str, Reply]:
    if not isinstance(reply, list):
        return {}
    return {str(name): value for name, value in zip(reply[::2], reply[1::2], strict=False)}


def _known(told: Mapping[str, Reply], name: str) -> float | None:
    value = told.get(name)
    return float(value) if isinstance(value, int) else None
