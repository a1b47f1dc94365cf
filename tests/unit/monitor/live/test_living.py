"""Live runs in a store: what is kept while they go on, and what becomes of commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import ConflictError, InputError, NotFoundError
from workbench.settings import Settings
from workbench.store import NewCommand, Store
from workbench.workflows import live_commands, resume_live, show_live

COUNTS = "select sum(arrivals)::BIGINT as arrivals, sum(completions)::BIGINT as completions from samples"
COUNTED = ("arrivals", "completions", "refused", "queue_max", "oldest_us")
TABLES = ("requests", "samples", "attempts", "summaries", "histograms")


@contextmanager
def running(content: dict[str, Any], settings: Settings, **given: Any) -> Iterator[int]:
    """Let a live run go on in a thread, and end it where it has not ended."""
    stop, failed = threading.Event(), []

    def work() -> None:
        try:
            wb.live(content | {"horizon": "10h"}, settings=settings, stop=stop, **given)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    before = len(wb.lives(settings=settings).lives)
    thread.start()
    try:
        until = time.monotonic() + 20
        while len(wb.lives(settings=settings).lives) == before:
            assert time.monotonic() < until
            time.sleep(0.01)
        yield wb.lives(settings=settings).lives[0].run_id
    finally:
        stop.set()
        thread.join(60)
    assert not failed


def test_a_run_to_which_nobody_speaks_stores_what_a_plain_run_stores(
    content: dict[str, Any], settings: Settings
):
    content |= {"sample_every": "100ms", "balancers": {"strategy": "round_robin", "breaker": {}}}
    plain = wb.run(content, settings=settings)
    live = wb.live(content, speed="max", settings=settings).live
    assert live.state == "stopped"
    with Store(settings) as store:
        assert live.requests == live.answered == store.run(plain.run_id).requests
        for table in TABLES:
            one, other = (
                store.read_table(table, run_id=run_id).drop_columns("run_id")
                for run_id in (plain.run_id, live.run_id)
            )
            if table == "samples":
                one, other = (each.select(["server_id", "ts_us", *COUNTED]) for each in (one, other))
            assert one.equals(other), table
    assert wb.show(live.run_id, settings=settings).response == plain.response


def test_a_command_is_applied_recorded_and_answered(content: dict[str, Any], settings: Settings):
    with running(content, settings, speed=20, sample_every=1) as run_id:
        applied = wb.command(run_id, "server 2 drain", author="ann", reason="it lags", settings=settings)
        refused = wb.command(run_id, "weight 9=1", settings=settings)
        with Store(settings) as store:
            rows = store.query(
                "select kind, server_id, ts_us, detail from events where kind = 'command'"
            ).to_pylist()
    (one,), (other,) = applied.commands, refused.commands
    assert (one.state, one.author, one.reason, one.result) == ("applied", "ann", "it lags", "web-2 drain")
    assert (other.state, other.result[:18]) == ("refused", "server: given '9';")
    assert rows[-1] == {
        "kind": "command",
        "server_id": 2,
        "ts_us": round(one.at_s * 1e6),
        "detail": "server 2 drain (command 1 of ann: it lags)",
    }
    states = [command.state for command in live_commands(run_id, settings=settings).commands]
    assert states == ["applied", "refused", "applied"]  # the last one ended it


ALL_AT_ONCE = """
    select (select count(*) from samples) as samples,
        (select sum(completions) from samples)::BIGINT as completions,
        (select sum(n) from histograms where server_id is null and timing = 'response')::BIGINT as tallied,
        (select count(*) from requests) as requests
"""


def later(run_id: int, settings: Settings, than: float) -> float:
    """Wait until a run has stored more than until some simulated time; return until when."""
    until = time.monotonic() + 60
    while (at := show_live(run_id, settings=settings).live.at_s) <= than:
        assert time.monotonic() < until
        time.sleep(0.02)
    return at


def test_samples_are_there_while_the_run_goes_on(content: dict[str, Any], settings: Settings):
    with running(content, settings, speed=5, sample_every=0.5) as run_id, Store(settings) as store:
        at = 0.0
        for _ in range(2):
            at = later(run_id, settings, at)
            (row,) = store.query(ALL_AT_ONCE).to_pylist()
            assert row["samples"] >= 4 * at / 0.5
            assert row["completions"] == row["tallied"] == row["requests"] > 0


@pytest.mark.slow
def test_the_pace_is_that_of_the_clock(content: dict[str, Any], settings: Settings):
    with running(content, settings, speed=4, sample_every=0.1) as run_id:
        first, begun = show_live(run_id, settings=settings).live.at_s, time.monotonic()
        while show_live(run_id, settings=settings).live.at_s == first:
            time.sleep(0.005)
        first, begun = show_live(run_id, settings=settings).live.at_s, time.monotonic()
        time.sleep(1.5)
        last = show_live(run_id, settings=settings).live.at_s
        while show_live(run_id, settings=settings).live.at_s == last:
            time.sleep(0.005)
        gone = show_live(run_id, settings=settings).live.at_s - first
        assert gone / (time.monotonic() - begun) == pytest.approx(4, rel=0.25)


def test_a_paused_run_stands_still_and_obeys(content: dict[str, Any], settings: Settings):
    with running(content, settings, speed=10, sample_every=0.5) as run_id:
        wb.command(run_id, "pause", settings=settings)
        stood = show_live(run_id, settings=settings).live
        at = wb.command(run_id, "strategy=least_connections", settings=settings).commands[0].at_s
        for _ in range(2):
            wb.command(run_id, "server 1 drain", settings=settings)
            wb.command(run_id, "server 1 ready", settings=settings)
        still = show_live(run_id, settings=settings).live
        assert (still.state, still.at_s, still.strategy) == ("paused", stood.at_s, "least_connections")
        assert at == stood.at_s
        assert resume_live(run_id, settings=settings).live.state == "running"
        later(run_id, settings, stood.at_s)
        with pytest.raises(ConflictError, match="given one that is running; allowed: one that crashed"):
            resume_live(run_id, settings=settings)


def test_a_run_that_is_stopped_is_complete(content: dict[str, Any], settings: Settings):
    with running(content, settings, speed=5, sample_every=0.5) as run_id:
        later(run_id, settings, 0.0)
        at = wb.command(run_id, "stop", settings=settings).commands[0].at_s
    view = wb.show(run_id, settings=settings)
    with Store(settings) as store:
        assert store.run(run_id).end_us == round(at * 1e6)
        last = store.query("select max(arrival_us) as at from requests").to_pylist()[0]["at"]
        assert store.query(COUNTS).to_pylist()[0]["completions"] == store.run(run_id).requests
    assert last <= at * 1e6
    assert view.outcomes["ok"] == view.requests > 0
    with pytest.raises(InputError, match="has stopped"):
        wb.command(run_id, "rate 2", settings=settings)
    with pytest.raises(InputError, match="has ended"):
        resume_live(run_id, settings=settings)


def test_a_command_that_comes_too_late_is_refused(content: dict[str, Any], settings: Settings):
    with Store(settings) as store:

        def committed(_: int) -> None:
            if late["number"] == 0 and store.run(1).state == "running":
                late["number"] = store.catalogue.lives.send(1, NewCommand("rate 2", "ann"))

        late = {"number": 0}
        # The only commit is the last one, after which nobody looks for commands.
        wb.live(content, speed="max", settings=settings, commit_every=1e9, committed=committed)
        (one,) = store.catalogue.lives.commands(1)
    assert (one.state, one.result) == ("refused", "the run had ended")


def test_several_runs_go_on_at_once_and_each_obeys_its_own_commands(
    content: dict[str, Any], settings: Settings
):
    with (
        running(content, settings, speed=10, sample_every=0.5) as one,
        running(content, settings, speed=10, sample_every=0.5) as other,
    ):
        wb.command(one, "strategy=random", settings=settings)
        standing = {live.run_id: live.strategy for live in wb.lives(settings=settings).lives}
        assert standing == {one: "random", other: "round_robin"}
    assert {live.state for live in wb.lives(settings=settings).lives} == {"stopped"}


@pytest.mark.slow
def test_a_run_with_commands_adds_up_afterwards(content: dict[str, Any], settings: Settings):
    """Counts from samples and histograms are those of the requests, quantiles within the stated error."""
    with running(content, settings, speed=40, sample_every=1) as run_id:
        for text in ("rate 1.5", "server 0 slow=2", "strategy=least_connections", "server 1 drain"):
            wb.command(run_id, text, settings=settings)
        with Store(settings) as store:
            sketch = store.query(
                "select middle_us, sum(n)::BIGINT as n from histograms where server_id is null "
                "and timing = 'response' group by all order by middle_us"
            )
            exact = np.sort(store.query("select response_us from requests")["response_us"].to_numpy())
    assert sketch["n"].to_numpy().sum() == len(exact) > 1000
    ranks = np.cumsum(sketch["n"].to_numpy())
    for quantile in (0.5, 0.9, 0.99, 0.999):
        rank = int(quantile * (len(exact) - 1))
        found = sketch["middle_us"].to_numpy()[np.searchsorted(ranks, rank, side="right")]
        assert found == pytest.approx(exact[rank], rel=0.0099 + 1e-6)


@pytest.mark.slow
def test_a_run_in_a_process_of_its_own_is_started_and_stopped(content: dict[str, Any], settings: Settings):
    live = wb.start_live(content, speed=10, sample_every=0.5, settings=settings).live
    assert live.state == "running"
    assert wb.command(live.run_id, "stop", settings=settings).commands[0].state == "applied"
    until = time.monotonic() + 20
    while show_live(live.run_id, settings=settings).live.state != "stopped":
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"speed": 0}, "speed: given '0'"),
        ({"speed": "fast"}, "above 0, or max"),
        ({"until": -1.0}, "until: given -1"),
        ({"sample_every": 0.0}, "every: given 0"),
        ({"strategy": "nginx.hash"}, "keys: given none"),
    ],
)
def test_what_cannot_be_run_is_refused_before_it_begins(
    content: dict[str, Any], settings: Settings, given: dict[str, Any], said: str
):
    for begin in (wb.live, wb.start_live):
        with pytest.raises(InputError, match=said):
            begin(content, settings=settings, **given)
    assert wb.lives(settings=settings).lives == []


def test_a_run_that_is_not_there_is_named(settings: Settings):
    for ask in (lambda: wb.command(7, "pause", settings=settings), lambda: show_live(7, settings=settings)):
        with pytest.raises(NotFoundError, match="no live run 7"):
            ask()
