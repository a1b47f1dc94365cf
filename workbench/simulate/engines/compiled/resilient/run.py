"""A run of the compiled engine in which things may fail: requests in the kernel, control by the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from workbench.simulate.engines._base import Progress
from workbench.simulate.engines.compiled.agenda import KIND_SHIFT
from workbench.simulate.engines.compiled.drawing import turn_to
from workbench.simulate.engines.compiled.engine import MOST_FAILING, check_size
from workbench.simulate.engines.compiled.resilient.agenda import NUMBERS
from workbench.simulate.engines.compiled.resilient.desks import ArrayDesk, Waiting
from workbench.simulate.engines.compiled.resilient.gathering import gather_records
from workbench.simulate.engines.compiled.resilient.keeping import WORDS
from workbench.simulate.engines.compiled.resilient.links import Cuts, Held
from workbench.simulate.engines.compiled.resilient.loop import SPARE, TOP
from workbench.simulate.engines.compiled.resilient.machines import ArrayMachine
from workbench.simulate.engines.compiled.resilient.making import draws_of, make_world
from workbench.simulate.engines.compiled.resilient.plugs import Kernel, kernel_for
from workbench.simulate.engines.compiled.resilient.steps import (
    CARRY,
    CONTROL,
    CONTROLLED,
    DONE,
    FOLLOW,
    LEARNT,
    MORE,
    PLACE_ANEW,
    PULL,
    REPLY,
    ROOM,
    STOP,
    WRONG_PICK,
    push,
)
from workbench.simulate.engines.compiled.resilient.tables import table_of
from workbench.simulate.engines.compiled.resilient.world import NOWHERE, Count, Sum, World
from workbench.simulate.engines.reference.attempts import Attempt, Call
from workbench.simulate.engines.reference.balancer import failure, refusal
from workbench.simulate.engines.reference.breakage import Breakage
from workbench.simulate.engines.reference.clock import Clock, Happening
from workbench.simulate.engines.reference.desk import Desk
from workbench.simulate.engines.reference.monitor import Monitor
from workbench.simulate.engines.reference.patrol import Patrol
from workbench.simulate.engines.reference.resilient import Asking, ResilientRun
from workbench.simulate.events import Event
from workbench.simulate.faults import Change, Effect
from workbench.simulate.records import Records
from workbench.simulate.streams import Stream
from workbench.simulate.workload import CHUNK, Chunk, Workload
from workbench.tables import Outcome

Action = Callable[[Happening], None]


class ArrayClock(Clock):
    """A clock whose events are those of the kernel's agenda."""

    def __init__(self, run: CompiledRun) -> None:
        self.run_of = run
        self.actions: dict[int, Action] = {}
        self.made = 0

    @property
    def pending(self) -> int:
        """Number of events that are still to happen."""
        return int(self.run_of.world.counts[Count.EVENTS])

    @property
    def events(self) -> Iterable[tuple[Any, ...]]:
        """Time, kind and number of the events that are still to happen, in no order."""
        agenda = self.run_of.world.agenda[: self.pending]
        kinds, numbers = agenda["code"] >> KIND_SHIFT, agenda["code"] & NUMBERS
        return zip(agenda["time"].tolist(), kinds.tolist(), numbers.tolist(), strict=True)

    def at(self, time: float, kind: int, number: int, action: Action) -> None:
        """Let `action` be called at `time`, in seconds; `number` as in `Kind`."""
        self.actions[self.made] = action
        run, code = self.run_of, int(kind) << KIND_SHIFT | number
        if run.world.counts[Count.EVENTS] + SPARE > len(run.world.agenda):
            run.make_room()
        run.kernel.put(run.table_at, time, code, CONTROLLED | self.made)
        self.made += 1

    def act(self, token: int, number: int, now: float) -> None:
        """Do what was to be done at an event."""
        action = self.actions.pop(token)
        action(Happening(now, number, action))


class ArraySource:
    """Tells the control code whether there will be further requests."""

    answered = None

    def __init__(self, run: CompiledRun) -> None:
        self.run = run

    @property
    def exhausted(self) -> bool:
        """Whether there will be no further request, or nobody is about to send."""
        counts = self.run.world.counts
        if self.run.scenario.closed:
            return bool(counts[Count.THINKING] == 0)
        return bool(counts[Count.LAST] and counts[Count.ARRIVED] >= counts[Count.KNOWN])


class ArrayMonitor(Monitor):
    """A monitor whose detector draws from the kernel's generator."""

    def on_tick(self, event: Happening) -> None:
        """The detector looks at all servers."""
        run: Any = self.run
        self.detector_rng = run.detector_rng_of(self.desk.number)
        super().on_tick(event)


class ArrayBreakage(Breakage):
    """Faults at work on the arrays."""

    def __init__(self, run: CompiledRun) -> None:
        super().__init__(run)
        self.array_run = run
        self.cut = Cuts(run)
        held: Any = Held(run)
        self.held = held

    def change_machine(self, change: Change, now: float) -> None:
        """Let a change to a server take effect."""
        super().change_machine(change, now)
        if change.effect is Effect.FAILING:
            self.array_run.machines_in_arrays[change.server].tell_failing()

    def carry(self, attempt: Any, now: float, arrives: Any) -> None:
        """Carry a message that a partition has held; `arrives` is 1 where it goes back."""
        self.array_run.do(CARRY, attempt, arrives)


class CompiledRun(ResilientRun):
    """A run with faults, checks, retries, queues and clients that give up, its requests in compiled code.

    Faults, checks, detectors' verdicts, weights and the like are dealt with by the code of the reference
    engine, which is written once; it sees the arrays as its servers, desks and clock.

    Raises:
        SimulationError: it cannot be run with arrays.
        NumbaError, TypeError: Numba cannot compile a function of the scenario.
    """

    def __init__(self, workload: Workload, progress: Progress | None = None, *, size: int = CHUNK) -> None:
        self.scenario = scenario = workload.scenario
        self.replication = workload.replication
        self.progress = progress
        self.chunks = workload.chunks(size)
        self.watch = None
        self.events: list[Event] = []
        self.unchecked: set[int] = set()
        settings = scenario.balancers
        rules = settings.retry_rules()
        desks = 1 if settings.view == "shared" else settings.count
        streams = (
            (Stream.BALANCER, settings.count),
            (Stream.FAILOVER, settings.count),
            (Stream.DETECTORS, desks),
        )
        turns = [draws_of([self.stream(use, number) for number in range(count)]) for use, count in streams]
        self.generators = *(rng for rng, _ in turns), self.stream(Stream.CLIENTS), self.stream(Stream.ERRORS)
        uses = ("strategy", "failover", "detector")
        draws = {use: one for use, (_, one) in zip(uses, turns, strict=True)}
        self.kernel: Kernel = kernel_for(scenario)
        expected = min(workload.expected_requests() or 0, MOST_FAILING)
        world = make_world(scenario, rules, draws, desks=desks, requests=int(expected))
        self.replace(**world._asdict())
        self.kept = np.zeros(WORDS, np.int64)
        self.kernel.tell(self.kept.ctypes.data, *self.generators, *self.kernel.plugs)
        array_clock: Any = ArrayClock(self)
        self.clock = array_clock
        self.machines_in_arrays = [ArrayMachine(index, self) for index in range(len(self.world.machines))]
        machines: Any = self.machines_in_arrays
        self.machines = machines
        names = scenario.keys.names() if scenario.keys else []
        self.desks: list[Desk] = [ArrayDesk(number, self, names, rules) for number in range(desks)]
        self.patrol = Patrol(self)
        source: Any = ArraySource(self)
        self.source = source
        self.monitors: list[Monitor] = [ArrayMonitor(self, desk) for desk in self.desks]
        self.breakage = ArrayBreakage(self)

    def go(self) -> Records:
        """Simulate to the end.

        Raises:
            SimulationError: the strategy failed or picked what is no server, or a request would wait for
                ever.
        """
        self.drive(TOP)
        return self.records()

    def drive(self, down_to: int) -> None:
        """Let the kernel work until what lies above a depth of its stack is done, or all is over."""
        advance, kept = self.kernel.compiled, self.kept.ctypes.data
        while True:
            try:
                reason = advance(self.table_at, kept, down_to)
            except Exception as error:
                raise failure(self.scenario.balancers.strategy, error) from error
            if reason == DONE:
                return
            self.heed(reason)

    def heed(self, reason: int) -> None:
        """Deal with what the kernel has stopped for."""
        counts, now = self.world.counts, float(self.world.sums[Sum.NOW])
        desk, server, result = (int(counts[place]) for place in (Count.DESK, Count.SERVER, Count.RESULT))
        if reason == MORE:
            self.more()
        elif reason == ROOM:
            self.make_room()
        elif reason == CONTROL:
            self.clock.act(server, desk, now)  # type: ignore[attr-defined]
        elif reason == STOP:
            self.machines_in_arrays[server].on_stop(now)
        elif reason == FOLLOW:
            self.monitors[desk].follow(server, now)
        elif reason == LEARNT:
            self.monitors[desk].heed(server, result, now)
        elif reason == WRONG_PICK:
            raise refusal(self.scenario.balancers.strategy, result, len(self.machines))

    def do(self, step: int, about: int, first: int = 0) -> None:
        """Let the kernel do a step, and all that follows from it at this instant."""
        self.make_room()
        depth = int(self.world.counts[Count.DEPTH])
        push(self.plain, step, about, first, 0)
        self.drive(depth)

    def replace(self, **arrays: Any) -> None:
        """Put other arrays in the place of some."""
        self.world: World = World(**{**getattr(self, "arrays", {}), **arrays})
        self.arrays = self.world._asdict()
        self.plain: World = _plain(self.world)
        self.table = table_of(self.world)
        self.table_at = int(self.table.ctypes.data)

    def make_room(self) -> None:
        """See to it that there is room for one more step in every array."""
        world, counts = self.world, self.world.counts
        used = {
            "agenda": counts[Count.EVENTS],
            "attempts": counts[Count.ATTEMPTS],
            "calls": counts[Count.CALLS],
            "stack": counts[Count.DEPTH],
        }
        full = [name for name, count in used.items() if count + SPARE > len(getattr(world, name))]
        if full:
            self.replace(**{name: _longer(getattr(world, name)) for name in full})
        room = world.booked.shape[1]
        if room and int(world.budgets["count"].max()) + SPARE > room:
            self.replace(booked=_unrolled(world))

    def more(self) -> bool:
        """Take the next chunk of the workload; False where there is none."""
        counts = self.world.counts
        if self.progress is not None:
            self.progress(int(counts[Count.ARRIVED]))
        chunk = next(self.chunks, None)
        if chunk is None:
            counts[Count.LAST] = 1
            return False
        begin, end = int(counts[Count.KNOWN]), int(counts[Count.KNOWN]) + len(chunk)
        check_size(end, most=MOST_FAILING)
        while end > len(self.world.requests):
            self.replace(requests=_longer(self.world.requests, at_least=end))
        self._fill(self.world.requests[begin:end], chunk)
        counts[Count.KNOWN] = end
        return True

    def _fill(self, rows: Any, chunk: Chunk) -> None:
        rows["think" if self.scenario.closed else "arrival"] = chunk.arrival
        rows["demand"], rows["balancer"], rows["key"] = chunk.demand, chunk.balancer, chunk.key
        if chunk.patience is not None:
            rows["patience"] = chunk.patience

    def members(self, which: int) -> list[int]:
        """Give the attempts of a list in order."""
        attempts, found = self.plain.attempts, []
        one = int(self.plain.lists[which].first)
        while one != NOWHERE:
            found.append(one)
            one = int(attempts[one].behind)
        return found

    def detector_rng_of(self, desk: int) -> Any:
        """Give the generator of the detectors, with the stream of a desk in it."""
        w, counts = self.world, self.world.counts
        before = int(counts[Count.DETECTING])
        turn_to(w.detector_bank, w.detector_numbers, w.detector_left_over, before, desk)
        counts[Count.DETECTING] = desk
        return self.generators[2]

    def pull(self, desk: Desk, server: int, now: float) -> None:
        """Let a server with room take the requests that wait for it at a desk."""
        if desk.room is not None and len(desk.room):
            self.do(PULL, desk.number, server)

    def place_anew(self, desk: Desk, attempt: Any, now: float) -> None:
        """Let a balancer pick for a request that has waited in its queue."""
        waited: Waiting = attempt
        self.do(PLACE_ANEW, waited.attempt)

    def lose(self, attempt: Any, now: float) -> None:
        """A server has crashed with a request in it."""
        self.do(REPLY, attempt, int(Outcome.RESET))

    @property
    def finished(self) -> bool:
        """Whether all requests have arrived and all have been answered."""
        return self.source.exhausted and self.world.counts[Count.IN_SYSTEM] == 0

    @property
    def moved(self) -> float:  # type: ignore[override]
        """When a request last came to a server, or an attempt was over, seconds."""
        return float(self.world.sums[Sum.MOVED])

    @property
    def arrival(self) -> Any:  # type: ignore[override]
        """When each request arrived, seconds."""
        return self.world.requests["arrival"]

    @property
    def asking(self) -> dict[int, Asking]:  # type: ignore[override]
        """Requests whose clients still wait; with its open calls only the first, for a message."""
        arrived = self.world.requests[: self.world.counts[Count.ARRIVED]]
        left = {int(request): Asking() for request in np.flatnonzero(arrived["asking"])}
        if left:
            first = min(left)
            left[first].calls = self._calls(first)
        return left

    def _calls(self, request: int) -> list[Call]:
        plain, found = self.plain, []
        number = int(plain.requests[request].first_call)
        while number != NOWHERE:
            row = plain.calls[number]
            one, attempt = (
                Call(request, int(row.balancer), int(row.number), float(row.first)),
                int(row.attempt),
            )
            one.attempt = Attempt(attempt, one, float(plain.attempts[attempt].came))
            one.attempt.server = int(plain.attempts[attempt].server)
            one.attempt.queued = int(plain.attempts[attempt].queued)
            found.append(one)
            number = int(row.next)
        return found

    @property
    def until(self) -> float:
        """When arrivals ended: the horizon where that is a time, else the last arrival, seconds."""
        horizon, arrived = self.scenario.horizon, int(self.world.counts[Count.ARRIVED])
        if horizon is not None and horizon.seconds is not None:
            return horizon.seconds
        return float(self.arrival[arrived - 1]) if arrived else 0.0

    def records(self) -> Records:
        """Gather what became of the requests and of each attempt."""
        self.patrol.check_answers()
        return gather_records(self.world, self.events, self.until)


def _plain(world: World) -> World:
    """Give the same arrays so that interpreted code reads and writes fields by name."""
    arrays: list[Any] = [rows.view(np.recarray) if _has_fields(rows) else rows for rows in world]
    return World(*arrays)


def _has_fields(rows: Any) -> bool:
    return isinstance(rows, np.ndarray) and rows.dtype.names is not None


def _longer(rows: Any, *, at_least: int = 0) -> Any:
    """Give an array that is twice as long, with the same beginning."""
    longer = np.zeros((max(2 * len(rows), at_least), *rows.shape[1:]), rows.dtype)
    longer[: len(rows)] = rows
    return longer


def _unrolled(world: World) -> Any:
    """Give rings that are twice as long, each beginning at its head."""
    old = world.booked
    longer = np.zeros((len(old), 2 * old.shape[1]), old.dtype)
    for budget, (row, head) in enumerate(zip(old, world.budgets["head"], strict=True)):
        longer[budget, : old.shape[1]] = np.roll(row, -int(head))
    world.budgets["head"] = 0
    return longer
