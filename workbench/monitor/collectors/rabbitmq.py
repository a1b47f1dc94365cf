"""RabbitMQ by its management API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from workbench.errors import TargetError
from workbench.monitor.collectors._asking import Url, basic, fetch_json
from workbench.monitor.collectors._base import COLLECTORS, Collector, Look, Reading

_WELL = ("running", "idle", "flow")
_DONE = ("ack", "deliver_no_ack", "get_no_ack")
"""Counters of messages that are done with: acknowledged, or delivered with no need to be."""


@COLLECTORS.register
class Rabbitmq(Collector):
    """RabbitMQ's management API: its queues."""

    summary: ClassVar[str] = "rabbitmq: RabbitMQ's management API"
    kind: Literal["rabbitmq"] = "rabbitmq"
    url: Url = "http://127.0.0.1:15672"
    """The address of the management plug-in, without /api."""
    user: str = "guest"
    password_env: str = Field("RABBITMQ_PASSWORD", min_length=1)
    """Variable of the environment that holds the password."""
    vhost: str | None = None
    """Only this virtual host; all by default."""
    queues: tuple[str, ...] = ()
    """Only these queues; all by default."""

    def look(self, *, timeout: float) -> Look:
        """Ask for the queues."""
        where = "" if self.vhost is None else f"/{quote(self.vhost, safe='')}"
        url = f"{self.url.rstrip('/')}/api/queues{where}"
        page = fetch_json(url, timeout=timeout, headers=basic(self.user, self.password_env))
        # A head's age is reckoned from the time of day, which its sender's clock gave.
        now = time.time()
        try:
            readings = [
                _queue(queue, now) for queue in page if not self.queues or queue["name"] in self.queues
            ]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise TargetError(f"{url}: answered JSON that is no list of queues ({error!r})") from None
        return Look(tuple(readings))


def _queue(queue: Mapping[str, Any], now: float) -> Reading:
    stats: Mapping[str, Any] = queue.get("message_stats") or {}  # absent until something has happened
    limit = (queue.get("arguments") or {}).get("x-max-length")
    head = queue.get("head_message_timestamp")
    name = f"{queue['vhost']}/{queue['name']}"
    ready = queue.get("messages_ready")
    oldest = 0.0 if ready == 0 else None
    if isinstance(head, int | float) and head > 0:
        oldest = max(0.0, now - float(head))
    state = str(queue.get("state", ""))
    return Reading(
        server=name,
        pool=name,
        waiting=None if ready is None else float(ready),
        in_service=float(queue["messages_unacknowledged"]) if "messages_unacknowledged" in queue else None,
        queue_limit=None if limit is None else float(limit),
        oldest_s=oldest,
        up=state in _WELL if state else None,
        state=state,
        counters={
            "arrivals": float(stats.get("publish", 0)),
            "completions": float(sum(stats.get(one, 0) for one in _DONE)),
            "retried": float(stats.get("redeliver", 0)),
        },
    )
