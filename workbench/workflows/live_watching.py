"""What looks at a live run interval by interval: metrics for a Prometheus, and alert rules."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from workbench.monitor.exposition import exposition
from workbench.monitor.live import LiveMetrics, LiveSimulation, Slice
from workbench.monitor.serving import serve_metrics
from workbench.store import Store
from workbench.workflows.live_alerts import LiveAlerts, live_alerts


@dataclass(frozen=True)
class Watching:
    """What is to look at a run.

    Args:
        rules: file of alert rules; none by default.
        to: the document that says whom to tell of alerts; nobody by default.
        metrics_port: port of this machine under which /metrics is served, 0 for a free one; none by default.
    """

    rules: Path | None = None
    to: Path | None = None
    metrics_port: int | None = None


class Watchers:
    """Tells those who look of each interval.

    Args:
        metrics: of the run; None where nobody looks.
        alerts: the rules, where there are some.
    """

    def __init__(self, metrics: LiveMetrics | None, alerts: LiveAlerts | None) -> None:
        self._metrics, self._alerts = metrics, alerts
        self._lock = threading.Lock()

    def add(self, told: Slice) -> None:
        """Take in an interval, right after it."""
        if self._metrics is not None:
            with self._lock:
                self._metrics.add(told)
        if self._alerts is not None:
            self._alerts.add(told)

    def again(self, told: Slice) -> None:
        """Take in an interval that was taken in by an earlier process: nobody is told of anything."""
        if self._metrics is not None:
            with self._lock:
                self._metrics.add(told)
        if self._alerts is not None:
            self._alerts.again(told)

    def text(self) -> str:
        """Give the metrics as text; called from any thread."""
        if self._metrics is None:
            return ""
        with self._lock:
            return exposition(self._metrics.points())


@contextmanager
def watching(
    store: Store, simulation: LiveSimulation, wanted: Watching, *, started: Callable[[str], None]
) -> Iterator[Watchers]:
    """Look at a run from its beginning, until the block ends.

    Raises:
        DocumentError: a file of rules or receivers holds what is not allowed.
        InputError: the port cannot be had.
        StoreError: the state of the alerts cannot be used.
    """
    with ExitStack() as stack:
        if wanted.rules is None and wanted.metrics_port is None:
            yield Watchers(None, None)
            return
        metrics = LiveMetrics(simulation)
        alerts = None
        if wanted.rules is not None:
            opened = live_alerts(store, metrics, run_id=simulation.run_id, rules=wanted.rules, to=wanted.to)
            alerts = stack.enter_context(opened)
            started(f"alerts are kept in {alerts.file}")
        watchers = Watchers(metrics, alerts)
        if wanted.metrics_port is not None:
            server = stack.enter_context(serve_metrics(watchers.text, port=wanted.metrics_port))
            started(f"metrics: {server.url}")
        yield watchers
