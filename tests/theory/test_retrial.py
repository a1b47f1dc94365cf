"""Clients that find the server busy and come again: the M/M/1 retrial queue.

Falin and Templeton, Retrial Queues, 1997, 1.2: with arrivals at rate a, service at rate 1, load r = a and
each request in orbit trying again at rate m, the server is busy with probability r, and the mean number in
orbit is r (a + r m) / ((1 - r) m). By Little's law a request spends that by a in orbit, and makes m times as
many further tries. As m grows it is the queue of the M/M/1.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.theory.test_queueing_theory import Run, exponential, model, poisson, simulate

LOAD = 0.5


def retrials(rate: float, *, load: float = LOAD) -> dict[str, Any]:
    retries = {
        "kind": "plain",
        "on": ["refused"],
        "most": 100,
        "wait": 1 / rate,
        "factor": 1,
        "jitter": "exponential",
    }
    content = model(poisson(load), exponential(1), {"queue_limit": 0})
    return content | {"clients": {"retries": retries}}


def assert_theory_holds(run: Run, *, rate: float, widest: float) -> None:
    orbit = LOAD * (LOAD + LOAD * rate) / ((1 - LOAD) * rate)
    expected = {
        "response": (run.mean(run.records.response), orbit / LOAD + 1),
        "blocked": (run.mean(run.records.retried()), LOAD),
        "tries": (run.mean(run.records.tries().astype(float)), 1 + rate * orbit / LOAD),
    }
    for quantity, (estimate, value) in expected.items():
        assert estimate.holds(value), f"{quantity}: {value} is not within {estimate}"
        assert estimate.half_width < widest * value, f"{quantity}: {estimate} shows nothing"


def test_the_retrial_queue_meets_theory():
    assert_theory_holds(simulate(retrials(1.0), 50_000), rate=1.0, widest=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.2, 1.0, 5.0])
def test_the_retrial_queue_meets_theory_over_a_million_requests(rate: float):
    assert_theory_holds(simulate(retrials(rate), 1_000_000), rate=rate, widest=0.075)


@pytest.mark.slow
def test_waits_of_another_shape_fall_outside():
    content = retrials(1.0)
    content["clients"]["retries"]["jitter"] = "none"
    run = simulate(content, 50_000)
    assert not run.mean(run.records.response).holds(3.0)
