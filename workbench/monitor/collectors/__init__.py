"""Collectors of queue metrics from real systems, one a file; each is named by its `kind`."""

from workbench.monitor.collectors._base import COLLECTORS, COUNTERS, MEANS, Collector, Look, Reading
from workbench.monitor.collectors.haproxy import Haproxy
from workbench.monitor.collectors.nginx_plus import NginxPlus
from workbench.monitor.collectors.nginx_stub import NginxStub
from workbench.monitor.collectors.prometheus import Prometheus
from workbench.monitor.collectors.rabbitmq import Rabbitmq
from workbench.monitor.collectors.redis_list import RedisList
from workbench.monitor.collectors.redis_stream import RedisStream

__all__ = [
    "COLLECTORS",
    "COUNTERS",
    "MEANS",
    "Collector",
    "Haproxy",
    "Look",
    "NginxPlus",
    "NginxStub",
    "Prometheus",
    "Rabbitmq",
    "Reading",
    "RedisList",
    "RedisStream",
]
