"""A circuit breaker: leaves a failing channel alone, and tries it with one letter after a while."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workbench.alerts.channels import Answer, Verdict

CLOSED, OPEN, TRYING = "closed", "open", "trying"


@dataclass(frozen=True)
class BreakerPolicy:
    """When a channel is left alone, and for how long.

    Args:
        failures: temporary failures in a row that open it.
        rest: how long it stays open at first, seconds; each failed trial doubles that.
        longest_rest: most that it stays open, seconds.
    """

    failures: int = 5
    rest: float = 15.0
    longest_rest: float = 300.0


@dataclass(frozen=True)
class Breaker:
    """The state of one channel's breaker; each change gives a new one.

    Args:
        failures: temporary failures in a row.
        until: nothing is sent before this time, in seconds.
        rests: how often in a row it was opened.
    """

    failures: int = 0
    until: float = 0.0
    rests: int = 0

    def state(self, now: float, policy: BreakerPolicy) -> str:
        """Say whether letters go (`closed`), none (`open`) or one to see (`trying`)."""
        if now < self.until:
            return OPEN
        return TRYING if self.failures >= policy.failures else CLOSED

    def capacity(self, now: float, policy: BreakerPolicy, *, most: int) -> int:
        """Say how many letters may be under way at once."""
        return {OPEN: 0, TRYING: 1, CLOSED: most}[self.state(now, policy)]

    def after(self, answer: Answer, policy: BreakerPolicy, *, now: float) -> Breaker:
        """Give the state after an attempt.

        A receiver that refuses one message for good is alive, so only temporary failures count. One
        that names a time (Retry-After) is left alone until then, however often it has failed.
        """
        if answer.verdict is not Verdict.TEMPORARY:
            return Breaker()
        until = max(self.until, now + (answer.retry_after or 0.0))
        failed = replace(self, failures=self.failures + 1, until=until)
        if failed.failures < policy.failures or now < self.until:
            return failed
        rest = min(policy.longest_rest, policy.rest * 2.0**self.rests)
        return replace(failed, until=max(until, now + rest), rests=self.rests + 1)
