"""Lists of a Redis that serve as queues."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.monitor.collectors._asking import SocketPlace
from workbench.monitor.collectors._base import COLLECTORS, Collector, Look, Reading
from workbench.monitor.collectors._redis import redis, run_id


@COLLECTORS.register
class RedisList(Collector):
    """Redis lists: how many entries wait in each. What comes and goes a list does not tell."""

    summary: ClassVar[str] = "redis_list: the length of lists in a Redis"
    kind: Literal["redis_list"] = "redis_list"
    socket: SocketPlace = "127.0.0.1:6379"
    """Where the Redis is: host:port, or the path of its socket."""
    lists: tuple[str, ...] = Field(min_length=1)
    """The keys of the lists. One that is not there is empty: Redis removes empty lists."""
    database: int = Field(0, ge=0)
    user: str = "default"
    password_env: str | None = None
    """Variable of the environment that holds the password."""

    def look(self, *, timeout: float) -> Look:
        """Ask for the length of each list."""
        with redis(
            self.socket,
            timeout=timeout,
            database=self.database,
            user=self.user,
            password_env=self.password_env,
        ) as connection:
            process = run_id(connection)
            lengths = connection.ask_all([("LLEN", name) for name in self.lists])
        readings = [
            Reading(server=name, pool=name, waiting=float(str(length)))
            for name, length in zip(self.lists, lengths, strict=True)
        ]
        return Look(tuple(readings), process)
