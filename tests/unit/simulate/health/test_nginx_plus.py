"""NGINX Plus, as its documents describe it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import kstest

from tests.parity.driver import compiled
from tests.unit.simulate.health.watch import Watch, pool, seeded
from workbench.simulate.checks import CHECKS, NO_ANSWER, PASSED
from workbench.simulate.checks.nginx_plus import NginxPlusHealthCheck
from workbench.simulate.slow_start import SLOW_STARTS, NginxPlusSlowStart

LEVEL = 0.001


def ups(check: NginxPlusHealthCheck, told: list[int]) -> list[int]:
    watch = Watch(pool(), check=check)
    seen = [int(watch.checks.up[0])]
    for time, result in enumerate(told):
        watch.end_check(time, 0, result)
        seen.append(int(watch.checks.up[0]))
    return seen


def test_one_check_is_enough_both_ways_every_five_seconds():
    watch = Watch(pool(), check=NginxPlusHealthCheck())
    seen = watch.run_checks(20, lambda server, time: NO_ANSWER if time == 10 else PASSED)
    assert [(time, up) for time, _, up in seen] == [(0, 1), (5, 1), (10, 0), (15, 1), (20, 1)]


def test_fails_and_passes_are_counted_in_a_row():
    check = NginxPlusHealthCheck(fails=3, passes=2)
    told = [1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1]
    assert ups(check, told) == [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1]


def test_a_server_with_mandatory_checks_waits_for_its_first_one():
    assert ups(NginxPlusHealthCheck(mandatory=True, passes=3), [PASSED]) == [0, 1]
    assert ups(NginxPlusHealthCheck(mandatory=True, passes=3), [0, 1, 1, 1]) == [0, 0, 0, 0, 1]


def test_each_check_is_delayed_by_the_jitter():
    watch = Watch(pool(), check=NginxPlusHealthCheck(jitter=3), seed=4)
    times = [time for time, _, _ in watch.run_checks(10_000)]
    assert kstest(np.diff(times), "uniform", args=(5, 3)).pvalue > LEVEL


@given(st.floats(0.001, 1e6), st.floats(0, 2e6))
def test_a_share_grows_in_a_line(seconds: float, since: float):
    share = NginxPlusSlowStart.share(NginxPlusSlowStart(slow_start=seconds).numbers(), since)
    assert share == pytest.approx(min(1, max(0.01, since / seconds)))


def test_checks_and_slow_start_are_the_same_compiled():
    def script(*, fast: bool) -> tuple[Any, ...]:
        watch = Watch(pool(3), check=NginxPlusHealthCheck(fails=2, passes=2, jitter=1), fast=fast)
        chance = seeded(3)
        return watch.run_checks(300, lambda server, time: int(chance.random() < 0.6)), watch.everything()

    assert script(fast=False) == script(fast=True)
    fast = compiled(NginxPlusSlowStart.share)
    assert [fast(np.array([8.0]), time) for time in (0.0, 2.0, 9.0)] == [0.01, 0.25, 1]


@pytest.mark.parametrize(
    ("family", "given", "allowed"),
    [
        (CHECKS, {"kind": "nginx_plus.health_check", "fails": 0}, "greater than or equal to 1"),
        (CHECKS, {"kind": "nginx_plus.health_check", "interval": "0s"}, "more than 0"),
        (SLOW_STARTS, {"kind": "nginx_plus.slow_start"}, "Field required"),
    ],
)
def test_a_setting_out_of_range_is_refused(family: Any, given: dict[str, Any], allowed: str):
    with pytest.raises(ValidationError, match=allowed):
        family.read(given)
