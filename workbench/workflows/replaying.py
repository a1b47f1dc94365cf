"""Replaying a recorded run of a real balancer, to learn how far the simulator can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import InputError
from workbench.quantities import format_duration
from workbench.simulate import Strategy, read_strategy
from workbench.traces import (
    Overhead,
    Recording,
    Replay,
    configured_strategy,
    read_overhead,
    read_recording,
    replay_forced,
    replay_free,
    replay_stepwise,
)
from workbench.traces.overhead import overhead_of
from workbench.workflows.results import Number, View, shown

_MOST_SHARES = 8
"""Servers whose shares a row shows; the JSON has all."""


class LatencyView(BaseModel):
    """Latencies from the scheduled arrival to the answer: seconds, or errors, simulated / recorded - 1."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    mean: Number
    p50: Number
    p95: Number
    p99: Number


class ModeView(BaseModel):
    """What one simulation made of the recorded requests."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    same_server: float
    """Share of the requests answered by a server that went to the same one, 0 to 1."""
    error: LatencyView
    shares: list[float]
    """Each server's share of the requests, 0 to 1."""


class StatusesView(BaseModel):
    """How often the proxy answered with each status."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    status: int
    recorded: int
    simulated: int


class TurnView(BaseModel):
    """A server that went out of service, or came back."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    server: str
    what: Literal["out", "back"]
    recorded: float | None
    """When the proxy's log says so, seconds from the start of the recording; null where it says nothing."""
    simulated: float | None


class FailoverView(BaseModel):
    """What a server that was killed did to the requests."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    victim: str
    killed: float
    """Seconds from the start of the recording."""
    ready: float
    """When it took connections again."""
    statuses: list[StatusesView]
    retried_recorded: int | None
    """Requests that took more than one attempt; null without the proxy's log."""
    retried_simulated: int
    turns: list[TurnView]


class ReplayView(View):
    """A recorded run beside simulations of its requests."""

    schema_: Literal["workbench.replay/1"] = Field("workbench.replay/1", alias="schema")
    recording: str
    strategy: str
    seed: int
    """Of the strategy's own draws."""
    requests: int
    servers: list[str]
    overhead: dict[str, float]
    """Seconds from client to proxy (`f1`), proxy to server (`f2`), and back (`r1`, `r2`)."""
    recorded: LatencyView
    recorded_shares: list[float]
    free: ModeView
    """Free running: the strategy chose from the simulated state."""
    forced: ModeView | None
    """Forced to the recorded choices: the error that remains is that of queues and times.

    Null where a server was killed or requests waited in the proxy.
    """
    step_same_server: float | None
    """Step by step: share of the choices, each from the recorded state, that are the recorded ones.

    Null as `forced` is.
    """
    failover: FailoverView | None
    """Where a server was killed: what came of it."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["", "same server", "mean", "p50", "p95", "p99", "shares, %"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text: times as recorded, then errors."""
        times = [shown(value) for value in _values(self.recorded)]
        rows = [["recorded", "", *times, _shares(self.recorded_shares)], ["free running", *_mode(self.free)]]
        if self.forced is not None and self.step_same_server is not None:
            rows.append(["forced", *_mode(self.forced)])
            rows.append(["step by step", _percent(self.step_same_server), "", "", "", "", ""])
        return rows

    def title(self) -> str:
        """Give the line above the table."""
        return f"{self.recording}: {self.requests} requests under {self.strategy} (seed {self.seed})"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        times = ", ".join(f"{name} {format_duration(value)}" for name, value in self.overhead.items())
        modes = "; forced takes the recorded choices, step by step makes each choice from the recorded state"
        return [
            *_failover(self.failover),
            f"errors are simulated / recorded - 1{modes if self.forced is not None else ''}",
            f"overhead: {times}; the simulator splits f2 + r1 evenly, which changes no pick and no latency",
        ]


def _failover(failover: FailoverView | None) -> list[str]:
    if failover is None:
        return []
    counts = ", ".join(f"{one.status}: {one.recorded} / {one.simulated}" for one in failover.statuses)
    known = "?" if failover.retried_recorded is None else str(failover.retried_recorded)
    turns = [
        f"{one.server} {one.what}: {_instant(one.recorded)} / {_instant(one.simulated)}"
        for one in failover.turns
    ]
    return [
        f"{failover.victim} was killed at {failover.killed:.3f} s and ready again at {failover.ready:.3f} s",
        f"recorded / simulated: {counts}; retried: {known} / {failover.retried_simulated}",
        *([f"recorded / simulated: {'; '.join(turns)}"] if turns else []),
    ]


def _instant(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.3f} s"


def _values(latency: LatencyView) -> list[float | None]:
    return [latency.mean, latency.p50, latency.p95, latency.p99]


def _mode(mode: ModeView) -> list[str]:
    errors = ["–" if value is None else f"{100 * value:+.2f} %" for value in _values(mode.error)]
    return [_percent(mode.same_server), *errors, _shares(mode.shares)]


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _shares(shares: Sequence[float]) -> str:
    shown = " ".join(f"{100 * share:.1f}" for share in shares[:_MOST_SHARES])
    return shown if len(shares) <= _MOST_SHARES else f"{shown} ..."


def replay(
    recording: Path | str,
    *,
    strategy: Strategy | str | None = None,
    overhead: Sequence[float] | None = None,
    seed: int = 1,
) -> ReplayView:
    """Simulate a recorded run's requests under the configuration that lies beside it.

    Args:
        recording: TAG.csv.gz, beside which TAG.meta.json lies.
        strategy: in place of the configured one.
        overhead: microseconds from client to proxy, proxy to server, server to proxy and proxy to
            client; by default those of `overhead_us.json` beside the recording or one folder above,
            0 without it.
        seed: of the strategy's own draws, 0 to 2^63 - 1.

    Raises:
        TraceError: the recording or what lies beside it is missing or corrupt.
        InputError: the run needs what the simulator lacks, or an argument cannot be used.
    """
    found = read_recording(Path(recording))
    if not 0 <= seed < 2**63:
        raise InputError(f"seed: given {seed}; allowed: 0 to 2^63 - 1")
    chosen = _strategy(found, strategy)
    proxy = found.setup.proxy
    added = read_overhead(found.file, proxy) if overhead is None else overhead_of(overhead)
    return _view(found, chosen, added, seed)


def _strategy(recording: Recording, given: Strategy | str | None) -> Strategy:
    if isinstance(given, Strategy):
        return given
    if given is not None:
        return read_strategy(given)
    setup = recording.setup
    try:
        return configured_strategy(setup.proxy, setup.balance, setup.extra)
    except InputError as error:
        raise InputError(f"{recording.meta_file}: {error}") from None


def _view(recording: Recording, strategy: Strategy, overhead: Overhead, seed: int) -> ReplayView:
    free = replay_free(recording, strategy, overhead, seed=seed)
    steady = recording.killed is None and not recording.setup.maxconn
    steps = replay_stepwise(recording, strategy, seed=seed) if steady else None
    return ReplayView(
        recording=recording.tag,
        strategy=strategy.label,
        seed=seed,
        requests=len(recording),
        servers=recording.names,
        overhead=overhead._asdict(),
        recorded=_latencies(recording.latency),
        recorded_shares=_share(recording.server, len(recording.names)),
        free=_compare(recording, free),
        forced=_compare(recording, replay_forced(recording, overhead)) if steady else None,
        step_same_server=None if steps is None else float(np.mean(steps == recording.server)),
        failover=None if recording.killed is None else _failover_view(recording, recording.killed, free),
    )


def _failover_view(recording: Recording, killed: float, simulated: Replay) -> FailoverView:
    seen = sorted({*recording.status.tolist(), *simulated.status.tolist()})
    log = recording.log
    return FailoverView(
        victim=recording.names[recording.setup.victim],
        killed=killed,
        ready=recording.ready,
        statuses=[
            StatusesView(
                status=status,
                recorded=int(np.count_nonzero(recording.status == status)),
                simulated=int(np.count_nonzero(simulated.status == status)),
            )
            for status in seen
        ],
        retried_recorded=None if log is None else log.retried,
        retried_simulated=simulated.retried,
        turns=[
            *_turns(recording, "out", [] if log is None else log.downs, simulated.downs),
            *_turns(recording, "back", [] if log is None else log.ups, simulated.ups),
        ],
    )


def _turns(
    recording: Recording,
    what: Literal["out", "back"],
    recorded: list[tuple[float, int]],
    simulated: list[tuple[float, int]],
) -> list[TurnView]:
    pairs = zip_longest(recorded, simulated)
    return [
        TurnView(
            server=recording.names[(real or ours or (0.0, 0))[1]],
            what=what,
            recorded=None if real is None else real[0],
            simulated=None if ours is None else ours[0],
        )
        for real, ours in pairs
    ]


def _compare(recording: Recording, simulated: Replay) -> ModeView:
    ours, real = _latencies(simulated.latency), _latencies(recording.latency)
    pairs = zip(LatencyView.model_fields, _values(ours), _values(real), strict=True)
    return ModeView(
        same_server=float(np.mean((simulated.server == recording.server)[recording.server >= 0])),
        error=LatencyView(**{name: _error(mine, theirs) for name, mine, theirs in pairs}),
        shares=_share(simulated.server, len(recording.names)),
    )


def _error(simulated: float | None, recorded: float | None) -> float | None:
    return simulated / recorded - 1 if simulated is not None and recorded else None


def _latencies(seconds: NDArray[np.float64]) -> LatencyView:
    p50, p95, p99 = np.quantile(seconds, (0.5, 0.95, 0.99)).tolist()
    return LatencyView(mean=float(seconds.mean()), p50=p50, p95=p95, p99=p99)


def _share(server: NDArray[np.int64], count: int) -> list[float]:
    sent = np.bincount(server[server >= 0], minlength=count)
    return [float(share) for share in sent / len(server)]
