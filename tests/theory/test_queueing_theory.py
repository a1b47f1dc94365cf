"""The simulator against queueing theory: every case of queueing_theory.csv that it can express.

Each quantity is estimated from one run by means of 20 long batches after the warm-up, a quantile by
sectioning into 20 (Asmussen and Glynn, Stochastic Simulation, 2007, III.4); requests are never taken as
independent. The expected value has to lie in the 99 % interval, one seed serves all cases, and the interval
has to be narrow, so that a wrong model falls outside: the last test lets wrong models do so.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import stats

from workbench.simulate import Records, ReferenceEngine, Strategy, Workload, load_scenario
from workbench.simulate.strategies import View

SEED = 1
LEVEL = 0.99
BATCHES = 20
WARM_UP = 0.1
CORRELATED = {"p2c-inf": 3, "pk-h2": 3, "mmpp": 3}
"""Cases whose queues change slowly get as many times the requests."""

Floats = NDArray[np.float64]


def poisson(rate: float) -> dict[str, Any]:
    return {"kind": "poisson", "rate": rate}


def exponential(mean: float) -> dict[str, Any]:
    return {"kind": "exponential", "mean": mean}


def model(
    arrivals: dict[str, Any], service: dict[str, Any], pool: dict[str, Any], strategy: Any = "random"
) -> dict[str, Any]:
    return {"arrivals": arrivals, "service": service, "pool": pool, "balancers": {"strategy": strategy}}


def balanced(servers: int, strategy: Any, *, load: float = 0.8) -> dict[str, Any]:
    """Poisson arrivals over FIFO servers whose service is exponential with mean 1."""
    return model(poisson(load * servers), exponential(1), {"count": servers}, strategy)


def single(service: dict[str, Any], arrivals: dict[str, Any] | None = None) -> dict[str, Any]:
    return model(arrivals or poisson(0.8), service, {})


def breakdowns(repair: float) -> dict[str, Any]:
    """A server that fails at rate 0.1 while it works, and takes so long to mend."""
    return {"kind": "interrupt", "time_to_failure": exponential(10), "time_to_repair": exponential(repair)}


class Size(NamedTuple):
    """How much is simulated of a case, and what its intervals have to be narrower than."""

    requests: int
    many_servers: int
    """Servers that stand for infinitely many. The mean is about 3.3 / n above the limit: at 200 that is .6 %
    and at 1000 .13 % of it, a fifth and a tenth of the interval's half-width."""
    widest: float
    """Half-width by expected value."""

    def of(self, case: str) -> int:
        return self.requests * CORRELATED.get(case, 1)


QUICK = Size(100_000, 200, 0.2)
FULL = Size(1_000_000, 1000, 0.075)

MODELS = {
    "mm1": single(exponential(1)),
    "mm8": model(poisson(6.4), exponential(1), {"slots": 8}),
    "rr2": balanced(2, "round_robin"),
    "rr8": balanced(8, "round_robin"),
    "jsq2": balanced(2, "join_shortest_queue"),
    "jsq8": balanced(8, "join_shortest_queue"),
    "p2c3": balanced(3, "power_of_two"),
    "p2c-inf": balanced(QUICK.many_servers, "power_of_two", load=0.9),
    "lwl8": balanced(8, "least_work_left"),
    "mm23": model(poisson(3), exponential(0.25), {"slots": 2, "queue_limit": 1}),
    "pk-d": single({"kind": "deterministic", "value": 1}),
    "pk-h2": single({"kind": "hyperexponential", "mean": 1, "cv2": 4}),
    "mmpp": single(exponential(1), {"kind": "mmpp", "rates": [0.2, 1.4], "dwell": [20, 20]}),
    "closed": single(exponential(1), {"kind": "closed_loop", "users": 20, "think": exponential(10)}),
    "erlang-a": model(poisson(6.4), exponential(1), {"slots": 8}) | {"clients": {"patience": exponential(2)}},
    "ps": model(poisson(0.8), {"kind": "deterministic", "value": 1}, {"discipline": "ps"}),
    "breakdown": single(exponential(1), poisson(0.5)) | {"faults": breakdowns(2)},
}
NEEDS = {
    "prio": "a service discipline with priorities",
}


class Case(NamedTuple):
    """A row of the file: what is known of one quantity of one model."""

    name: str
    quantity: str
    expected: float


def read_cases() -> Iterator[Case]:
    with (Path(__file__).parent / "queueing_theory.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            quantities = re.sub(r"\(equals.*\)", "", row["quantity"]).split(";")
            for quantity, expected in zip(quantities, row["expected"].split(), strict=True):
                yield Case(row["case"], quantity.strip(), float(expected))


CASES = list(read_cases())


class Estimate(NamedTuple):
    """A value and the half-width of its interval."""

    value: float
    half_width: float

    def holds(self, expected: float) -> bool:
        return abs(self.value - expected) <= self.half_width


@dataclass(frozen=True)
class Run:
    """What is measured of a run: the requests after the warm-up, and the time until arrivals end."""

    records: Records

    @property
    def measured(self) -> slice:
        return slice(int(WARM_UP * len(self.records)), None)

    @property
    def edges(self) -> Floats:
        """The ends of the batches of time."""
        return np.linspace(self.records.arrival[self.measured][0], self.records.arrival[-1], BATCHES + 1)

    def mean(self, values: Floats | NDArray[np.bool_]) -> Estimate:
        batches = np.array_split(values[self.measured].astype(float), BATCHES)
        return interval(np.array([batch.mean() for batch in batches]))

    def quantile(self, values: Floats, q: float) -> Estimate:
        kept = values[self.measured]
        sections = [np.quantile(section, q) for section in np.array_split(kept, BATCHES)]
        return interval(np.array(sections), centre=float(np.quantile(kept, q)))

    def mean_in_system(self) -> Estimate:
        def spent_before(times: Floats) -> Floats:
            return np.array([np.minimum(times, edge).sum() for edge in self.edges])

        present = spent_before(self.records.answered) - spent_before(self.records.arrival)
        return interval(np.diff(present) / np.diff(self.edges))

    def mean_waiting(self) -> Estimate:
        """The mean number in the queue: those who are served and those who leave it."""
        waits = np.where(self.records.ok(), self.records.wait, self.records.response)
        ends = self.records.arrival + waits

        def spent_before(times: Floats) -> Floats:
            return np.array([np.minimum(times, edge).sum() for edge in self.edges])

        waited = spent_before(ends) - spent_before(self.records.arrival)
        return interval(np.diff(waited) / np.diff(self.edges))

    def waits(self) -> NDArray[np.bool_]:
        """Which requests were not served at once."""
        return ~self.records.ok() | (self.records.wait > 0)

    def throughput(self) -> Estimate:
        ended, _ = np.histogram(self.records.finish, self.edges)
        return interval(ended / np.diff(self.edges))


def interval(batches: Floats, *, centre: float | None = None) -> Estimate:
    """The interval from batches that are long enough to be independent and normal."""
    value = float(batches.mean()) if centre is None else centre
    deviation = np.sqrt(np.sum((batches - value) ** 2) / (len(batches) - 1))
    quantile = stats.t.ppf((1 + LEVEL) / 2, len(batches) - 1)
    return Estimate(value, float(quantile * deviation / np.sqrt(len(batches))))


MEASURES: dict[str, Callable[[Run], Estimate]] = {
    "mean waiting time": lambda run: run.mean(run.records.wait),
    "mean response time": lambda run: run.mean(run.records.response),
    "p50 response time": lambda run: run.quantile(run.records.response, 0.5),
    "p95 response time": lambda run: run.quantile(run.records.response, 0.95),
    "P(wait)": lambda run: run.mean(run.waits()),
    "P(blocked)": lambda run: run.mean(~run.records.ok()),
    "P(abandon)": lambda run: run.mean(~run.records.ok()),
    "mean queue length": Run.mean_waiting,
    "mean number": Run.mean_in_system,
    "mean number in system": Run.mean_in_system,
    "throughput": Run.throughput,
}


def simulate(content: dict[str, Any], requests: int) -> Run:
    scenario = load_scenario({"name": "theory", **content, "horizon": f"{requests} requests", "seed": SEED})
    return Run(ReferenceEngine().run(Workload(scenario)))


def run_case(name: str, size: Size) -> Run:
    content = MODELS[name]
    if name == "p2c-inf":
        content = balanced(size.many_servers, "power_of_two", load=0.9)
    return simulate(content, size.of(name))


def compare(name: str, run: Run) -> dict[str, tuple[float, Estimate]]:
    """Expected value and estimate of every quantity of a case."""
    return {
        case.quantity: (case.expected, MEASURES[case.quantity](run)) for case in CASES if case.name == name
    }


def assert_theory_holds(name: str, run: Run, *, widest: float) -> None:
    found = compare(name, run)
    assert found
    for quantity, (expected, estimate) in found.items():
        assert estimate.holds(expected), f"{name}, {quantity}: {expected} is not within {estimate}"
        assert estimate.half_width < widest * expected, f"{name}, {quantity}: {estimate} shows nothing"
    spent = run.records.response.sum()
    assert abs(run.records.area - spent) <= 1e-9 * spent


def test_every_case_of_the_file_is_simulated_or_names_what_it_needs():
    assert not MODELS.keys() & NEEDS.keys()
    assert MODELS.keys() | NEEDS.keys() == {case.name for case in CASES}


@pytest.mark.parametrize("name", MODELS)
def test_theory_lies_in_the_interval(name: str):
    assert_theory_holds(name, run_case(name, QUICK), widest=QUICK.widest)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_theory_lies_in_the_interval_of_a_million_requests(name: str):
    assert_theory_holds(name, run_case(name, FULL), widest=FULL.widest)


def pick_blindly(view: View, rng: Generator) -> int:
    """The shortest queue without the request in service: what careless simulators call JSQ."""
    waiting = [max(count - 1, 0) for count in view.in_flight]
    shortest = [server for server, count in enumerate(waiting) if count == min(waiting)]
    return shortest[int(rng.random() * len(shortest))]


class BlindJoinShortestQueue(Strategy):
    kind: Literal["blind"] = "blind"
    pick: ClassVar[Any] = staticmethod(pick_blindly)


def pick_with_replacement(view: View, rng: Generator) -> int:
    first, second = (int(rng.random() * len(view.in_flight)) for _ in range(2))
    return first if view.in_flight[first] <= view.in_flight[second] else second


class PowerOfTwoWithReplacement(Strategy):
    kind: Literal["with_replacement"] = "with_replacement"
    pick: ClassVar[Any] = staticmethod(pick_with_replacement)


WRONG = {
    "mm8": balanced(8, "join_shortest_queue"),
    "rr2": balanced(2, "random"),
    "rr8": balanced(8, "random"),
    "jsq2": balanced(2, "round_robin"),
    "jsq8": balanced(8, BlindJoinShortestQueue()),
    "p2c3": balanced(3, PowerOfTwoWithReplacement()),
    "p2c-inf": balanced(QUICK.many_servers, {"kind": "power_of_two", "choices": 3}, load=0.9),
    "lwl8": balanced(8, "join_shortest_queue"),
    "mm23": MODELS["mm23"] | {"pool": {"slots": 2, "queue_limit": 2}},
    "pk-d": single({"kind": "erlang", "mean": 1, "stages": 4}),
    "pk-h2": single({"kind": "hyperexponential", "mean": 1, "cv2": 2}),
    "mmpp": single(exponential(1), {"kind": "mmpp", "rates": [0.2, 1.4], "dwell": [10, 10]}),
    "closed": single(exponential(1), {"kind": "closed_loop", "users": 21, "think": exponential(10)}),
    "erlang-a": MODELS["erlang-a"] | {"clients": {"patience": exponential(1.7)}},
    "breakdown": MODELS["breakdown"] | {"faults": breakdowns(2.5)},
}


def misses(name: str, run: Run) -> list[str]:
    return [
        quantity
        for quantity, (expected, estimate) in compare(name, run).items()
        if not estimate.holds(expected)
    ]


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.slow
def test_a_wrong_model_falls_outside(name: str):
    assert misses(name, simulate(WRONG[name], QUICK.of(name)))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.slow
def test_servers_that_are_five_percent_slow_fall_outside(name: str):
    slow = MODELS[name] | {"pool": MODELS[name]["pool"] | {"speed": 0.95}}
    assert misses(name, simulate(slow, QUICK.of(name)))


def test_ignoring_the_request_in_service_costs_what_is_known():
    run = simulate(WRONG["jsq8"], QUICK.requests)
    assert run.mean(run.records.wait).value == pytest.approx(0.77, rel=0.05)
