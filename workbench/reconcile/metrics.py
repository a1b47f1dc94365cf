"""What the watch found as metrics: plain names, labels and numbers, for alert rules and Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.observed import ObservedCalibration
from workbench.reconcile.watch import Watch, WatchAlarm

_PREFIX = "workbench_reconcile_"


@dataclass(frozen=True)
class Metric:
    """One number under a name and labels."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


HELP = {
    "calibration_error_ratio": "expected calibration error on fresh labels, by their origin",
    "calibration_error_floor_ratio": "what it is on average for exact confidences",
    "calibration_error_limit_ratio": "what it exceeds by chance in 1 of 100 samples",
    "brier_score": "mean squared distance of confidence and truth on fresh labels",
    "log_loss_nats": "mean negative logarithm of the probability given to the truth",
    "fresh_labels": "labels that these figures are from",
    "match_ratio": "share of right proposals, trained and as estimated now without labels",
    "certificate_valid": "1 while a certificate holds, else 0",
    "accept_threshold_ratio": "confidence from which proposals are accepted; absent where none is",
    "audit_precision_ratio": "share of audited proposals that was right, with its interval",
    "drift_psi": "population stability index, by column",
    "drift_psi_limit": "what it exceeds by chance in 1 of 1000 samples",
    "drift_ks_ratio": "largest distance of distribution functions, by column",
    "missing_ratio": "share of missing values, by column",
    "decisions_ratio": "share of the proposals, by decision",
    "coverage_ratio": "share of the records that a proposal has, by side",
    "review_open_cases": "cases that wait for a reviewer",
    "review_oldest_age_seconds": "age of the oldest open case",
    "review_changed_verdicts": "verdicts changed after the confidence was shown",
    "alarm": "1 where the watch raises this alarm, else 0",
}
"""What each metric means, by its name without the prefix."""

HISTOGRAMS = {"workbench_match_confidence": "confidence of the proposals of all matchings watched"}
"""What each histogram means."""


def metrics(found: Watch, configuration: DecisionConfiguration) -> list[Metric]:
    """Write what the watch found as metrics; what is not known is left out rather than 0."""
    return [
        Metric(f"{_PREFIX}{name}", value, labels) for name, value, labels in _gauges(found, configuration)
    ]


def exposition(found: Sequence[Metric]) -> str:
    """Write metrics in Prometheus's text format, such as for a node exporter's textfile folder."""
    lines: list[str] = []
    for name, group in groupby(found, key=_family):
        kind = "histogram" if name in HISTOGRAMS else "gauge"
        lines += [f"# HELP {name} {HISTOGRAMS.get(name) or HELP[name.removeprefix(_PREFIX)]}"]
        lines += [f"# TYPE {name} {kind}"]
        for metric in group:
            labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in metric.labels.items())
            series = f"{metric.name}{{{labels}}}" if labels else metric.name
            lines.append(f"{series} {metric.value!r}")
    return "\n".join([*lines, ""])


def _family(metric: Metric) -> str:
    histogram, _, part = metric.name.rpartition("_")
    return histogram if part in ("bucket", "sum", "count") and histogram in HISTOGRAMS else metric.name


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _gauges(
    found: Watch, configuration: DecisionConfiguration
) -> Iterator[tuple[str, float, dict[str, str]]]:
    gathered = [
        *_of_calibration(found.calibration),
        *_of_certificate(found, configuration),
        *_of_ledgers(found),
    ]
    order = list(HELP)
    return iter(sorted(gathered, key=lambda gauge: order.index(gauge[0])))


def _of_calibration(
    calibration: Mapping[str, ObservedCalibration],
) -> Iterator[tuple[str, float, dict[str, str]]]:
    for origin, one in calibration.items():
        labels = {"origin": origin}
        yield "calibration_error_ratio", one.ece, labels
        yield "calibration_error_floor_ratio", one.ece_floor, labels
        yield "calibration_error_limit_ratio", one.ece_limit, labels
        yield "brier_score", one.brier, labels
        yield "log_loss_nats", one.log_loss, labels
        yield "fresh_labels", float(one.labels), labels


def _of_certificate(
    found: Watch, configuration: DecisionConfiguration
) -> Iterator[tuple[str, float, dict[str, str]]]:
    if found.shift is not None:
        yield "match_ratio", found.shift.trained, {"when": "trained"}
        yield "match_ratio", found.shift.estimated, {"when": "now"}
    yield "certificate_valid", float(found.certificate == "valid"), {}
    accept = configuration.thresholds().accept
    if accept is not None and found.certificate == "valid":
        yield "accept_threshold_ratio", accept, {}
    if found.audit is not None:
        for bound in ("value", "low", "high"):
            yield "audit_precision_ratio", getattr(found.audit.precision, bound), {"bound": bound}
    for alarm in WatchAlarm:
        yield "alarm", float(alarm in found.alarms), {"alarm": alarm.value}


def _of_ledgers(found: Watch) -> Iterator[tuple[str, float, dict[str, str]]]:
    for one in found.drifts:
        yield "drift_psi", one.psi, {"column": one.column}
        yield "drift_psi_limit", one.psi_limit, {"column": one.column}
        yield "missing_ratio", one.missing, {"column": one.column}
        if one.ks is not None:
            yield "drift_ks_ratio", one.ks, {"column": one.column}
    for decision, share in found.coverage.decisions.items():
        yield "decisions_ratio", share, {"decision": decision}
    for side, share in found.coverage.proposed.items():
        yield "coverage_ratio", share, {"side": side}
    if found.backlog is not None:
        yield "review_open_cases", float(found.backlog.open), {}
        yield "review_oldest_age_seconds", found.backlog.oldest_s, {}
        yield "review_changed_verdicts", float(found.backlog.changed), {}
