"""Looking at targets: all at once and again and again, whatever any of them does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.errors import TargetError
from workbench.monitor.collectors import Collector, Look


@dataclass
class _Asking:
    """A question under way in a thread of its own."""

    collector: Collector
    timeout: float
    answer: Look | Exception | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        # Daemons, so that a system that never answers does not keep the process from ending.
        self.thread = threading.Thread(target=self._ask, name=f"look {self.collector.name}", daemon=True)
        self.thread.start()

    def _ask(self) -> None:
        try:
            self.answer = self.collector.look(timeout=self.timeout)
        except Exception as error:
            self.answer = error


class Lookout:
    """Asks targets, each in a thread; a slow one holds up nobody.

    Args:
        targets: the systems.
        timeout: longest wait for an answer, seconds.
    """

    def __init__(self, targets: Sequence[Collector], *, timeout: float) -> None:
        self._targets = targets
        self._timeout = timeout
        self._asked: dict[str, _Asking] = {}

    def look(self) -> Mapping[str, Look | TargetError]:
        """Ask all; one that has not answered the last question yet is not asked another."""
        late = {name for name, asking in self._asked.items() if asking.thread.is_alive()}
        for target in self._targets:
            if target.name not in late:
                self._asked[target.name] = _Asking(target, self._timeout)
        until = time.monotonic() + self._timeout
        return {
            target.name: self._unanswered()
            if target.name in late
            else self._answer(self._asked[target.name], until)
            for target in self._targets
        }

    def _answer(self, asking: _Asking, until: float) -> Look | TargetError:
        asking.thread.join(max(0.0, until - time.monotonic()))
        answer = asking.answer
        if answer is None:
            return self._unanswered()
        if isinstance(answer, Look | TargetError):
            return answer
        raise answer

    def _unanswered(self) -> TargetError:
        return TargetError(f"no answer within {self._timeout:g} s")


def every_step(
    turn: Callable[[int], None],
    *,
    step: float,
    stop: threading.Event,
    seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Call `turn` at 0, step, 2 step ... until it is stopped; steps that could not be kept are left out.

    Args:
        turn: told the time since the beginning, microseconds.
        step: seconds.
        stop: ends it when set.
        seconds: how long at most; the last turn is at its end.
        clock: seconds, never going back.

    Returns:
        The time of the last turn, microseconds.
    """
    began, last, number = clock(), -1, 0
    while not stop.is_set():
        at = max(last + 1, round((clock() - began) * 1e6))
        turn(at)
        last = at
        if seconds is not None and at >= round(seconds * 1e6):
            break
        number = max(number + 1, int((clock() - began) / step) + 1)
        due = number * step if seconds is None else min(number * step, seconds)
        stop.wait(max(0.0, began + due - clock()))
    return max(last, 0)
