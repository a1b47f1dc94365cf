"""Sending what the outbox holds: attempts, back-off, breakers, dead letters.

One thread, which calls `start` and `collect`, keeps the books; others only talk to receivers, so
that a slow one holds up nobody else.
"""

from __future__ import annotations

import queue
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import NamedTuple

from numpy.random import Generator

from workbench.alerts.audit import Audit
from workbench.alerts.breaker import Breaker, BreakerPolicy
from workbench.alerts.channels import Answer, Channel, Verdict
from workbench.alerts.database import Database
from workbench.alerts.messages import Message
from workbench.alerts.outbox import Letter, Outbox, Place
from workbench.alerts.remembering import Remembered
from workbench.alerts.secrets import Vault
from workbench.errors import InputError
from workbench.quantities import format_duration

_BREAKERS = "breakers"


@dataclass(frozen=True)
class RetryPolicy:
    """When a letter is tried again; times in seconds.

    Args:
        first: mean wait after the first failure; each further one doubles it.
        longest: most that the mean wait grows to.
        give_up_after: age at which a letter that still fails is dead.
        longest_asked: most that a receiver's Retry-After is heeded.
    """

    first: float = 1.0
    longest: float = 300.0
    give_up_after: float = 86_400.0
    longest_asked: float = 3600.0

    def wait(self, failures: int, draw: float) -> float:
        """Say how long to wait after so many failures.

        Args:
            failures: 1 or more.
            draw: uniform on 0 to 1; the wait is between half and one and a half of its mean, so that
                letters that failed together do not come again together.
        """
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 60)) * (0.5 + draw)


class _Ended(NamedTuple):
    letter: Letter
    attempt_id: int
    answer: Answer


def attempt(channel: Channel, message: Message, *, key: str, vault: Vault, now: float) -> Answer:
    """Try once to deliver; whatever happens is an answer."""
    try:
        answer = channel.send(message, key=key, vault=vault, now=now)
    except InputError as error:
        return Answer(Verdict.TEMPORARY, vault.hide(str(error)))
    except Exception as error:
        # A channel may be anybody's; its fault must not end the sender.
        return Answer(Verdict.TEMPORARY, vault.hide(f"{type(error).__name__} in the channel: {error}"))
    return answer


class Sender:
    """Sends the letters of an outbox.

    Args:
        database: where the outbox, the audit and the breakers are kept.
        channels: by receiver and number.
        vault: where channels read secrets.
        clock: time of day, in seconds.
        rng: draws the jitter.
        retry: when letters are tried again.
        breaker: when channels are left alone.
        at_once: letters of one channel that may be under way, each of another group; 1 or more.
    """

    def __init__(
        self,
        database: Database,
        channels: Mapping[Place, Channel],
        *,
        vault: Vault,
        clock: Callable[[], float],
        rng: Generator,
        retry: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        at_once: int = 4,
    ) -> None:
        self._database, self._channels, self._vault = database, channels, vault
        self._outbox, self._audit, self._remembered = Outbox(database), Audit(database), Remembered(database)
        self._clock, self._rng = clock, rng
        self._retry, self._policy = retry or RetryPolicy(), breaker or BreakerPolicy()
        self._at_once = at_once
        self._under_way: defaultdict[Place, set[str]] = defaultdict(set)
        self._ended: queue.SimpleQueue[_Ended] = queue.SimpleQueue()
        self._pools: dict[Place, ThreadPoolExecutor] = {}
        kept = self._remembered.load(_BREAKERS)
        self._breakers = {place: Breaker(**kept.get(_name(place), {})) for place in channels}
        self._audit.interrupt(now=clock())

    def start(self) -> int:
        """Start all attempts that may be made now, and say how many."""
        return sum(self._start(place) for place in self._outbox.places())

    def collect(self, timeout: float) -> int:
        """Wait until an attempt ends, at most so many seconds, and write down all that have; say how many."""
        ended = 0
        try:
            self._settle(self._ended.get(timeout=timeout) if timeout > 0 else self._ended.get_nowait())
            ended += 1
            while True:
                self._settle(self._ended.get_nowait())
                ended += 1
        except queue.Empty:
            return ended

    @property
    def busy(self) -> int:
        """Attempts that are under way."""
        return sum(len(groups) for groups in self._under_way.values())

    def next_at(self) -> float | None:
        """Say when there is something to start, in seconds; None until an attempt ends or a letter comes."""
        times = [self._next_at(place) for place in self._outbox.places()]
        return min((time for time in times if time is not None), default=None)

    def states(self) -> dict[Place, str]:
        """Say of each channel whether its breaker is closed, open or trying."""
        now = self._clock()
        return {place: breaker.state(now, self._policy) for place, breaker in self._breakers.items()}

    def close(self) -> None:
        """Wait for the attempts under way, none of which outlasts its timeout, and write them down."""
        while self.busy:
            self.collect(1.0)
        for pool in self._pools.values():
            pool.shutdown()

    def _start(self, place: Place) -> int:
        now = self._clock()
        busy = self._under_way[place]
        channel = self._channels.get(place)
        room = self._at_once if channel is None else self._room(place, now)
        letters = self._outbox.heads(place, now=now, limit=room + len(busy)) if room > 0 else []
        free = [letter for letter in letters if letter.message.group_key not in busy][: max(0, room)]
        for letter in free:
            if channel is None:
                gone = f"receiver {place.receiver} has no channel {place.channel} any more"
                self._outbox.bury(letter, gone, now=now)
            else:
                self._send(letter, channel, now)
        return len(free)

    def _room(self, place: Place, now: float) -> int:
        capacity = self._breakers[place].capacity(now, self._policy, most=self._at_once)
        return capacity - len(self._under_way[place])

    def _send(self, letter: Letter, channel: Channel, now: float) -> None:
        place, message, key = letter.place, letter.message, letter.key
        number = letter.attempts + 1
        attempt_id = self._audit.begin(message, key=key, address=channel.address, number=number, now=now)
        if place not in self._pools:
            self._pools[place] = ThreadPoolExecutor(
                self._at_once, thread_name_prefix=f"send-{place.receiver}"
            )
        self._under_way[place].add(message.group_key)

        def work() -> None:
            answer = attempt(channel, message, key=key, vault=self._vault, now=now)
            self._ended.put(_Ended(letter, attempt_id, answer))

        self._pools[place].submit(work)

    def _settle(self, ended: _Ended) -> None:
        letter, attempt_id, answer = ended
        place, now = letter.place, self._clock()
        before = self._breakers[place]
        asked = answer.retry_after
        if asked is not None and asked > self._retry.longest_asked:
            answer = Answer(answer.verdict, answer.detail, answer.status, self._retry.longest_asked)
        self._breakers[place] = after = before.after(answer, self._policy, now=now)
        with self._database.writing():
            self._audit.end(attempt_id, answer, now=now)
            if answer.verdict is Verdict.DELIVERED:
                self._outbox.delivered(letter, now=now)
            elif answer.verdict is Verdict.PERMANENT:
                self._outbox.bury(letter, answer.detail, now=now)
            else:
                self._try_later(letter, answer, now)
            if after != before:
                self._remembered.save(_BREAKERS, {_name(place): asdict(after)})
        self._under_way[place].discard(letter.message.group_key)

    def _try_later(self, letter: Letter, answer: Answer, now: float) -> None:
        failures = letter.attempts + 1
        if now - letter.created >= self._retry.give_up_after:
            age = format_duration(now - letter.created)
            gave_up = f"gave up after {failures} attempts in {age}: {answer.detail}"
            self._outbox.bury(letter, gave_up, now=now)
            return
        wait = max(self._retry.wait(failures, self._rng.random()), answer.retry_after or 0.0)
        self._outbox.delay(letter, answer.detail, due=now + wait)

    def _next_at(self, place: Place) -> float | None:
        busy = self._under_way[place]
        due = self._outbox.next_due(place, but_for=busy)
        if place not in self._channels or due is None:
            return due
        breaker = self._breakers[place]
        if breaker.capacity(max(due, breaker.until), self._policy, most=self._at_once) <= len(busy):
            return None
        return max(due, breaker.until)


def _name(place: Place) -> str:
    return f"{place.receiver}/{place.channel}"
