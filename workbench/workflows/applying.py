"""Applying versions of a configuration to balancers that run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from workbench.configuration import (
    TARGETS,
    ApplicationState,
    BalancerConfiguration,
    ConfigurationBook,
    Ending,
    Guard,
    Journal,
    Observation,
    Outcome,
    Standing,
    Step,
    Target,
    Version,
    check_left,
    check_usable,
    chosen_balancer,
    make_steps,
    only_applier,
    parse_guard,
    read_target,
    steps_between,
    take_back,
    watch,
)
from workbench.errors import InputError, TargetError
from workbench.quantities import parse_duration
from workbench.settings import Settings, load_settings
from workbench.versions import Change
from workbench.workflows.application_view import ApplicationView, ObservationView, StepView
from workbench.workflows.configuration_views import ConfigurationDifferenceView
from workbench.workflows.configuring import now, opened_book, opened_file, view_changes

_STATES = {
    Ending.KEPT: ApplicationState.KEPT,
    Ending.TAKEN_BACK: ApplicationState.ROLLED_BACK,
    Ending.STUCK: ApplicationState.FAILED,
}
_KILLED = "the process that applied it was killed"


def apply_configuration(
    version: int | None = None,
    *,
    target: Target | str | None = None,
    watch_for: float | str | None = None,
    guards: Sequence[str] | None = None,
    dry_run: bool = False,
    force: bool = False,
    author: str = "",
    at: datetime | None = None,
    balancer: str | None = None,
    settings: Settings | None = None,
) -> ApplicationView:
    """Make a version live on a balancer that runs, read back, and put it back if a guard fires.

    What an earlier call left half done, since its process was killed, is put back first.

    Args:
        version: which one; the one that holds by default.
        target: the balancer that runs, or its label such as
            `haproxy(socket=/run/haproxy.sock, backend=web)`; the configuration's own by default.
        watch_for: how long to watch, such as `60s`; the configuration's own by default.
        guards: what must not happen meanwhile, such as `errors > 2 %`; the configuration's own by default.
        dry_run: list the steps and make none.
        force: even if no usable server is left.
        author: who applies it; needed unless it is a dry run.
        at: when; now by default.
        balancer: whose configuration; the only one there is by default.
        settings: where the lake is.

    Raises:
        InputError: there is no target, or no usable server would be left.
        ConflictError: another process applies a version to the target.
        TargetError: the balancer does not answer.
        StoreError: the configurations cannot be read or written.
    """
    if not dry_run and not author.strip():
        raise InputError("author: given nothing; allowed: a text, kept with what is applied")
    with opened_file(settings) as file:
        book = ConfigurationBook(file, chosen_balancer(file, balancer))
        found = book.holding() if version is None else book.one(version)
        goal = _target(found.configuration, target, settings)
        chosen = [parse_guard(text) for text in guards or found.configuration.guards]
        lasts = found.configuration.watch if watch_for is None else parse_duration(watch_for)
        with only_applier(file.file.parent, goal.address):
            journal = Journal(file)
            recovered = "" if dry_run else _recover(journal, goal)
            standing, before = goal.current(), goal.observe()
            steps = steps_between(standing, found.configuration.standing(), carries=goal.carries)
            if not force:
                check_usable(found.configuration)
                check_left(standing, steps)
            draft = ApplicationView(
                balancer=book.balancer,
                version=found.version,
                target=goal.address,
                state="not applied" if steps else "nothing to do",
                told="",
                steps=[StepView(**vars(step)) for step in steps],
                guards=[guard.text for guard in chosen],
                watched_s=0.0,
                before=_observed(before),
                after=None,
                version_after=found.version,
                recovered=recovered,
                notes=_notes(found.configuration, standing, goal),
            )
            if dry_run or not steps:
                return draft
            job = _Job(journal, book, found.version, goal, steps, chosen, lasts, before, author, at or now())
            return draft.model_copy(update=job.run())


@dataclass(frozen=True)
class _Job:
    """One application, from its note in the journal to its end there."""

    journal: Journal
    book: ConfigurationBook
    version: int
    target: Target
    steps: Sequence[Step]
    guards: Sequence[Guard]
    lasts: float
    before: Observation
    author: str
    at: datetime

    def run(self) -> dict[str, object]:
        """Apply, watch and note the end; give what the view says of it."""
        number = self.journal.begin(
            self.book.balancer, self.version, self.target, self.steps, author=self.author, at=self.at
        )
        outcome = make_steps(self.target, self.steps)
        if outcome is None:
            self.journal.watching(number)
            outcome = self._watched()
        state, held = _STATES[outcome.ending], self.version
        if state is ApplicationState.ROLLED_BACK:
            saved = self.journal.roll_back(number, self._earlier(), at=now(), told=outcome.told)
            held = saved.version if saved else held
        else:
            self.journal.end(number, state, at=now(), told=outcome.told)
        return {
            "state": state.value,
            "told": outcome.told,
            "watched_s": outcome.watched,
            "after": None if outcome.observed is None else _observed(outcome.observed),
            "version_after": held,
        }

    def _watched(self) -> Outcome:
        if self.lasts <= 0:
            return Outcome(Ending.KEPT, "", None, 0.0)
        return watch(
            self.target,
            self.steps,
            self.guards,
            self.before,
            lasts=self.lasts,
            clock=time.monotonic,
            sleep=time.sleep,
        )

    def _earlier(self) -> Version | None:
        """Find the version to return to: the last one that the target kept, else the one before."""
        kept = self.journal.last_kept(self.book.balancer, self.target.address)
        number = kept if kept is not None and kept != self.version else self.version - 1
        return self.book.one(number) if number >= 1 else None


def recover_configuration(
    *, target: Target | str | None = None, balancer: str | None = None, settings: Settings | None = None
) -> str:
    """Put back what an application left behind whose process was killed.

    Args:
        target: the balancer that runs, or its label; by default that of the configuration that holds.
        balancer: whose configuration; the only one there is by default.
        settings: where the lake is.

    Returns:
        What was put back; empty where nothing was left behind.

    Raises:
        InputError: there is no target.
        ConflictError: the process still runs.
        TargetError: the balancer does not answer, or could not be put back.
    """
    with opened_book(balancer, settings) as book, opened_file(settings) as file:
        goal = _target(book.holding().configuration, target, settings)
        with only_applier(book.file.parent, goal.address):
            return _recover(Journal(file), goal)


def compare_with_target(
    version: int | None = None,
    *,
    target: Target | str | None = None,
    balancer: str | None = None,
    settings: Settings | None = None,
) -> ConfigurationDifferenceView:
    """Compare a balancer that runs with a version of its configuration.

    Args:
        version: which one; the one that holds by default.
        target: the balancer that runs, or its label; the configuration's own by default.
        balancer: whose configuration; the only one there is by default.
        settings: where the lake is.

    Raises:
        InputError: there is no target.
        TargetError: the balancer does not answer.
    """
    with opened_book(balancer, settings) as book:
        found = book.holding() if version is None else book.one(version)
    goal = _target(found.configuration, target, settings)
    standing = goal.current()
    steps = steps_between(standing, found.configuration.standing(), carries=goal.carries)
    places = [
        Change(f"servers.{one.place}" if one.server else one.place, one.before, one.after) for one in steps
    ]
    return ConfigurationDifferenceView(
        balancer=book.balancer,
        before=goal.address,
        after=f"version {found.version}",
        changes=view_changes(places),
        notes=_notes(found.configuration, standing, goal),
    )


def _target(
    configuration: BalancerConfiguration, given: Target | str | None, settings: Settings | None
) -> Target:
    chosen = read_target(given) if isinstance(given, str) else given or configuration.target
    if chosen is None:
        raise InputError(
            f"target: given none, by --target or in the configuration; allowed: one of {', '.join(TARGETS)}, "
            "such as 'haproxy(socket=/run/haproxy/admin.sock, backend=web)'"
        )
    return chosen.within((settings or load_settings()).lake)


def _recover(journal: Journal, target: Target) -> str:
    left = journal.unfinished(target.address)
    if left is None:
        return ""
    outcome = take_back(target, left.steps, _KILLED, observed=None, watched=0.0)
    journal.end(left.application_id, _STATES[outcome.ending], at=now(), told=outcome.told)
    if outcome.ending is Ending.STUCK:
        raise TargetError(
            f"{target.address}: version {left.version}, applied by {left.author}: {outcome.told}"
        )
    return f"version {left.version}, applied by {left.author}, was put back: {outcome.told}"


def _notes(configuration: BalancerConfiguration, standing: Standing, target: Target) -> list[str]:
    """Say what of the configuration the balancer that runs does not follow."""
    wanted = configuration.servers
    notes = []
    if missing := [name for name in wanted if name not in standing.servers]:
        notes.append(f"not there in {target.address}, so left out: {', '.join(missing)}")
    if others := [name for name in standing.servers if name not in wanted]:
        notes.append(f"there but not in the configuration, so left alone: {', '.join(others)}")
    if "limit" not in target.carries and any(one.limit for one in wanted.values()):
        notes.append("limits of servers cannot be changed while it runs")
    strategy, runs = configuration.balancers.strategy, standing.settings.get("balance")
    if runs and strategy.kind not in (f"haproxy.{runs.replace('-', '_')}", "haproxy.hash"):
        notes.append(
            f"it runs balance {runs}, not {strategy.label}, which cannot be changed while it runs: "
            "`workbench config export` writes it for a reload"
        )
    return notes


def _observed(observation: Observation) -> ObservationView:
    return ObservationView(**vars(observation))
