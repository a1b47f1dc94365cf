"""Retries: each product's defaults, the waits between attempts, where they go, and what bounds them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.engines.failing import ERROR, OK, RESET, TIMEOUT, UNREACHABLE, Sent, burst, simulate
from workbench.simulate.engines.reference.budget import RetryBudget
from workbench.simulate.retries import RETRIES, Budget, RetryRules
from workbench.tables import Outcome

DEAD = {"kind": "crash", "servers": "server-0", "at": 0.5}
ALL_DEAD = {"kind": "crash", "at": 0}
FAILING = {"kind": "failing", "at": 0}


def rules(policy: Any, strategy: str = "round_robin") -> RetryRules:
    return RETRIES.read(policy).rules(strategy)


def test_nginx_tries_each_server_once_after_errors_and_timeouts():
    # ngx_http_proxy_module: proxy_next_upstream error timeout; _tries 0; _timeout 0; proxy_read_timeout 60s.
    found = rules("nginx")
    assert found.on == {UNREACHABLE, RESET, TIMEOUT}
    assert (found.most, found.within, found.try_timeout) == (0, math.inf, 60.0)
    assert found.not_again
    assert found.wait == 0


def test_haproxy_retries_connections_three_times_after_a_second():
    # Configuration manual 2.6: retries 3; 1 s, or timeout connect if that is less; retry-on conn-failure.
    found = rules({"kind": "haproxy"}, "haproxy.leastconn")
    assert found.on == {UNREACHABLE}
    assert (found.most, found.stay, found.stay_wait, found.leave_every) == (4, True, 1.0, 0)
    assert rules({"kind": "haproxy", "connect_timeout": 0.3}).stay_wait == 0.3


def test_envoy_retries_once_after_up_to_25_milliseconds_and_at_most_three_at_once():
    # route_components.proto: num_retries 1, base_interval 25 ms, max_interval ten times that;
    # circuit_breaker.proto: max_retries 3; RetryBudget 20 %, min_retry_concurrency 3.
    found = rules("envoy")
    assert (found.most, found.wait, found.factor, found.most_wait) == (2, 0.025, 2.0, 0.25)
    assert found.budget == Budget(concurrent_share=0.0, concurrent_least=3)
    assert rules({"kind": "envoy", "budget_percent": 20}).budget == Budget(0.2, 3)


def test_grpc_backs_off_with_full_jitter_and_never_tries_more_than_five_times():
    # gRFC A6: maxAttempts above 5 is treated as 5; the wait is random(0, min(initial x multiplier^n, max)).
    found = rules({"kind": "grpc", "max_attempts": 5})
    assert (found.most, found.wait, found.factor, found.most_wait) == (5, 0.1, 2.0, 1.0)
    assert found.budget == Budget()


def test_finagle_spends_a_fifth_of_the_requests_and_ten_a_second_within_ten_seconds():
    # RetryBudget.apply(): ttl 10 s, minRetriesPerSec 10, percentCanRetry 0.2; reserve: rate x ttl.
    assert rules("finagle").budget == Budget(earned=0.2, reserve=100.0, keep=10.0)


def test_nginx_goes_to_the_next_server_at_once_and_blames_each():
    crash = {"kind": "crash", "servers": ["server-0", "server-1"], "at": 0.5}
    done = simulate(
        pool={"count": 3}, balancers={"strategy": "nginx.round_robin"}, faults=crash, horizon="2 requests"
    )
    assert done.attempts(0) == [
        Sent(0, 1.0, 1.0, UNREACHABLE),
        Sent(1, 1.0, 1.0, UNREACHABLE),
        Sent(2, 1.0, 1.1, OK),
    ]
    assert [one.server for one in done.attempts(1)] == [2]


def test_nginx_answers_an_error_of_the_server_as_it_is():
    balancers: dict[str, Any] = {"strategy": "nginx.round_robin"}
    assert simulate(balancers=balancers, faults=FAILING, horizon="2 requests").outcomes() == [ERROR, ERROR]
    balancers["retries"] = {"kind": "nginx", "next_upstream": ["http_500"]}
    assert len(simulate(balancers=balancers, faults=FAILING, horizon="1 requests").attempts()) == 2


def test_nginx_does_not_begin_an_attempt_after_its_time():
    retries = {"kind": "nginx", "read_timeout": 0.4, "timeout": 0.6}
    hang = {"kind": "hang", "at": 0.5}
    done = simulate(
        pool={"count": 4},
        balancers={"strategy": "nginx.round_robin", "retries": retries},
        faults=hang,
        horizon="1 requests",
    )
    assert done.attempts() == [Sent(0, 1.0, 1.4, TIMEOUT), Sent(1, 1.4, 1.8, TIMEOUT)]


def test_haproxy_keeps_to_its_server_for_three_seconds():
    done = simulate(balancers={"strategy": "haproxy.roundrobin"}, faults=DEAD, horizon="1 requests")
    assert done.attempts() == [Sent(0, time, time, UNREACHABLE) for time in (1.0, 2.0, 3.0, 4.0)]


def test_haproxy_with_redispatch_leaves_a_dead_server_at_once_under_round_robin():
    balancers = {"strategy": "haproxy.roundrobin", "retries": {"kind": "haproxy", "redispatch": -1}}
    done = simulate(balancers=balancers, faults=DEAD, horizon="1 requests")
    assert done.attempts() == [Sent(0, 1.0, 1.0, UNREACHABLE), Sent(1, 1.0, 1.1, OK)]


@pytest.mark.parametrize(
    ("redispatch", "same", "answered"),
    [(-1, 3, 4.1), (1, 1, 2.1), (2, 2, 3.1)],
    ids=["last", "every", "second"],
)
def test_haproxy_that_hashes_leaves_a_dead_server_before_the_retry_that_it_is_told(
    redispatch: int, same: int, answered: float
):
    balancers = {
        "strategy": {"kind": "haproxy.hash", "type": "consistent"},
        "retries": {"kind": "haproxy", "redispatch": redispatch},
    }
    done = simulate(
        balancers=balancers,
        faults=[DEAD],
        keys={"kind": "addresses", "count": 1},
        pool=[{"name": "server-0"}, {"name": "other"}],
        horizon="1 requests",
        seed=1,
    )
    if done.records.server[0] == 1 and len(done.attempts()) == 1:
        pytest.fail("the key hashes to the other server; this test needs one that hashes to the dead one")
    servers = [one.server for one in done.attempts()]
    assert servers == [0] * same + [1]
    assert done.answered() == [answered]


def test_haproxy_does_not_send_again_what_was_sent():
    done = simulate(
        balancers={"strategy": "haproxy.roundrobin"},
        service={"kind": "deterministic", "value": 3},
        faults={"kind": "crash", "servers": "server-0", "at": 1.5, "lasts": 1},
        horizon="1 requests",
    )
    assert done.attempts() == [Sent(0, 1.0, 1.5, RESET)]


def test_envoy_does_not_go_back_to_a_host_that_failed_the_request_if_told_so():
    retries = {"kind": "envoy", "num_retries": 1, "previous_hosts": True}
    balancers = {"strategy": "envoy.random", "retries": retries}
    done = simulate(balancers=balancers, faults=DEAD, horizon="60 requests")
    assert set(done.outcomes()) == {OK}
    assert 10 < sum(len(done.attempts(request)) == 2 for request in range(60)) < 50


def test_a_try_without_an_answer_in_time_has_failed():
    retries = {"kind": "envoy", "per_try_timeout": 0.3, "base_interval": 0, "max_interval": 0}
    done = simulate(
        balancers={"strategy": "envoy.round_robin", "retries": retries},
        faults={"kind": "hang", "servers": "server-0", "at": 0.5},
        horizon="1 requests",
    )
    assert done.attempts() == [Sent(0, 1.0, 1.3, TIMEOUT), Sent(1, 1.3, 1.4, OK)]


@pytest.mark.parametrize(("jitter", "low"), [("full", 0.0), ("equal", 0.05)])
def test_waits_are_uniform_over_their_range(jitter: str, low: float):
    retries = {"kind": "plain", "most": 2, "wait": 0.1, "jitter": jitter}
    done = simulate(
        balancers={"strategy": "round_robin", "retries": retries}, faults=FAILING, horizon="1000 requests"
    )
    kept = done.records.attempts
    assert kept is not None
    waits = np.sort(kept.came[kept.came % 1 > 1e-9] % 1)
    assert len(waits) == 1000
    # Kolmogorov-Smirnov at the level of 0.1 %.
    assert stats.kstest(waits, stats.uniform(low, 0.1 - low).cdf).pvalue > 0.001


def retried(done: Any) -> int:
    return int(np.count_nonzero(done.records.retried()))


def test_envoys_breaker_bounds_retries_at_once():
    retries = {"kind": "envoy", "base_interval": 60, "max_interval": 60, "max_retries": 2}
    done = burst(10, balancers={"strategy": "envoy.round_robin", "retries": retries}, faults=ALL_DEAD)
    assert retried(done) == 2


def test_envoys_budget_is_a_share_of_the_requests_under_way():
    retries = {"kind": "envoy", "base_interval": 60, "max_interval": 60, "budget_percent": 20}
    slowly = {"kind": "failing", "at": 0, "after": 1}
    balancers = {"strategy": "envoy.round_robin", "retries": retries}
    # 20 % of 24 under way are 4.8: four at once, as Envoy takes whole retries.
    assert retried(burst(24, balancers=balancers, faults=slowly)) == 4
    assert retried(burst(10, balancers=balancers, faults=slowly)) == 3


def test_finagle_retries_what_the_requests_have_earned():
    retries = {"kind": "finagle", "min_retries_per_second": 0}
    balancers = {"strategy": "round_robin", "retries": retries}
    done = burst(100, balancers=balancers, faults=ALL_DEAD)
    assert done.records.attempts is not None
    assert len(done.records.attempts) == 120


def test_finagle_has_a_reserve_that_is_spent_once():
    retries = {"kind": "finagle", "percent_can_retry": 0, "min_retries_per_second": 3, "ttl": 2, "most": 4}
    done = burst(20, balancers={"strategy": "round_robin", "retries": retries}, faults=ALL_DEAD)
    # Six retries: three each for the first two requests, none for the others.
    assert [len(done.attempts(request)) for request in range(4)] == [4, 4, 1, 1]


def test_grpc_stops_retrying_when_half_of_the_tokens_are_gone():
    retries = {"kind": "grpc", "max_attempts": 5, "max_tokens": 10}
    done = simulate(
        balancers={"strategy": "round_robin", "retries": retries}, faults=FAILING, horizon="4 requests"
    )
    # The first request's failures leave 9, 8, 7, 6 and 5 tokens; more than 5 are needed.
    assert [len(done.attempts(request)) for request in range(4)] == [5, 1, 1, 1]


def test_grpc_earns_tokens_back_with_good_answers():
    budget = RetryBudget(Budget(tokens=4.0, refund=0.5))
    for _ in range(2):
        budget.lose()
    assert not budget.allows(1, 0.0)
    budget.regain()
    assert budget.allows(1, 0.0)
    for _ in range(20):
        budget.regain()
    assert budget.tokens == 4.0


def test_what_is_earned_is_lost_after_its_time():
    budget = RetryBudget(Budget(earned=0.2, keep=10.0))
    for _ in range(5):
        budget.earn(0.0)
    assert budget.allows(0, 9.99)
    for _ in range(5):
        budget.earn(20.0)
    assert not budget.allows(0, 30.0)


def test_a_budget_that_is_spent_comes_back():
    budget = RetryBudget(Budget(earned=0.0, reserve=2.0, keep=10.0))
    assert [budget.allows(0, time) for time in (0.0, 1.0, 2.0, 9.9, 10.0, 10.5, 11.0)] == [
        True, True, False, False, True, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize("policy", list(RETRIES))
def test_no_policy_tries_again_after_a_good_answer_or_for_a_client_that_has_gone(policy: str):
    assert not rules(policy).on & {Outcome.OK, Outcome.CANCELLED, Outcome.ABANDONED}


@pytest.mark.parametrize("policy", list(RETRIES))
def test_a_policy_without_failures_makes_one_attempt_a_request(policy: str):
    done = simulate(balancers={"strategy": "round_robin", "retries": policy})
    assert done.records.attempts is not None
    assert len(done.records.attempts) == 10


@pytest.mark.parametrize(("policy", "attempts"), [("envoy", 3), ("nginx", 2)])
def test_when_all_servers_have_failed_a_request_envoy_takes_one_again_and_nginx_gives_up(
    policy: str, attempts: int
):
    retries: dict[str, Any] = {
        "envoy": {"kind": "envoy", "num_retries": 2, "previous_hosts": True, "base_interval": 0},
        "nginx": {"kind": "nginx", "tries": 9},
    }
    balancers = {"strategy": "round_robin", "retries": retries[policy]}
    # With a queue, too: it is for full servers, not for those that have failed.
    for queue in ({}, {"queue": {}}):
        done = simulate(balancers=balancers | queue, faults=ALL_DEAD, horizon="1 requests")
        servers = [one.server for one in done.attempts() if one.server >= 0]
        assert len(servers) == attempts
        assert set(servers[:2]) == {0, 1}
