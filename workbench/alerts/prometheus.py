"""A Prometheus as the place where rules get their series from, by its HTTP API."""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from workbench.alerts.labels import Labels
from workbench.alerts.matchers import Matcher
from workbench.alerts.series import NOTHING, STALE, Query, SeriesSet
from workbench.errors import InputError

_MOST_BYTES = 256_000_000


class PrometheusSource:
    """Asks a Prometheus, or what speaks like one, for the samples that rules need.

    Samples of a range come without the markers of series that have ended, so it is asked besides which
    series have a value at the end.

    Args:
        url: such as http://127.0.0.1:9090.
        timeout: of one request, seconds.
        query: answers rules with an SQL query, which Prometheus has not.

    Raises:
        InputError: the address is none of HTTP.
    """

    def __init__(self, url: str, *, timeout: float = 10.0, query: Query | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise InputError(
                "prometheus: given no plain address of HTTP; allowed: one such as http://127.0.0.1:9090"
            )
        self._url, self._timeout, self._query = url.rstrip("/"), timeout, query

    def series(self, metric: str, matchers: Sequence[Matcher], *, start: float, end: float) -> SeriesSet:
        """Give the series of a metric that match, with their samples from start to end.

        Raises:
            InputError: Prometheus does not answer, or not with samples.
        """
        chosen = f"{metric}{{{','.join(str(matcher) for matcher in matchers)}}}"
        length = max(1, math.ceil((end - start) * 1000.0) + 1)
        found = self._result(f"{chosen}[{length}ms]", "matrix", end)
        if not found:
            return NOTHING
        live = {_labels(series) for series in self._result(chosen, "vector", end)}
        return SeriesSet.gather(_one(series, end, live) for series in found)

    def query(self, sql: str, *, at: float) -> Sequence[tuple[Labels, float]]:
        """Run an SQL query by the function that was given.

        Raises:
            InputError: none was given.
        """
        if self._query is None:
            raise InputError("sql: given a rule with an SQL query; allowed: such rules only over a store")
        return self._query(sql, at)

    def _result(self, expression: str, kind: str, at: float) -> list[dict[str, Any]]:
        found = self._ask({"query": expression, "time": f"{at:.3f}"})
        if found.get("resultType") != kind:
            raise InputError(
                f"{self._url}: given no {kind} for {expression}; allowed: an API like Prometheus's"
            )
        result: list[dict[str, Any]] = found["result"]
        return result

    def _ask(self, question: Mapping[str, str]) -> dict[str, Any]:
        address = f"{self._url}/api/v1/query"
        request = urllib.request.Request(address, urlencode(question).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:
                content = json.loads(response.read(_MOST_BYTES))
            data = content["data"]
        except urllib.error.HTTPError as error:
            raise InputError(f"{self._url}: answered {error.code}: {_reason(error)}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = getattr(error, "reason", error)
            raise InputError(f"{self._url}: no answer as Prometheus gives it ({reason})") from None
        if not isinstance(data, dict):
            raise InputError(f"{self._url}: no answer as Prometheus gives it")
        return data


def _labels(series: Mapping[str, Any]) -> Labels:
    return Labels({name: value for name, value in series["metric"].items() if name != "__name__"})


def _one(
    series: Mapping[str, Any], end: float, live: Collection[Labels]
) -> tuple[Labels, list[float], list[float]]:
    """Read a series, and end it where Prometheus no longer gives it a value."""
    times = [float(time) for time, _ in series["values"]]
    values = [float(value) for _, value in series["values"]]
    labels = _labels(series)
    if labels not in live and times[-1] < end:
        times.append(end)
        values.append(STALE)
    return labels, times, values


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(10_000))["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return str(error.reason)
