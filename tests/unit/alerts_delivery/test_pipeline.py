"""The pipeline: who is told of what, when, and why not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.alerts_delivery.loopback import alert
from workbench.alerts.instances import AlertInstance
from workbench.alerts.matchers import parse_matcher
from workbench.alerts.messages import Message
from workbench.alerts.pipeline import Pipeline
from workbench.alerts.receivers import Plan
from workbench.alerts.rehearsal import rehearse
from workbench.alerts.silences import ByHand, Silence
from workbench.documents import check

RECEIVERS = [
    {"name": "team", "channels": ["log"]},
    {"name": "quiet", "channels": [{"kind": "log", "send_resolved": False}]},
    {"name": "boss", "channels": ["log"]},
    {"name": "limited", "channels": ["log"], "at_most": {"messages": 2, "per": "1h"}},
    {"name": "nobody"},
]
ROUTE = {
    "receiver": "team",
    "group_by": ["alertname"],
    "group_wait": "10s",
    "group_interval": "60s",
    "repeat_interval": "10min",
}


def plan(route: Mapping[str, Any] | None = None, **more: Any) -> Plan:
    content = {"receivers": RECEIVERS, "route": ROUTE | dict(route or {}), **more}
    return check(content, Plan, name="plan", folder=Path())


def told(
    *evaluations: tuple[float, list[AlertInstance]],
    until: float = 400.0,
    by_hand: Any = None,
    **changes: Any,
) -> list[tuple[float, str, str, int, str]]:
    """Give time, receiver, status, number of alerts and reason of every message."""
    hand = by_hand or (lambda _: ByHand())
    messages = rehearse(plan(changes.pop("route", None), **changes), evaluations, until=until, by_hand=hand)
    return [(one.at, one.receiver, one.status, len(one.alerts), one.reason) for one in messages]


A, B = alert("A"), alert("B")
A_OVER = alert("A", resolved_at=100.0)


def test_a_group_is_told_after_its_wait_and_of_news_at_its_next_look():
    assert told((0.0, [A]), (20.0, [A, alert("A", pool="x", active_at=20.0)])) == [
        (10.0, "team", "firing", 1, "first alert of the group"),
        (70.0, "team", "firing", 2, "new alert"),
    ]


def test_an_alert_that_has_fired_for_longer_than_the_wait_is_told_at_once():
    old = alert("A", active_at=-60.0)
    assert told((0.0, [old]))[0][0] == 0.0
    assert told((0.0, [alert("A", active_at=-10.0)]))[0][0] == 10.0  # no longer than the wait


def test_what_fires_and_resolves_within_the_wait_is_not_told():
    assert told((0.0, [A]), (5.0, [alert("A", resolved_at=5.0)])) == []


def test_the_end_is_told_where_it_is_wanted():
    times = ((0.0, [A]), (100.0, [A_OVER]))
    assert told(*times)[1:] == [(130.0, "team", "resolved", 1, "all resolved")]
    assert told(*times, route={"receiver": "quiet"})[1:] == []
    both = ((0.0, [A, alert("A", pool="x")]), (100.0, [A_OVER]))
    assert told(*both)[1:] == [(130.0, "team", "firing", 2, "some resolved")]
    assert told(*both, route={"receiver": "quiet"})[1:] == []


def test_an_alert_that_fires_again_after_its_end_was_told_begins_a_new_group():
    again = alert("A", active_at=300.0)
    assert told((0.0, [A]), (100.0, [A_OVER]), (300.0, [again]))[2:] == [
        (310.0, "team", "firing", 1, "first alert of the group")
    ]


def test_a_message_is_repeated_when_the_last_is_older_than_the_interval_strictly():
    def times(**route: str) -> list[float]:
        found = told((0.0, [A]), until=500.0, route=route)
        assert [reason for *_, reason in found[1:]] == ["repeat"] * (len(found) - 1)
        return [at for at, *_ in found]

    assert times(repeat_interval="100s") == [10.0, 130.0, 250.0, 370.0, 490.0]
    assert times(repeat_interval="60s") == [10.0, 130.0, 250.0, 370.0, 490.0]
    assert times(repeat_interval="59s") == [10.0, 70.0, 130.0, 190.0, 250.0, 310.0, 370.0, 430.0, 490.0]


def test_routes_are_taken_as_deep_as_they_match_and_further_only_where_they_continue():
    routes = [
        {"matchers": ['alertname="A"'], "receiver": "boss", "continues": True},
        {"matchers": ['alertname=~"A|B"'], "routes": [{"matchers": ['pool="x"'], "receiver": "quiet"}]},
        {"receiver": "boss"},
    ]
    C = alert("C")
    found = told((0.0, [A, B, C, alert("B", pool="x")]), route={"routes": routes}, until=20.0)
    assert sorted(found) == [
        (10.0, "boss", "firing", 1, "first alert of the group"),  # A, which continues
        (10.0, "boss", "firing", 1, "first alert of the group"),  # C
        (10.0, "quiet", "firing", 1, "first alert of the group"),  # B of pool x
        (10.0, "team", "firing", 1, "first alert of the group"),  # A
        (10.0, "team", "firing", 1, "first alert of the group"),  # B
    ]


def test_alerts_are_grouped_by_values_of_labels_by_all_or_by_none():
    alerts = [alert("A", pool=pool) for pool in "xy"] + [alert("B", pool="x")]

    def sizes(group_by: list[str]) -> list[int]:
        found = told((0.0, alerts), route={"group_by": group_by}, until=20.0)
        return sorted(size for _, _, _, size, _ in found)

    assert sizes([]) == [3]
    assert sizes(["alertname"]) == sizes(["pool"]) == [1, 2]
    assert sizes(["..."]) == [1, 1, 1]
    assert sizes(["zone"]) == [3]


def test_an_inhibited_alert_is_told_once_its_source_is_over():
    rules = [
        {"source_matchers": ['alertname="Down"'], "target_matchers": ["severity=page"], "equal": ["pool"]}
    ]
    down, over = alert("Down", pool="x"), alert("Down", pool="x", resolved_at=80.0)
    other = alert("A", pool="y")
    found = told((0.0, [alert("A", pool="x"), down]), (80.0, [over]), inhibit_rules=rules, until=140.0)
    assert found == [
        (10.0, "team", "firing", 1, "first alert of the group"),  # the source, though it is a target too
        (130.0, "team", "firing", 1, "first alert of the group"),
        (130.0, "team", "resolved", 1, "all resolved"),
    ]
    assert len(told((0.0, [other, down]), inhibit_rules=rules, until=20.0)) == 2


def test_two_alerts_that_are_both_source_and_target_do_not_keep_each_other_quiet():
    rules = [{"source_matchers": ["severity=page"], "target_matchers": ["severity=page"]}]
    assert len(told((0.0, [A, B]), inhibit_rules=rules, until=20.0)) == 2


def silence(text: str, starts_at: float, ends_at: float) -> Silence:
    return Silence(7, (parse_matcher(text),), starts_at, ends_at, "me", "")


def test_a_silenced_alert_is_told_at_the_first_look_after_the_silence():
    hand = ByHand(silences=(silence("alertname=A", 0.0, 100.0),))
    found = told((0.0, [A, B]), until=140.0, by_hand=lambda _: hand)
    assert [(at, receiver) for at, receiver, *_ in found] == [(10.0, "team"), (130.0, "team")]
    until_the_look = ByHand(silences=(silence("alertname=A", 0.0, 70.0),))
    assert told((0.0, [A]), until=140.0, by_hand=lambda _: until_the_look)[0][0] == 70.0


def test_an_alert_that_ends_in_a_silence_is_told_when_it_fires_anew():
    """Alertmanager keeps the old episode in its books and says nothing until the repeat interval is over."""
    hand = ByHand(silences=(silence("pool=x", 60.0, 200.0),))
    x, over, again = (
        alert("A", pool="x"),
        alert("A", pool="x", resolved_at=100.0),
        alert("A", pool="x", active_at=210.0),
    )
    found = told((0.0, [A, x]), (100.0, [over]), (210.0, [again]), until=300.0, by_hand=lambda _: hand)
    assert found[1:] == [(250.0, "team", "firing", 2, "new alert")]


def test_mute_times_and_active_times_withhold_what_their_route_would_tell():
    at = 1_700_000_000.0  # 2023-11-14, a Tuesday, 22:13:20 UTC
    night = {"times": [{"start_time": "22:00", "end_time": "24:00"}], "weekdays": ["tuesday"]}
    intervals = [{"name": "night", "time_intervals": [night]}]
    fires = (at, [alert("A", active_at=at)])
    end = at + 2 * 3600.0

    def first(**route: Any) -> float | None:
        found = told(fires, until=end, route=route, time_intervals=intervals)
        return found[0][0] - at if found else None

    assert first(mute_time_intervals=["night"]) == pytest.approx(6430.0)  # the first look after midnight
    assert first(active_time_intervals=["night"]) == 10.0
    assert first(routes=[{"receiver": "boss", "mute_time_intervals": ["night"]}]) == pytest.approx(6430.0)
    assert first(mute_time_intervals=["night"], routes=[{"receiver": "boss"}]) == 10.0  # not passed on below


def test_a_rate_limit_holds_back_and_loses_nothing():
    names = [alert(name) for name in "ABCD"]
    found = told((0.0, names), until=2 * 3600.0, route={"receiver": "limited", "repeat_interval": "10h"})
    assert [at for at, *_ in found] == [10.0, 10.0, 3610.0, 3610.0]
    over = [alert(name, resolved_at=100.0) for name in "ABCD"]
    found = told((0.0, names), (100.0, over), until=2 * 3600.0, route={"receiver": "limited"})
    assert [(at, status) for at, _, status, *_ in found] == [
        (10.0, "firing"),
        (10.0, "firing"),
        (3610.0, "resolved"),  # held back, not dropped, although the alerts have resolved
        (3610.0, "resolved"),
    ]


ESCALATE = {"escalate": [{"after": "90s", "to": "boss"}, {"after": "5min", "to": "team"}]}


def test_what_nobody_acknowledges_is_told_to_the_next_at_its_time_and_to_the_first_again():
    found = told((0.0, [A]), (350.0, [alert("A", resolved_at=350.0)]), route=ESCALATE, until=500.0)
    assert found == [
        (10.0, "team", "firing", 1, "first alert of the group"),
        (100.0, "boss", "firing", 1, "not acknowledged"),
        (310.0, "team", "firing", 1, "not acknowledged"),
        *((370.0, receiver, "resolved", 1, "all resolved") for receiver in ("team", "boss", "team")),
    ]


def test_an_acknowledged_alert_is_not_escalated_nor_repeated_but_its_next_episode_is():
    acknowledged = ByHand(acknowledged=frozenset({(A.fingerprint, 0.0)}))
    hand = lambda now: acknowledged if now >= 50.0 else ByHand()  # noqa: E731
    route = ESCALATE | {"repeat_interval": "100s"}
    assert told((0.0, [A]), route=route, by_hand=hand) == [
        (10.0, "team", "firing", 1, "first alert of the group")
    ]
    again = alert("A", active_at=200.0)
    found = told((0.0, [A]), (100.0, [A_OVER]), (200.0, [again]), route=route, by_hand=hand, until=310.0)
    assert (300.0, "boss", "firing", 1, "not acknowledged") in found


def test_an_alert_that_was_never_told_is_not_escalated():
    hand = ByHand(silences=(silence("alertname=A", 0.0, 1000.0),))
    assert told((0.0, [A]), route=ESCALATE, by_hand=lambda _: hand) == []


def test_an_alert_resolved_by_hand_counts_as_over_until_it_fires_anew():
    resolved = ByHand(resolved={(A.fingerprint, 0.0): 95.0})
    hand = lambda now: resolved if now >= 95.0 else ByHand()  # noqa: E731
    again = alert("A", active_at=200.0)
    found = told(*((float(at), [A]) for at in range(0, 180, 15)), (200.0, [again]), by_hand=hand, until=220.0)
    assert found == [
        (10.0, "team", "firing", 1, "first alert of the group"),
        (130.0, "team", "resolved", 1, "all resolved"),
        (210.0, "team", "firing", 1, "first alert of the group"),
    ]


def test_a_receiver_without_channels_is_told_nothing():
    assert told((0.0, [A]), route={"receiver": "nobody"}) == []


def test_what_became_of_an_alert_is_said_once_with_its_reason():
    pipeline = Pipeline(plan())
    hand = ByHand(silences=(silence("alertname=A", 0.0, 100.0),))
    pipeline.receive([A], now=0.0)
    events = [
        event for at in (10.0, 70.0, 130.0, 190.0) for event in pipeline.advance(now=at, by_hand=hand).events
    ]
    assert [(event.at, event.kind, event.receiver, event.detail) for event in events] == [
        (10.0, "withheld", "team", "silenced by 7"),
        (130.0, "told", "team", "first alert of the group"),
    ]


def drive(pipelines: Any, evaluations: dict[float, list[AlertInstance]], hand: ByHand) -> list[Message]:
    """Go through time, each second with the pipeline that `pipelines` gives."""
    messages: list[Message] = []
    for second in range(800):
        pipeline = pipelines(second)
        if second in evaluations:
            pipeline.receive(evaluations[second], now=float(second), by_hand=hand)
        messages += pipeline.advance(now=float(second), by_hand=hand).messages
    return messages


def test_a_pipeline_that_is_restarted_at_any_time_tells_the_same():
    rules = [{"source_matchers": ['alertname="B"'], "target_matchers": ['alertname="C"']}]
    chosen = plan(ESCALATE | {"receiver": "limited", "group_by": ["pool"]}, inhibit_rules=rules)
    evaluations: dict[float, list[AlertInstance]] = {
        0.0: [A, alert("C", pool="x")],
        30.0: [A, alert("B", pool="x"), alert("C", pool="x")],
        100.0: [A_OVER, alert("B", pool="x", resolved_at=100.0)],
        300.0: [alert("A", active_at=300.0)],
        500.0: [alert("A", active_at=300.0, resolved_at=500.0), alert("C", pool="x", resolved_at=500.0)],
    }
    hand = ByHand(silences=(silence("pool=x", 50.0, 90.0),))
    whole = Pipeline(chosen)
    expected = drive(lambda _: whole, evaluations, hand)
    assert len(expected) == 8

    kept: dict[str, Any] = {}

    def restarted(second: int) -> Pipeline:
        if second:
            for name, value in json.loads(json.dumps(current[0].changes())).items():
                kept[name] = value
                if value is None:
                    del kept[name]
        current[0] = Pipeline(chosen, kept)
        return current[0]

    current = [Pipeline(chosen)]
    assert drive(restarted, evaluations, hand) == expected


def test_after_a_long_absence_each_group_is_looked_at_once():
    pipeline = Pipeline(plan({"repeat_interval": "61s"}))
    pipeline.receive([A], now=0.0)
    assert len(pipeline.advance(now=10.0).messages) == 1
    assert len(pipeline.advance(now=10_000.0).messages) == 1
    assert pipeline.next_at() == 10_060.0


def test_a_group_whose_route_is_gone_is_named_and_one_whose_alerts_go_elsewhere_ends_where_it_began():
    pipeline = Pipeline(plan({"routes": [{"matchers": ["alertname=A"], "receiver": "boss"}]}))
    pipeline.receive([A], now=0.0)
    pipeline.advance(now=10.0)
    kept = pipeline.changes()
    without = Pipeline(plan(), kept)
    assert without.lost == ['{}/{alertname="A"} to boss {alertname="A"}']
    assert without.changes() == {without.lost[0]: None}
    moved = Pipeline(
        plan({"routes": [{"receiver": "quiet"}, {"matchers": ["alertname=A"], "receiver": "boss"}]}), kept
    )
    moved.receive([alert("A", resolved_at=50.0)], now=50.0)
    (end,) = moved.advance(now=70.0).messages
    assert (end.receiver, end.status) == ("boss", "resolved")
    assert moved.next_at() is None


def test_a_thousand_groups_are_looked_at_in_time_order_and_forgotten_when_they_are_over():
    alerts = [alert("A", pool=str(number)) for number in range(1000)]
    pipeline = Pipeline(plan({"group_by": ["..."]}))
    pipeline.receive(alerts, now=0.0)
    assert len(pipeline.advance(now=10.0).messages) == 1000
    pipeline.receive([alert("A", pool=str(number), resolved_at=20.0) for number in range(1000)], now=20.0)
    assert len(pipeline.advance(now=70.0).messages) == 1000
    assert pipeline.next_at() is None
    kept = pipeline.changes()
    assert kept.pop("sent") == []
    assert len(kept) == 1000
    assert set(kept.values()) == {None}
