"""Whatever exposes metrics for a Prometheus."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from workbench.documents import Section
from workbench.errors import TargetError
from workbench.monitor.collectors._asking import Url, fetch
from workbench.monitor.collectors._base import COLLECTORS, COUNTERS, Collector, Look, Reading
from workbench.monitor.collectors._text import Series, read_selector, read_series
from workbench.monitor.samples import POOL


def _selector(text: str) -> str:
    if read_selector(text) is None:
        raise PydanticCustomError("selector", 'a metric, such as jobs_waiting or jobs{state="waiting"}')
    return text


Selector = Annotated[str, AfterValidator(_selector)]
"""A metric's name, with labels in braces where only some of its series are meant."""


class Sources(Section):
    """Which metric of the page is which of a server's; several series of a server are added up."""

    waiting: Selector | None = "workbench_queue_depth"
    in_service: Selector | None = "workbench_in_service"
    slots: Selector | None = None
    queue_limit: Selector | None = None
    oldest_s: Selector | None = "workbench_oldest_wait_seconds"
    up: Selector | None = "workbench_server_up"
    arrivals: Selector | None = "workbench_arrivals_total"
    completions: Selector | None = "workbench_completions_total"
    refused: Selector | None = "workbench_refused_total"
    answers: Selector | None = "workbench_answers_total"
    errors: Selector | None = "workbench_errors_total"
    timed_out: Selector | None = "workbench_timed_out_total"
    retried: Selector | None = "workbench_retried_total"


@COLLECTORS.register
class Prometheus(Collector):
    """Any page of metrics, such as an application's, an exporter's, or that of another workbench."""

    summary: ClassVar[str] = "prometheus: any page of metrics in Prometheus's text format"
    kind: Literal["prometheus"] = "prometheus"
    url: Url
    """The page, such as http://127.0.0.1:9100/metrics."""
    server: str = Field("server", pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")
    """The label by which servers differ; series without it are of one server, the target itself."""
    metrics: Sources = Sources()
    """Which metrics are read; by default those of the workbench. With null one is not."""
    process: Selector | None = "process_start_time_seconds"
    """What changes when the system starts anew."""

    def look(self, *, timeout: float) -> Look:
        """Get the page.

        Raises:
            TargetError: there is no page of metrics, or none of these metrics is on it.
        """
        accept = {"Accept": "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5"}
        page = fetch(self.url, timeout=timeout, headers=accept).decode("utf-8", "replace")
        every = list(read_series(page, self.url))
        found: dict[str, dict[str, float]] = defaultdict(dict)
        for measure, selector in self.metrics:
            for one in _chosen(every, selector):
                own = found[one.labels.get(self.server, self.name)]
                if math.isfinite(one.value):  # else it is said to be unknown
                    own[measure] = own.get(measure, 0.0) + one.value
        if not found:
            wanted = ", ".join(str(selector) for _, selector in self.metrics if selector is not None)
            raise TargetError(f"{self.url}: gives none of the metrics {wanted}")
        process = "".join(f"{one.value!r}" for one in _chosen(every, self.process))
        return Look(tuple(_reading(server, values) for server, values in found.items()), process)


def _chosen(every: list[Series], selector: str | None) -> list[Series]:
    wanted = None if selector is None else read_selector(selector)
    if wanted is None:
        return []
    name, labels = wanted
    return [one for one in every if one.name == name and labels.items() <= one.labels.items()]


def _reading(server: str, values: Mapping[str, float]) -> Reading:
    return Reading(
        server=server,
        pool=POOL,
        waiting=values.get("waiting"),
        in_service=values.get("in_service"),
        slots=values.get("slots"),
        queue_limit=values.get("queue_limit"),
        oldest_s=values.get("oldest_s"),
        up=None if "up" not in values else values["up"] >= 1,
        state="" if "up" not in values else "up" if values["up"] >= 1 else "down",
        counters={name: values[name] for name in COUNTERS if name in values},
    )
