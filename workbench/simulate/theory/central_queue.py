"""One queue with several slots: M/M/c, with and without a bound on those who wait.

Formulas: Gross, Shortle, Thompson and Harris, Fundamentals of Queueing Theory, 4th ed. (2008),
sections 2.3 to 2.5; the closed model: section 2.8.
"""

from __future__ import annotations

import math

from workbench.simulate.theory.times import Times


def erlang_c(slots: int, load: float) -> float:
    """Give the probability that a request waits in M/M/c.

    Args:
        slots: requests served at once, 1 or more.
        load: arrival rate by service rate of a slot, 0 to `slots`.

    >>> round(erlang_c(8, 6.4), 9)
    0.457644925
    """
    blocked = 1.0  # Erlang's loss formula, slot by slot
    for slot in range(1, slots + 1):
        blocked = load * blocked / (slot + load * blocked)
    rho = load / slots
    return blocked / (1.0 - rho + rho * blocked)


def mmc(*, rate: float, service: float, slots: int) -> Times:
    """Give the times of M/M/c under first in, first out.

    Args:
        rate: arrivals per second.
        service: mean service time, seconds; `rate * service` is below `slots`.
        slots: requests served at once, 1 or more.
    """
    load = rate * service
    waits = erlang_c(slots, load)
    drain = (slots - load) / service  # per second: the wait of those who wait is exponential
    spare = slots - 1.0 - load

    def response_tail(t: float) -> float:
        grown = t / service if abs(spare) < 1e-9 else -math.expm1(-spare * t / service) / spare
        return math.exp(-t / service) * (1.0 + waits * grown)

    wait = waits / drain
    return Times(wait, wait + service, lambda t: waits * math.exp(-drain * t), response_tail, busy=load)


def mgc_sharing(*, rate: float, service: float, slots: int) -> Times:
    """Give the mean times under processor sharing, whatever the distribution of the service demand.

    With n requests each is served at min(1, slots / n) of full speed. The queue is a symmetric one, so that
    its number of requests is that of M/M/c (Kelly, Reversibility and Stochastic Networks (1979), section
    3.3); with one slot the mean response time is service / (1 - rho). Waiting is what sharing has cost.

    Args:
        rate: arrivals per second.
        service: mean service demand by the server's speed, seconds; `rate * service` is below `slots`.
        slots: requests served at full speed, 1 or more.
    """
    return mmc(rate=rate, service=service, slots=slots).means()


def mmck(*, rate: float, service: float, slots: int, room: int) -> Times:
    """Give the times of M/M/c/K, of those who find room.

    Args:
        rate: arrivals per second.
        service: mean service time, seconds.
        slots: requests served at once, 1 or more.
        room: requests that may wait, 0 or more.
    """
    chances = _birth_death([rate] * (slots + room), [min(n, slots) / service for n in _upto(slots + room)])
    refused = chances[-1]
    accepted = rate * (1.0 - refused)
    waiting = math.fsum((n - slots) * chance for n, chance in enumerate(chances) if n > slots)
    wait = waiting / accepted
    return Times(wait, wait + service, refused=refused, busy=accepted * service)


def closed(*, users: int, think: float, service: float, slots: int) -> Times:
    """Give the times where so many users think, send and wait for the answer.

    Service is exponential; the think times may have any distribution.

    Args:
        users: 1 or more.
        think: mean time between an answer and the next request, seconds.
        service: mean service time, seconds.
        slots: requests served at once, 1 or more.
    """
    if think == 0:
        chances = [0.0] * users + [1.0]
    else:
        arriving = [(users - n) / think for n in range(users)]
        chances = _birth_death(arriving, [min(n, slots) / service for n in _upto(users)])
    busy = math.fsum(min(n, slots) * chance for n, chance in enumerate(chances))
    response = users * service / busy - think
    return Times(response - service, response, busy=busy)


def _upto(count: int) -> range:
    return range(1, count + 1)


def _birth_death(up: list[float], down: list[float]) -> list[float]:
    """Give the long-run shares of the states 0, 1, ... of a chain with these rates.

    Logarithms keep the products of thousands of rates within what a float can hold.
    """
    logs = [0.0]
    for birth, death in zip(up, down, strict=True):
        logs.append(logs[-1] + math.log(birth) - math.log(death))
    highest = max(logs)
    weights = [math.exp(one - highest) for one in logs]
    total = math.fsum(weights)
    return [weight / total for weight in weights]
