"""What runs and comparisons say, in the form that every face of the workbench shows.

Each model is also the JSON that the command line prints with `--json`; its `schema` names the form
and only ever gains keys under the same number.
"""

from __future__ import annotations

import html
import math
from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from workbench.experiments.against_theory import Agreement
from workbench.quantities import format_duration
from workbench.workflows.theory_views import TheoryView


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite)]
"""A finite number; null where there is none."""


class View(BaseModel):
    """A result that shows itself: as text on a terminal, as a table in a notebook, as JSON."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        frozen=True,
        serialize_by_alias=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    @abstractmethod
    def columns(self) -> list[str]:
        """Give the headings of the table."""

    @abstractmethod
    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""

    @abstractmethod
    def title(self) -> str:
        """Give the line above the table."""

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return []

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(remark)}</p>" for remark in self.remarks())
        return f"<p><b>{html.escape(self.title())}</b></p>{_html_table(self.columns(), self.rows())}{lines}"

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return "\n".join(
            [self.title(), *("  ".join(row) for row in [self.columns(), *self.rows()]), *self.remarks()]
        )


def _html_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(columns, 'th')}</thead><tbody>{body}</tbody></table>"


class Statistics(BaseModel):
    """How a time is distributed over the requests that ended well, seconds."""

    model_config = ConfigDict(frozen=True)

    mean: Number
    p50: Number
    p90: Number
    p95: Number
    p99: Number
    p99_9: Number
    max: Number


class ServerView(BaseModel):
    """One server's part in a run."""

    model_config = ConfigDict(frozen=True)

    server_id: int
    name: str
    requests: int
    share: float
    utilisation: float
    refused: int
    response_mean: Number
    response_p99: Number


class OutageView(BaseModel):
    """What one fault of one server came to; times in seconds, goodput in ok requests a second."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    fault: str
    server: str | None
    """The server's name; null where the fault is about none."""
    begin_s: float
    end_s: Number
    """Null where it lasts to the end of the run."""
    detected_s: Number
    """From its begin until a balancer sent no more there; null where none noticed."""
    ejected_s: Number
    """From its begin until all balancers sent no more there."""
    back_s: Number
    """From its end until all of them send there again."""
    settled_s: Number
    """From its end until no more requests were in the system than before, on average; null if not in time."""
    sent: int
    """Attempts sent to the server while it lasted."""
    failed: int
    """Requests that arrived while it lasted and did not end ok."""
    retried: int
    """Requests that arrived while it lasted and took several attempts."""
    goodput_before_per_s: Number
    goodput_during_per_s: Number
    goodput_after_per_s: Number

    def line(self) -> str:
        """Tell it in a line."""
        until = "to the end" if self.end_s is None else f"for {shown(self.end_s - self.begin_s)}"
        times = {
            "detected after": self.detected_s,
            "ejected after": self.ejected_s,
            "back after": self.back_s,
            "settled after": self.settled_s,
        }
        told = [f"{name} {shown(value)}" for name, value in times.items() if value is not None]
        if self.detected_s is None:
            told.insert(0, "noticed by no balancer")
        if self.end_s is not None and self.settled_s is None:
            told.append("not settled before arrivals ended")
        rates = (self.goodput_before_per_s, self.goodput_during_per_s, self.goodput_after_per_s)
        goodput = ", ".join("–" if rate is None else _rate(rate) for rate in rates)
        return (
            f"{self.fault}{f' of {self.server}' if self.server else ''} at {shown(self.begin_s)} {until}: "
            f"{', '.join(told)}; {self.sent:,} sent there, {self.failed:,} requests failed; "
            f"goodput before, during, after: {goodput}/s"
        )


_OUTAGES_TOLD = 10
"""Outages that are told on a terminal; all of them stand in the JSON and in the store."""


class RunView(View):
    """One run after its warm-up."""

    schema_: Literal["workbench.run/1"] = Field("workbench.run/1", alias="schema")
    run_id: int
    scenario: str
    strategy: str
    seed: int
    replication: int
    engine: str
    """What simulated it: `reference` or `compiled`; the records are the same."""
    engine_reason: str
    """Why this engine."""
    reused: bool
    """Whether it lay in the store already."""
    lake: str
    balancers: int
    """Balancers that share the pool."""
    window_s: float
    """Length of the measured window, seconds."""
    requests: int
    outcomes: dict[str, int]
    attempts: int
    """Sendings of requests, or where nothing can fail requests."""
    retried: int
    """Requests that took more than one attempt."""
    goodput_per_s: float
    utilisation: float
    response: Statistics
    wait: Statistics
    imbalance: Number
    jain: Number
    mean_in_system: Number
    little_residual: Number
    elapsed_s: float
    """Processor time that simulating took, seconds."""
    servers: list[ServerView]
    outages: list[OutageView]
    """What broke, in the order of the begin; over the whole run."""
    theory: TheoryView | None = None
    """What queueing theory says of it."""
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["", *(name.replace("_", ".") for name in Statistics.model_fields)]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [label, *(shown(value) for value in statistics.model_dump().values())]
            for label, statistics in (("response time", self.response), ("waiting time", self.wait))
        ]

    def title(self) -> str:
        """Give the line above the table."""
        origin = ", from the store" if self.reused else ""
        return f"run {self.run_id}: {self.scenario} under {self.strategy} (seed {self.seed}{origin})"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        others = [f"{count:,} {name}" for name, count in self.outcomes.items() if name != "ok" and count]
        lines = [
            f"{self.requests:,} requests in {format_duration(self.window_s)}: "
            + ", ".join([f"{self.outcomes['ok']:,} ok", *others]),
            f"goodput {_rate(self.goodput_per_s)}/s, utilisation {100 * self.utilisation:.1f} %"
            + (f", imbalance {self.imbalance:.3f} (largest/mean)" if self.imbalance is not None else ""),
        ]
        if self.balancers > 1 and self.mean_in_system is not None:
            each = self.mean_in_system / (self.balancers * len(self.servers))
            lines.append(
                f"each of {self.balancers} balancers had {self.requests / self.balancers:,.0f} requests for "
                f"{len(self.servers)} servers, and on average {each:.3g} in flight at a server"
            )
        if self.attempts != self.requests:
            lines.append(
                f"{self.attempts:,} attempts, {self.attempts / max(1, self.requests):.3f} a request; "
                f"{self.retried:,} requests took more than one"
            )
        lines += [outage.line() for outage in self.outages[:_OUTAGES_TOLD]]
        if len(self.outages) > _OUTAGES_TOLD:
            lines.append(f"and {len(self.outages) - _OUTAGES_TOLD:,} more outages")
        if self.little_residual is not None:
            lines.append(f"Little's law holds to {self.little_residual:.1e}")
        lines += [] if self.theory is None else self.theory.lines()
        lines.append(f"{self.engine} engine: {self.engine_reason}")
        return lines + [f"note: {note}" for note in self.notes]


class StandingView(BaseModel):
    """How one strategy stands in a comparison; seconds, each replication's values in order."""

    model_config = ConfigDict(frozen=True)

    strategy: str
    value: Number
    low: Number
    high: Number
    difference: Number
    difference_low: Number
    difference_high: Number
    relative: Number
    """The difference as a share of the best's value."""
    verdict: str
    values: list[Number]
    run_ids: list[int]
    engine: str = ""
    """What simulated it: `reference`, `compiled`, or both where some runs lay in the store."""
    quantiles: dict[str, Number]
    """Response time p50 to p99_9, mean over the replications."""
    theory: TheoryView | None = None
    """What queueing theory says of it."""


class ComparisonView(View):
    """Strategies on the same requests, the best first."""

    schema_: Literal["workbench.comparison/1"] = Field("workbench.comparison/1", alias="schema")
    comparison_id: int
    scenario: str
    lake: str
    measure: str
    measure_label: str
    replications: int
    level: float
    method: str
    method_text: str
    standings: list[StandingView]
    reused: int
    """Runs that lay in the store already."""
    simulated: int
    """Runs that were simulated for this comparison."""
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        measure = self.measure.replace("_", " ", 1).replace("_", ".")
        return ["strategy", measure, "vs best", "verdict"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        best = next((one.value for one in self.standings if one.verdict == "best"), None)
        return [_standing_row(standing, best) for standing in self.standings]

    def title(self) -> str:
        """Give the line above the table."""
        percent = f"{100 * self.level:.0f} %"
        return (
            f"comparison {self.comparison_id}: {self.scenario}, {self.replications} replications "
            f"(in brackets {percent} intervals)"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [self.answer(), self.method_text, *self._theory(), *(f"note: {note}" for note in self.notes)]

    def _theory(self) -> list[str]:
        """Tell what theory says of each strategy, and of those that it says nothing of in one line."""
        known = [(one.strategy, one.theory) for one in self.standings if one.theory is not None]
        silent = [name for name, theory in known if theory.verdict == Agreement.NO_FORMULA]
        lines = [f"theory, {name}: {theory.short()}" for name, theory in known if name not in silent]
        if silent:
            lines.append(f"theory: no exact formula for {', '.join(silent)} (why: --json)")
        return lines

    def answer(self) -> str:
        """Say in one sentence which strategy is best and which are not told apart from it."""
        named = {
            verdict: [one.strategy for one in self.standings if one.verdict == verdict] for verdict in _EQUALS
        }
        if not named["best"]:
            return "answer: none; some replication had no request that ended well"
        close = named["same"] + named["not told apart"]
        also = f"; not told apart from it: {', '.join(close)}" if close else ""
        return f"answer: {named['best'][0]}{also}"


_EQUALS = ("best", "same", "not told apart")


def _standing_row(standing: StandingView, best: float | None) -> list[str]:
    own = f"{shown(standing.value)} ({shown_range(standing.low, standing.high)})"
    if standing.verdict in ("best", "no answer", "same") or not best:
        return [standing.strategy, own, "", standing.verdict]
    apart = [standing.difference, standing.difference_low, standing.difference_high]
    value, low, high = (math.nan if one is None else 100 * one / best for one in apart)
    digits = 1 if max(abs(low), abs(high)) < 10 else 0
    text = f"{value:+.{digits}f} % ({low:+.{digits}f} to {high:+.{digits}f})"
    return [standing.strategy, own, text, standing.verdict]


class RunLine(BaseModel):
    """One run in a list."""

    model_config = ConfigDict(frozen=True)

    run_id: int
    scenario: str
    strategy: str
    seed: int
    replication: int
    engine: str
    state: str
    reason: str | None
    started: datetime
    requests: int | None
    utilisation: Number
    response_mean: Number
    response_p99: Number


class RunsView(View):
    """Runs of a lake, the newest first."""

    schema_: Literal["workbench.runs/1"] = Field("workbench.runs/1", alias="schema")
    lake: str
    runs: list[RunLine]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return [
            "run",
            "scenario",
            "strategy",
            "repl.",
            "state",
            "requests",
            "load",
            "mean",
            "p99",
            "started",
        ]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                str(run.run_id),
                run.scenario,
                run.strategy,
                str(run.replication),
                run.state,
                "-" if run.requests is None else f"{run.requests:,}",
                "-" if run.utilisation is None else f"{100 * run.utilisation:.0f} %",
                shown(run.response_mean),
                shown(run.response_p99),
                f"{run.started:%Y-%m-%d %H:%M}",
            ]
            for run in self.runs
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{len(self.runs)} runs in {self.lake}"


def shown(seconds: float | None) -> str:
    """Write seconds for a table, `-` where there are none."""
    if seconds is None:
        return "-"
    return f"-{format_duration(-seconds)}" if seconds < 0 else format_duration(seconds)


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}" if per_second >= 1000 else f"{per_second:.4g}"


def shown_range(low: float | None, high: float | None) -> str:
    """Write an interval of seconds, its unit once where both ends have the same."""
    left, right = shown(low), shown(high)
    number, _, unit = left.partition(" ")
    return f"{number}–{right}" if unit and right.endswith(f" {unit}") else f"{left} – {right}"
