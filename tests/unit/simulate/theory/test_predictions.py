"""Which formula applies to which scenario: the cases of queueing_theory.csv, and what has none."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.simulate.theory.scenarios import scenario
from workbench.experiments import batch_means
from workbench.simulate import CompiledEngine, ReferenceEngine, Workload
from workbench.simulate.theory import Theory, predict

CASES = Path(__file__).parents[3] / "theory" / "queueing_theory.csv"

EXPONENTIAL = {"kind": "exponential", "mean": 1}
ONE: dict[str, Any] = {"arrivals": {"kind": "poisson", "rate": 0.8}, "pool": {}}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "mm1": ("M/M/1", ONE),
    "mm8": ("M/M/8", {"pool": {"slots": 8}}),
    "rr2": (
        "2 x E2/M/1",
        {"arrivals": {"kind": "poisson", "rate": 1.6}, "pool": {"count": 2}}
        | {"balancers": {"strategy": "round_robin"}},
    ),
    "rr8": ("8 x E8/M/1", {"balancers": {"strategy": "nginx.round_robin"}}),
    "jsq2": (
        "join the shortest of 2 queues, M/M/1 each",
        {"arrivals": {"kind": "poisson", "rate": 1.6}, "pool": {"count": 2}}
        | {"balancers": {"strategy": "join_shortest_queue"}},
    ),
    "lwl8": ("M/M/8", {"balancers": {"strategy": "least_work_left"}}),
    "pk-d": ("M/G/1", ONE | {"service": {"kind": "deterministic", "value": 1}}),
    "pk-h2": ("M/G/1", ONE | {"service": {"kind": "hyperexponential", "mean": 1, "cv2": 4}}),
    "ps": (
        "M/G/1 shared",
        ONE | {"pool": {"discipline": "ps"}, "service": {"kind": "lognormal", "mean": 1, "cv2": 9}},
    ),
    "mm23": (
        "M/M/2/3",
        {"arrivals": {"kind": "poisson", "rate": 3}, "pool": {"slots": 2, "queue_limit": 1}}
        | {"service": {"kind": "exponential", "mean": 0.25}},
    ),
    "mmpp": ("MMPP/M/1", ONE | {"arrivals": {"kind": "mmpp", "rates": [0.2, 1.4], "dwell": [20, 20]}}),
    "closed": (
        "closed M/M/1 with 20 users",
        ONE
        | {"arrivals": {"kind": "closed_loop", "users": 20, "think": {"kind": "exponential", "mean": 10}}},
    ),
}
NAMES = {
    "mean waiting time": "wait_mean",
    "mean response time": "response_mean",
    "p50 response time": "response_p50",
    "p95 response time": "response_p95",
    "P(blocked)": "refused",
    "throughput": "utilisation",  # of one server with unit service
}


def values(theory: Theory) -> dict[str, float]:
    return {one.quantity: one.expected for one in theory.predictions}


def _quantities(row: dict[str, str]) -> list[str]:
    return [name.strip() for name in re.sub(r"\(equals.*\)", "", row["quantity"]).split(";")]


def known_cases() -> list[tuple[str, str, float]]:
    with CASES.open(newline="", encoding="utf-8") as file:
        return [
            (row["case"], NAMES[name.strip()], float(expected))
            for row in csv.DictReader(file)
            for name, expected in zip(_quantities(row), row["expected"].split(), strict=True)
            if row["case"] in MODELS and name in NAMES
        ]


@pytest.mark.parametrize(("case", "quantity", "expected"), known_cases())
def test_a_known_case_comes_out(case: str, quantity: str, expected: float):
    model, changes = MODELS[case]
    theory = predict(scenario(**changes))
    assert theory.model == model
    assert values(theory)[quantity] == pytest.approx(expected, rel=2e-7)


def test_every_model_is_tried_against_a_known_case():
    assert {case for case, _, _ in known_cases()} == set(MODELS)


@pytest.mark.parametrize(
    ("changes", "quantities"),
    [
        (
            {"pool": {"count": 4, "slots": 2}, "service": {"kind": "erlang", "mean": 1, "stages": 3}},
            {"response_mean"},
        ),
        ({"balancers": {"strategy": "round_robin"}}, {"response_mean", "wait_mean"}),
    ],
)
def test_servers_that_share_have_the_means_of_exponential_ones_and_other_quantiles(
    changes: dict[str, Any], quantities: set[str]
):
    pool = changes.get("pool", {"count": 8})
    shared = values(predict(scenario(**changes | {"pool": pool | {"discipline": "ps"}})))
    in_order = values(predict(scenario(**changes | {"service": EXPONENTIAL})))
    assert {shared[name] for name in quantities} == {in_order[name] for name in quantities}
    assert not [name for name in shared if name.startswith("response_p")]


def test_the_means_of_servers_that_share_come_out_when_simulated():
    changed = scenario(
        pool={"count": 2, "slots": 4, "discipline": "ps"},
        service={"kind": "hyperexponential", "mean": 1, "cv2": 4},
        arrivals={"kind": "poisson", "rate": 4.8},
        horizon="100k requests",
    )
    theory = predict(changed)
    assert theory.model == "2 x M/G/4 shared"
    records = ReferenceEngine().run(Workload(changed))
    measured = batch_means(records.response[10_000:], level=0.99)
    assert measured.low <= values(theory)["response_mean"] <= measured.high
    assert measured.relative < 0.1  # first come, first served would take a fifth longer


@pytest.mark.parametrize(
    "strategy", ["least_connections", "nginx.least_conn", "haproxy.leastconn", "power_of_two"]
)
def test_over_two_equal_servers_the_ties_do_not_matter(strategy: str):
    two: dict[str, Any] = {"arrivals": {"kind": "poisson", "rate": 1.6}, "pool": {"count": 2}}
    theory = predict(scenario(**two | {"balancers": {"strategy": strategy}}))
    assert values(theory)["response_mean"] == pytest.approx(2.955736618)


def test_two_groups_are_weighed_by_what_they_get():
    pool = [{"name": "fast", "count": 2, "speed": 2, "weight": 3}, {"name": "slow", "count": 2}]
    by_weight = {"strategy": "nginx.random"}
    theory = predict(scenario(arrivals={"kind": "poisson", "rate": 3.2}, pool=pool, balancers=by_weight))
    # Each fast server gets 3 of 8 requests, 1.2 a second at rate 2; each slow one .4 at rate 1.
    assert values(theory)["response_mean"] == pytest.approx(0.75 / 0.8 + 0.25 / 0.6)
    assert values(theory)["utilisation"] == pytest.approx((2 * 0.6 + 2 * 0.4) / 4)


def test_the_way_there_and_back_adds_to_the_response():
    near, far = (predict(scenario(network={"delay": delay})) for delay in ("0ms", "250ms"))
    assert values(far)["response_p99"] == pytest.approx(values(near)["response_p99"] + 0.5)
    assert values(far)["wait_mean"] == values(near)["wait_mean"]


ERLANG = {"kind": "erlang", "mean": 1, "stages": 2}
UNEQUAL = [{"count": 4}, {"name": "b", "count": 4, "speed": 2}]
LEAST_WORK = {"balancers": {"strategy": "least_work_left"}}
WITHOUT: dict[str, tuple[dict[str, Any], str]] = {
    "shortest of eight": ({"balancers": {"strategy": "join_shortest_queue"}}, "join_shortest_queue over 8"),
    "few choices": ({"balancers": {"strategy": "power_of_two"}}, "too few for the limit of many"),
    "slots": ({"pool": {"count": 4, "slots": 2}, "service": ERLANG}, "2 slots"),
    "general turns": (
        {"service": ERLANG, "balancers": {"strategy": "round_robin"}},
        "poisson arrivals and erlang service under round_robin",
    ),
    "several in turn": ({"balancers": {"strategy": "round_robin", "count": 3}}, "under round_robin"),
    "views": ({"balancers": {"strategy": "least_work_left", "count": 3}}, "views of their own"),
    "delay": (LEAST_WORK | {"network": {"delay": "1ms"}}, "a network with delay"),
    "unequal": (LEAST_WORK | {"pool": UNEQUAL}, "servers that differ"),
    "faults": ({"faults": {"kind": "crash", "at": "1s", "lasts": "1s", "servers": "server-0"}}, "faults"),
    "patience": ({"clients": {"patience": EXPONENTIAL}}, "clients that give up"),
    "limits": ({"pool": {"count": 8, "limit": 3}}, "limits of requests in flight"),
    "heavy tail": (
        {"service": {"kind": "pareto", "least": 0.3, "alpha": 1.5}},
        "variance of service is infinite",
    ),
    "shared work": (LEAST_WORK | {"pool": {"count": 8, "discipline": "ps"}}, "servers that share"),
    "shared turns": (
        {"service": ERLANG, "balancers": {"strategy": "round_robin"}}
        | {"pool": {"count": 8, "discipline": "ps"}},
        "processor sharing with poisson arrivals",
    ),
    "overload": ({"pool": {"count": 6}}, "unstable"),
}


@pytest.mark.parametrize(("changes", "reason"), WITHOUT.values(), ids=WITHOUT)
def test_what_has_no_formula_says_why(changes: dict[str, Any], reason: str):
    theory = predict(scenario(**changes))
    assert theory.model == ""
    assert reason in theory.reason
    assert {one.quantity for one in theory.predictions} <= {"utilisation"}


@pytest.mark.parametrize(("servers", "load"), [(24, 0.7), (100, 0.7), (70, 0.9), (200, 0.9)])
@pytest.mark.slow
def test_the_limit_of_many_servers_is_off_by_no_more_than_it_says(servers: int, load: float):
    many = scenario(
        arrivals={"kind": "poisson", "rate": load * servers},
        pool={"count": servers},
        balancers={"strategy": "power_of_two"},
        horizon="2M requests",
    )
    (mean, *_) = predict(many).predictions
    assert mean.quantity == "response_mean"
    records = CompiledEngine().run(Workload(many))
    measured = float(records.response[len(records) // 10 :].mean())
    # The limit is low by up to its tolerance; the run's own error is a tenth of that.
    assert 0 <= measured / mean.expected - 1 <= mean.tolerance
    assert 0.2 * mean.tolerance < measured / mean.expected - 1
