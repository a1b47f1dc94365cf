"""Watching real systems: their samples and events go to the store while they are collected."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from workbench import __version__
from workbench.errors import StoreError, TargetError
from workbench.monitor.collection import ENGINE, Collection, load_collection
from workbench.monitor.collectors import Look
from workbench.monitor.exposition import exposition
from workbench.monitor.lookout import Lookout, every_step
from workbench.monitor.serving import serve_metrics
from workbench.monitor.tracking import Tracker
from workbench.monitor.watching import watched_points
from workbench.quantities import format_duration
from workbench.settings import Settings, load_settings
from workbench.store import NewRun, RunResult, Store, publish, write_parts
from workbench.tables import EventKind
from workbench.workflows.collection_views import CollectionView, LooksView, view_collection, view_looks
from workbench.workflows.rolling_up import roll_up_run

Say = Callable[[str], None]

_MOST_PENDING = 5_000_000
"""Rows that are kept in memory while the lake cannot be written."""
_ROLL_UP_EVERY_US = 600_000_000
"""How often samples that have grown old are brought together."""


def look_once(file: Path) -> LooksView:
    """Look once at each target of a collection; nothing is stored.

    Raises:
        DocumentError: the file holds what is not allowed.
        TargetError: a recording cannot be read.
    """
    collection = load_collection(file)
    if collection.is_recorded:
        answers: Mapping[str, Look | TargetError] = {
            one.name: next((look for _, look in one.recorded() or ()), Look(())) for one in collection.targets
        }
    else:
        answers = Lookout(collection.targets, timeout=collection.patience).look()
    return view_looks(collection.name, answers)


def collect(
    file: Path,
    *,
    seconds: float | None = None,
    metrics_port: int | None = None,
    metrics_host: str = "127.0.0.1",
    settings: Settings | None = None,
    stop: threading.Event | None = None,
    say: Say = lambda _: None,
) -> CollectionView:
    """Watch the targets of a collection and store what they say as a run, until it is stopped.

    Args:
        file: the collection, a YAML file.
        seconds: how long; without end by default. A recorded collection takes as long as it takes to read.
        metrics_port: where /metrics is served meanwhile; 0 finds a free port.
        metrics_host: the address that it is served on.
        settings: where the lake is.
        stop: ends it when set.
        say: told, in words, what happens.

    Raises:
        DocumentError: the file holds what is not allowed.
        InputError: the port cannot be had.
        TargetError: a recording cannot be read.
        StoreError: the lake cannot be written.
    """
    collection = load_collection(file)
    tracker = Tracker([one.name for one in collection.targets], step=collection.step)
    lock = threading.Lock()  # between the turns and whoever scrapes
    with ExitStack() as stack:
        store = stack.enter_context(Store(settings or load_settings()))
        began = _first_time(collection) if collection.is_recorded else time.time()
        clock = time.monotonic()

        def render() -> str:
            with lock:
                return exposition(watched_points(tracker, now=round((time.monotonic() - clock) * 1e6)))

        if metrics_port is not None:
            server = stack.enter_context(serve_metrics(render, metrics_host, metrics_port))
            say(f"metrics: {server.url}")
        keeper = _Keeper(store, collection, tracker, began=began, say=say)
        say(f"targets: {len(collection.targets)}, every {format_duration(collection.step)}")
        say(f"kept as run {keeper.run_id} in {store.lake}; Ctrl-C ends it")
        try:
            if collection.is_recorded:
                last = _replay(collection, tracker, keeper, began=began)
            else:
                stop = stop or threading.Event()
                last = _watch(collection, tracker, keeper, lock=lock, seconds=seconds, stop=stop)
        except BaseException as error:
            keeper.close(reason=str(error) or type(error).__name__)
            raise
        keeper.close(last=last)
        publish(store)
        return view_collection(store, keeper.run_id, tracker, last=last)


def _watch(
    collection: Collection,
    tracker: Tracker,
    keeper: _Keeper,
    *,
    lock: threading.Lock,
    seconds: float | None,
    stop: threading.Event,
) -> int:
    lookout = Lookout(collection.targets, timeout=collection.patience)

    def turn(at: int) -> None:
        answers = lookout.look()
        with lock:
            _take(tracker, at, answers)
            keeper.turn(at)

    return every_step(turn, step=collection.step, stop=stop, seconds=seconds)


def _take(tracker: Tracker, at: int, answers: Mapping[str, Look | TargetError]) -> None:
    for target, answer in answers.items():
        if isinstance(answer, Look):
            tracker.take(target, at, answer)
        else:
            tracker.miss(target, str(answer))


def _first_time(collection: Collection) -> float:
    """Tell when recorded looks begin."""
    firsts = [next((at for at, _ in one.recorded() or ()), None) for one in collection.targets]
    known = [at for at in firsts if at is not None]
    if not known:
        raise TargetError("the recordings hold no look; allowed: pages, one a line")
    return min(known)


def _replay(collection: Collection, tracker: Tracker, keeper: _Keeper, *, began: float) -> int:
    looks = sorted(
        ((at, one.name, look) for one in collection.targets for at, look in one.recorded() or ()),
        key=lambda entry: entry[0],
    )
    last = 0
    seen: dict[str, int] = {}
    for time_, name, look in looks:
        last = round((time_ - began) * 1e6)
        if last > seen.get(name, -1):  # a page that was fetched twice
            tracker.take(name, last, look)
        seen[name] = last
    keeper.flush(last)
    return last


def _told(event: Mapping[str, Any]) -> str:
    """Put an event that somebody should know of into words; nothing for the others."""
    at = format_duration(event["ts_us"] / 1e6)
    kind = EventKind(event["kind"])
    if kind in (EventKind.DOWN, EventKind.UP):
        return f"{at}: server {event['server_id']} is {kind.label} ({event['detail']})"
    if kind not in (EventKind.GAP_BEGINS, EventKind.GAP_ENDS, EventKind.RESET):
        return ""
    detail = json.loads(event["detail"])
    target = detail["target"]
    match kind:
        case EventKind.GAP_BEGINS:
            return f"{at}: {target}: nothing is known from here on: {detail['reason']}"
        case EventKind.RESET:
            return f"{at}: {target}: counters begin anew: {detail['reason']}"
        case _:
            counted = ", ".join(f"{count:,.0f} {name}" for name, count in detail["counted"].items())
            return f"{at}: {target} is there again; meanwhile {counted or 'nothing counted'}"


class _Keeper:
    """Stores what a tracker has, now and then."""

    def __init__(
        self, store: Store, collection: Collection, tracker: Tracker, *, began: float, say: Say
    ) -> None:
        self._store, self._collection, self._tracker, self._say = store, collection, tracker, say
        self._flushed = 0
        self._begun = time.process_time()
        moment = datetime.fromtimestamp(began, UTC).isoformat()
        text = collection.model_dump_json(include={"name", "description", "step"})
        self.run_id = store.begin_run(
            NewRun(
                key=f"{ENGINE} {collection.name} {moment}",
                scenario=collection.name,
                scenario_json=f'{{"schema":"workbench.collected/1","began":"{moment}",{text[1:]}',
                strategy=ENGINE,
                seed=0,
                replication=0,
                engine=ENGINE,
                version=__version__,
            )
        )
        self._stored, self._rolled_up = False, 0
        self._pending: dict[str, pa.Table] = {}

    def turn(self, at: int) -> None:
        """Store where it is time."""
        if at - self._flushed >= round(self._collection.flush * 1e6):
            self.flush(at)

    def flush(self, at: int, *, last: bool = False) -> None:
        """Store what has come; readers see it at once. What cannot be stored now is tried again."""
        self._flushed = at
        tables = self._tracker.drain(self.run_id)
        for line in map(_told, tables["events"].to_pylist() if "events" in tables else ()):
            if line:
                self._say(line)
        self._pending = _joined(self._pending, tables)
        if self._pending:
            try:
                self._keep(self._pending, at)
            except StoreError as error:
                if last or sum(table.num_rows for table in self._pending.values()) > _MOST_PENDING:
                    raise
                self._say(f"{format_duration(at / 1e6)}: not stored yet, tried again soon: {error}")
                return
            self._pending = {}
        if at - self._rolled_up >= _ROLL_UP_EVERY_US:
            self._roll_up(at)

    def _keep(self, tables: Mapping[str, pa.Table], at: int) -> None:
        parts = write_parts(self._store.files, self.run_id, tables)
        if self._stored:
            self._store.replace_parts([], parts, renew=[self.run_id])
        else:
            self._store.finish_run(self.run_id, self._result(at), parts)
            self._stored = True

    def _roll_up(self, at: int) -> None:
        self._rolled_up = at
        roll_up_run(self._store, self.run_id, self._collection.keep, now_us=at)

    def close(self, *, last: int = 0, reason: str = "") -> None:
        """Store the rest, and how long it went on."""
        try:
            self.flush(max(last, self._flushed), last=True)
            parts = self._store.parts(run_ids=[self.run_id])
            self._store.finish_run(self.run_id, self._result(max(last, self._flushed)), parts)
            self._roll_up(self._flushed)
        except StoreError:
            if not reason:
                raise
        if reason and not self._stored:
            self._store.fail_run(self.run_id, reason)

    def _result(self, at: int) -> RunResult:
        counted = sum(member.counted.get("arrivals", 0.0) for member in self._tracker.members)
        return RunResult(
            requests=round(counted),
            warm_up_us=0,
            end_us=at,
            drained_us=at,
            elapsed_s=time.process_time() - self._begun,
            records=0.0,
        )


_Order = list[tuple[str, Literal["ascending", "descending"]]]
_ORDERS: Mapping[str, _Order] = {
    "samples": [("server_id", "ascending"), ("ts_us", "ascending")],
    "events": [("ts_us", "ascending")],
}


def _joined(old: Mapping[str, pa.Table], new: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Put what could not be stored and what has come since in the order that the store has."""
    return {
        name: pa.concat_tables([one[name] for one in (old, new) if name in one]).sort_by(_ORDERS[name])
        for name in {**old, **new}
    }
