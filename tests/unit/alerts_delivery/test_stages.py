"""Stages one by one: what they let through, and the reasons that they give."""

from __future__ import annotations

import pytest

from tests.unit.alerts_delivery.loopback import alert
from workbench.alerts.silences import ByHand
from workbench.alerts.stages import (
    STAGES,
    DedupStage,
    Destination,
    Known,
    Outcome,
    Parcel,
    Stage,
    Told,
    Way,
    episode,
)

PLACE = Destination("team", 0, 0)
WAY = Way(0, "{}", "team", frozenset(), 10.0, 60.0, 100.0)
FIRING = {name: alert(name) for name in "abc"}
OVER = {name: alert(name, resolved_at=5.0) for name in "abc"}


def names(text: str) -> frozenset[str]:
    return frozenset(FIRING[name].fingerprint for name in text)


def judge(
    now_firing: str,
    now_over: str,
    told: Told | None,
    *,
    wanted: bool = True,
    now: float = 50.0,
    acked: str = "",
) -> tuple[Outcome, str]:
    alerts = (*(FIRING[name] for name in now_firing), *(OVER[name] for name in now_over))
    parcel = Parcel(alerts, now, WAY, destination=PLACE, send_resolved=wanted)
    by_hand = ByHand(acknowledged=frozenset(episode(FIRING[name]) for name in acked))
    (after,) = DedupStage().apply(parcel, Known(by_hand=by_hand, told={PLACE: told} if told else {}))
    return after.outcome, after.reason


def before(firing: str, over: str = "", at: float = 0.0) -> Told:
    return Told(at, names(firing), names(over))


@pytest.mark.parametrize(
    ("judged", "outcome", "reason"),
    [
        (judge("a", "", None), Outcome.TELL, "first alert of the group"),
        (judge("", "a", None), Outcome.NOTHING, "never told, and over"),
        (judge("a", "", before("a")), Outcome.NOTHING, "told already"),
        (judge("ab", "", before("a")), Outcome.TELL, "new alert"),
        (judge("a", "", before("ab")), Outcome.NOTHING, "told already"),
        (judge("a", "b", before("ab")), Outcome.TELL, "some resolved"),
        (judge("a", "b", before("ab"), wanted=False), Outcome.NOTHING, "told already"),
        (judge("a", "b", before("a", "b")), Outcome.NOTHING, "told already"),
        (judge("", "ab", before("ab")), Outcome.TELL, "all resolved"),
        (judge("", "ab", before("ab"), wanted=False), Outcome.NOTE, "resolved alerts are not wanted"),
        (judge("", "b", before("", "a")), Outcome.NOTHING, "told already"),  # began and ended unheard
        (judge("a", "", before("a"), now=100.0), Outcome.NOTHING, "told already"),
        (judge("a", "", before("a"), now=100.001), Outcome.TELL, "repeat"),
        (judge("", "a", before("", "a"), now=1000.0), Outcome.NOTHING, "told already"),
        (judge("ab", "", before("ab"), now=1000.0, acked="ab"), Outcome.NOTHING, "told already"),
        (judge("ab", "", before("ab"), now=1000.0, acked="a"), Outcome.TELL, "repeat"),
        (judge("", "", before("a")), Outcome.NOTHING, "nothing left to tell"),
    ],
)
def test_dedup_tells_what_is_news_or_old_enough(judged: tuple[Outcome, str], outcome: Outcome, reason: str):
    assert judged == (outcome, reason)


def test_every_stage_is_one_method_on_a_parcel():
    for stage in STAGES.values():
        assert issubclass(stage, Stage)
        assert [name for name in vars(stage) if not name.startswith("_") and name != "ways"] == ["apply"]


@pytest.mark.parametrize("stage", ["silence", "dedup"])
def test_a_parcel_without_alerts_passes(stage: str):
    (after,) = STAGES[stage]().apply(Parcel((), 0.0), Known())
    assert after.alerts == ()
