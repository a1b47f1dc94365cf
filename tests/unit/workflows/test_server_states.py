"""How servers stand, told from what has happened to them."""

from __future__ import annotations

from typing import Any

from workbench.workflows.server_states import fault_spans, server_states


def event(kind: str, server: int | None = 0, detail: str = "", at: float = 0.0, balancer: int | None = None):
    return {"kind": kind, "server_id": server, "detail": detail, "at_s": at, "balancer_id": balancer}


def states(*events: dict[str, Any]):
    return server_states(events, names=["a", "b"], weights=[1.0, 2.0])


def test_nothing_happened_and_all_are_up():
    assert [(one.label, one.weight, one.serves) for one in states()] == [("up", 1.0, True), ("up", 2.0, True)]


def test_what_was_done_to_a_server_lasts_until_it_is_taken_back():
    drained, slow = event("fault_begins", detail="drain"), event("fault_begins", detail="slow 0.5")
    one, other = states(drained, slow)
    assert (one.label, one.serves, other.serves) == ("drain, slow 0.5", False, True)
    one, _ = states(drained, slow, event("fault_ends", detail="drain"))
    assert (one.label, one.serves) == ("slow 0.5", True)


def test_a_server_is_down_while_any_balancer_holds_it_to_be():
    both = [event("down", balancer=0), event("down", balancer=1), event("up", balancer=0)]
    assert states(*both)[0].label == "held to be down"
    assert states(*both, event("up", balancer=1))[0].serves


def test_an_ejected_server_does_not_serve_until_it_returns():
    assert not states(event("ejected"))[0].serves
    assert states(event("ejected"), event("returned"))[0].serves


def test_weights_are_those_of_the_last_command_by_number_or_name():
    told = "weight 0=5 b=0 (command 3 of ann: as (command 1) said)"
    assert [one.weight for one in states(event("command", None, told))] == [5.0, 0.0]
    assert states(event("weight", 1, "0.5"))[1].weight == 0.5


def test_other_commands_change_no_weight():
    assert states(event("command", None, "strategy=random (command 1 of ann)"))[0].weight == 1.0


def test_of_a_watched_server_nobody_may_tell_whether_it_is_up():
    found = event("found", detail='{"up": null}')
    assert states(found)[0].label == "not told"


def test_faults_are_spans_and_the_last_may_go_on():
    spans = fault_spans(
        [
            event("fault_begins", 0, "slow 0.5", 1.0),
            event("fault_begins", 1, "slow 0.5", 2.0),
            event("fault_ends", 0, "slow 0.5", 3.0),
        ]
    )
    assert [(one["server_id"], one["begin_s"], one["end_s"]) for one in spans] == [
        (0, 1.0, 3.0),
        (1, 2.0, None),
    ]
