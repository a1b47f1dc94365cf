"""The circuit breaker: when a channel is left alone, and for how long."""

from __future__ import annotations

from workbench.alerts.breaker import Breaker, BreakerPolicy
from workbench.alerts.channels import Answer, Verdict

POLICY = BreakerPolicy(failures=3, rest=10.0, longest_rest=35.0)
BAD, GOOD, REFUSED = (
    Answer(Verdict.TEMPORARY, "503"),
    Answer(Verdict.DELIVERED, "ok"),
    Answer(Verdict.PERMANENT, "400"),
)


def after(*answers: tuple[float, Answer]) -> Breaker:
    breaker = Breaker()
    for now, answer in answers:
        breaker = breaker.after(answer, POLICY, now=now)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row_and_then_tries_one_letter():
    breaker = after((0.0, BAD), (1.0, BAD))
    assert (breaker.state(1.0, POLICY), breaker.capacity(1.0, POLICY, most=4)) == ("closed", 4)
    breaker = breaker.after(BAD, POLICY, now=2.0)
    assert (breaker.state(11.9, POLICY), breaker.capacity(11.9, POLICY, most=4)) == ("open", 0)
    assert (breaker.state(12.0, POLICY), breaker.capacity(12.0, POLICY, most=4)) == ("trying", 1)


def test_each_failed_trial_doubles_the_rest_up_to_the_longest():
    breaker = after((0.0, BAD), (0.0, BAD), (0.0, BAD))
    rests = []
    for _ in range(4):
        now = breaker.until
        breaker = breaker.after(BAD, POLICY, now=now)
        rests.append(breaker.until - now)
    assert rests == [20.0, 35.0, 35.0, 35.0]


def test_a_delivery_or_a_refusal_shows_that_the_receiver_lives():
    for alive in (GOOD, REFUSED):
        assert after((0.0, BAD), (0.0, BAD), (0.0, BAD), (10.0, alive)) == Breaker()
        assert after((0.0, BAD), (0.0, BAD), (0.0, alive), (0.0, BAD)).state(0.0, POLICY) == "closed"


def test_failures_of_letters_that_were_under_way_when_it_opened_do_not_lengthen_the_rest():
    assert after((0.0, BAD), (0.0, BAD), (0.0, BAD), (0.1, BAD), (0.2, BAD)).until == 10.0


def test_a_receiver_that_names_a_time_is_left_alone_until_then():
    asked = Answer(Verdict.TEMPORARY, "429", 429, retry_after=60.0)
    breaker = after((5.0, asked))
    assert (breaker.state(64.9, POLICY), breaker.state(65.0, POLICY)) == ("open", "closed")
    breaker = after((0.0, asked), (1.0, BAD))
    assert breaker.until == 60.0
