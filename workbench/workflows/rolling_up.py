"""Samples of the store at coarser steps, once they have grown old."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from workbench.errors import InputError
from workbench.monitor.rollup import Coarser, in_order, roll_up
from workbench.quantities import format_duration
from workbench.settings import Settings, load_settings
from workbench.store import Part, Run, Store, publish, write_parts
from workbench.tables import SAMPLES
from workbench.workflows.stored import ActionsView, cells

_ROWS_AT_ONCE = 2_000_000


def roll_up_samples(
    rules: Sequence[tuple[float, float]],
    *,
    run_ids: Sequence[int] = (),
    now: datetime | None = None,
    settings: Settings | None = None,
) -> ActionsView:
    """Bring old samples of complete runs together at coarser steps; every count is kept.

    The age of a sample is that of its moment where a run was collected, else that of its run.

    Args:
        rules: pairs of an age and the step from that age on, seconds, such as (86400, 60).
        run_ids: only these runs; all by default.
        now: the time of day, in UTC; now by default.
        settings: where the lake is.

    Raises:
        InputError: no rule, an age or step of 0, or longer steps for lesser ages.
        NotFoundError: there is no such run.
        StoreError: the lake cannot be read or written.
    """
    chosen_rules = _rules(rules)
    moment = now or datetime.now(UTC)
    done = []
    with Store(settings or load_settings()) as store:
        chosen = [store.run(number) for number in run_ids] or store.runs(state="complete")
        for run in reversed(chosen):
            before, after = roll_up_run(store, run.run_id, chosen_rules, now_us=_clock(run, moment))
            if after < before:
                done.append((run.run_id, run.scenario, before, after))
        if done:
            publish(store)
    gone = sum(before - after for _, _, before, after in done)
    told = "; ".join(f"{format_duration(step)} from {format_duration(age)} on" for age, step in rules)
    return ActionsView(
        action="roll-up",
        summary=f"{gone:,} samples of {len(done):,} runs went into others" if done else "nothing is that old",
        headings=["run", "scenario", "samples", "then samples"],
        done=cells(done),
        notes=[f"steps: {told}"],
    )


def _rules(pairs: Sequence[tuple[float, float]]) -> list[Coarser]:
    given = ", ".join(f"{age:g}s={step:g}s" for age, step in pairs) or "nothing"
    allowed = "ages and steps of more than 0, longer steps for greater ages"
    if not pairs or any(age <= 0 or step <= 0 for age, step in pairs):
        raise InputError(f"roll-up: given {given}; allowed: {allowed}")
    rules = [Coarser(after=age, step=step) for age, step in pairs]
    if not in_order(rules):
        raise InputError(f"roll-up: given {given}; allowed: {allowed}")
    return rules


def _clock(run: Run, moment: datetime) -> int:
    """Say what a run's clock would show now, microseconds; one that was simulated grows old as a whole."""
    ended = run.finished or run.started
    return (run.end_us or 0) + max(0, round((moment - ended).total_seconds() * 1e6))


def roll_up_run(store: Store, run_id: int, rules: Sequence[Coarser], *, now_us: int) -> tuple[int, int]:
    """Bring the old samples of a run together, some files at a time.

    Args:
        store: the lake.
        run_id: the run.
        rules: from which age on which step.
        now_us: what the run's clock shows, microseconds.

    Returns:
        How many samples it had, and has.
    """
    before = after = sum(part.rows for part in store.parts("samples", [run_id]))
    for rule in sorted(rules, key=lambda one: one.after):
        limit = now_us - round(rule.after * 1e6)
        if limit > 0:
            after -= sum(_roll_up(store, parts, rule, limit) for parts in _together(store, run_id, limit))
    return before, after


def _together(store: Store, run_id: int, limit: int) -> Iterator[list[Part]]:
    """Group the files that begin before a moment, so that no two groups overlap in time."""
    group: list[Part] = []
    for part in sorted(store.parts("samples", [run_id]), key=lambda one: one.min_us or 0):
        if (part.min_us or 0) >= limit:
            break
        full = sum(one.rows for one in group) >= _ROWS_AT_ONCE
        if full and (part.min_us or 0) > max(one.max_us or 0 for one in group):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _roll_up(store: Store, parts: Sequence[Part], rule: Coarser, limit: int) -> int:
    """Replace some files by one with fewer samples; say how many went, none where another was faster."""
    run_id, rows = parts[0].run_id, sum(part.rows for part in parts)
    low = min(part.min_us or 0 for part in parts)
    high = max(part.max_us or 0 for part in parts)
    source = store.relation_sql("samples", run_ids=[run_id])
    found = store.query(
        f"select * from {source} where ts_us between {low} and {high} order by server_id, ts_us", views=()
    )
    samples = found.select(SAMPLES.names).cast(SAMPLES)
    if samples.num_rows != rows:  # files that came meanwhile reach into this time
        return 0
    rolled = roll_up(samples, step_us=round(rule.step * 1e6), before_us=limit)
    if rolled.num_rows == rows:
        return 0
    new = write_parts(store.files, run_id, {"samples": rolled})
    return rows - rolled.num_rows if store.replace_parts(parts, new, renew=[run_id]) else 0
