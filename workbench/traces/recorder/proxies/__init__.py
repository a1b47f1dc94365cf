"""The proxies that can be recorded."""

from collections.abc import Mapping

from workbench.traces.products import Proxy
from workbench.traces.recorder.proxies._base import RecordedProxy
from workbench.traces.recorder.proxies.haproxy import Haproxy
from workbench.traces.recorder.proxies.nginx import Nginx

PROXIES: Mapping[Proxy, RecordedProxy] = {"haproxy": Haproxy(), "nginx": Nginx()}
"""By the names that a plan may give."""

__all__ = ["PROXIES", "Haproxy", "Nginx", "RecordedProxy"]
