"""nginx by its module stub_status, which tells of the whole nginx only."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from workbench.errors import TargetError
from workbench.monitor.collectors._asking import Url, fetch
from workbench.monitor.collectors._base import COLLECTORS, Collector, Look, Reading

_PAGE = re.compile(
    r"Active connections:\s*(?P<active>\d+)\s+server accepts handled requests\s+"
    r"(?P<accepts>\d+)\s+(?P<handled>\d+)\s+(?P<requests>\d+)\s+"
    r"Reading:\s*(?P<reading>\d+)\s+Writing:\s*(?P<writing>\d+)\s+Waiting:\s*(?P<idle>\d+)"
)


@COLLECTORS.register
class NginxStub(Collector):
    """nginx's stub_status: one server, all of nginx.

    The page counts the look itself, which is taken out. Its `Waiting` are idle connections, no queue:
    how many requests wait is not told.
    """

    summary: ClassVar[str] = "nginx_stub: nginx's page of stub_status"
    kind: Literal["nginx_stub"] = "nginx_stub"
    url: Url
    """The page of stub_status."""

    def look(self, *, timeout: float) -> Look:
        """Get the page."""
        page = fetch(self.url, timeout=timeout).decode("utf-8", "replace")
        found = _PAGE.search(page)
        if found is None:
            raise TargetError(f"{self.url}: answered {page[:40]!r}, which is no page of stub_status")
        told = {name: float(text) for name, text in found.groupdict().items()}
        busy = told["reading"] + told["writing"] - 1
        counters = {
            "arrivals": told["requests"],
            "completions": told["requests"] - busy,
            "refused": told["accepts"] - told["handled"],
        }
        return Look((Reading(server="nginx", pool="nginx", in_service=busy, counters=counters, own=1),))
