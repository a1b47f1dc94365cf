"""Recording a run of a real balancer, which a simulation can then be compared with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.quantities import format_duration
from workbench.traces.recorder import (
    Lag,
    Session,
    Verdict,
    claim_place,
    find_load,
    judge,
    read_plan,
    run_session,
    write_recording,
)
from workbench.traces.recorder.plan import Bounds, Plan
from workbench.workflows.results import View


class LagView(BaseModel):
    """How much later than it should something happened, seconds."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    what: str
    median: float
    p95: float
    p99: float
    most: float


class RecordingView(View):
    """A run of a real proxy, and whether it counts as good."""

    schema_: Literal["workbench.recording/1"] = Field("workbench.recording/1", alias="schema")
    recording: str
    """The name of the run."""
    file: str
    """Where its requests are: TAG.csv.gz, or TAG.refused.csv.gz of a run that is not good."""
    version: str
    """Of the proxy, as it says itself."""
    balance: str
    requests: int
    took: float
    """From the start to the last answer, seconds."""
    good: bool
    reasons: list[str]
    """Why the run does not count as good."""
    overhead: dict[str, float]
    """Medians of the idle system, seconds: client to proxy (`f1`), to server (`f2`), back (`r1`, `r2`)."""
    lags: list[LagView]
    bounds: LagView
    """What is allowed."""
    stalls: dict[str, float]
    """The longest time, seconds, for which each process did not run though it should have."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["late by", "median", "p95", "p99", "most"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        worst = max(self.stalls, key=self.stalls.__getitem__)
        return [
            *(_row(lag) for lag in self.lags),
            [f"{worst} did not run", "", "", "", format_duration(self.stalls[worst])],
            _row(self.bounds),
        ]

    def title(self) -> str:
        """Give the line above the table."""
        seconds = format_duration(self.took)
        state = "good" if self.good else "REFUSED"
        return f"{self.recording}: {state}; {self.requests} requests under {self.balance} in {seconds}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        times = ", ".join(f"{name} {format_duration(value)}" for name, value in self.overhead.items())
        about = [self.version, f"overhead of the idle system: {times}"]
        if self.good:
            return [*about, f"written to {self.file}; next: workbench replay {self.file}"]
        return [
            *about,
            *(f"refused: {reason}" for reason in self.reasons),
            f"kept apart as {self.file}, for a look only; what else runs on this machine? "
            "--scheduling fifo, as root, keeps it away",
        ]


def _row(lag: LagView) -> list[str]:
    return [lag.what, *(format_duration(value) for value in (lag.median, lag.p95, lag.p99, lag.most))]


def record(
    setup: Path | str,
    *,
    out: Path | str = "recordings",
    name: str | None = None,
    scheduling: str | None = None,
    replace: bool = False,
    report: Callable[[float, float | None], None] | None = None,
) -> RecordingView:
    """Run a real proxy in front of servers of known service times and write down every request.

    Args:
        setup: a YAML document, or TAG.meta.json of a recording, whose requests are sent once more if
            they lie beside it.
        out: the folder to write to.
        name: of the files, in place of the document's.
        scheduling: `normal` or `fifo`, in place of the document's.
        replace: write over a recording of the same name.
        report: told now and then how many requests are due by now, and of how many.

    Returns:
        What was recorded; it is `good` only where client and servers kept their times.

    Raises:
        DocumentError: the document holds what is not allowed.
        InputError: the proxy or the scheduling is not there or does not accept what is asked, or a recording
            of this name exists.
        RecordingError: a process does not start or ends before its time, or a file cannot be written.
    """
    plan = read_plan(Path(setup), name=name, scheduling=scheduling)
    load = find_load(Path(setup), plan)
    place = claim_place(Path(out), plan.name, replace=replace)
    session = run_session(plan, load, report)
    verdict = judge(session.taken, plan, session.overhead, session.log)
    file = write_recording(place, plan, session, verdict)
    return _view(plan, session, verdict, file)


def _view(plan: Plan, session: Session, verdict: Verdict, file: Path) -> RecordingView:
    return RecordingView(
        recording=plan.name,
        file=str(file),
        version=session.version,
        balance=plan.balance,
        requests=len(session.taken.load),
        took=session.took,
        good=not verdict.reasons,
        reasons=verdict.reasons,
        overhead=session.overhead._asdict(),
        lags=[_lag(lag) for lag in verdict.lags],
        bounds=_allowed(plan.bounds),
        stalls=verdict.stalls,
    )


def _lag(lag: Lag) -> LagView:
    return LagView(**lag._asdict())


def _allowed(bounds: Bounds) -> LagView:
    return LagView(what="allowed", **bounds.model_dump())
