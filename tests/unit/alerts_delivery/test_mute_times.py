"""Mute times: when they hold, by the calendar and the clock of their place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from workbench.alerts.mute_times import Spell, TimeInterval


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def holds(spell: dict[str, Any], text: str) -> bool:
    return Spell.model_validate(spell).contains(at(text))


NIGHT = {
    "times": [{"start_time": "22:00", "end_time": "24:00"}, {"start_time": "00:00", "end_time": "07:00"}]
}


@pytest.mark.parametrize(
    ("spell", "time", "expected"),
    [
        ({}, "2024-02-29T12:00", True),
        (NIGHT, "2024-02-29T22:00", True),
        (NIGHT, "2024-02-29T23:59:59", True),
        (NIGHT, "2024-02-29T06:59:59", True),
        (NIGHT, "2024-02-29T07:00", False),  # the end is not in it
        (NIGHT, "2024-02-29T21:59:59", False),
        ({"weekdays": ["monday:friday"]}, "2024-03-01T12:00", True),  # a Friday
        ({"weekdays": ["monday:friday"]}, "2024-03-02T12:00", False),
        ({"weekdays": ["sunday", "saturday"]}, "2024-03-03T12:00", True),
        ({"days_of_month": ["-1"]}, "2024-02-29T12:00", True),
        ({"days_of_month": ["-1"]}, "2023-02-28T12:00", True),
        ({"days_of_month": ["-1"]}, "2024-02-28T12:00", False),
        ({"days_of_month": ["1:3", 15]}, "2024-02-15T12:00", True),
        ({"days_of_month": ["28:-1"]}, "2024-02-29T12:00", True),
        ({"days_of_month": ["31"]}, "2024-02-29T12:00", False),
        ({"months": ["november:december", 2]}, "2024-02-29T12:00", True),
        ({"months": ["november:december"]}, "2024-02-29T12:00", False),
        ({"years": ["2020:2023"]}, "2024-02-29T12:00", False),
        ({"years": [2024]}, "2024-02-29T12:00", True),
        # Berlin is an hour ahead of UTC in winter, two in summer.
        (NIGHT | {"location": "Europe/Berlin"}, "2024-01-10T21:00", True),
        (NIGHT | {"location": "Europe/Berlin"}, "2024-01-10T20:30", False),
        (NIGHT | {"location": "Europe/Berlin"}, "2024-07-10T20:30", True),
        # Half past eleven on a Friday evening in Berlin is Friday there.
        ({"weekdays": ["saturday"], "location": "Asia/Tokyo"}, "2024-03-01T16:00", True),
    ],
)
def test_a_spell_holds_when_all_that_it_names_does(spell: dict[str, Any], time: str, expected: bool):
    assert holds(spell, time) is expected


def test_an_interval_holds_when_any_of_its_spells_does():
    interval = TimeInterval.model_validate(
        {"name": "quiet", "time_intervals": [NIGHT, {"weekdays": ["sunday"]}]}
    )
    assert interval.contains(at("2024-03-03T12:00"))
    assert interval.contains(at("2024-03-01T23:00"))
    assert not interval.contains(at("2024-03-01T12:00"))


def test_what_it_prints_reads_as_the_same():
    spell = Spell.model_validate(NIGHT | {"weekdays": ["monday:friday"], "days_of_month": ["-3:-1"]})
    assert Spell.model_validate(spell.model_dump(mode="json")) == spell


@pytest.mark.parametrize(
    "wrong",
    [
        {"times": [{"start_time": "9:00", "end_time": "17:00"}]},
        {"times": [{"start_time": "09:00", "end_time": "24:01"}]},
        {"times": [{"start_time": "22:00", "end_time": "07:00"}]},
        {"times": [{"start_time": "09:60", "end_time": "10:00"}]},
        {"weekdays": ["mon"]},
        {"weekdays": ["friday:monday"]},
        {"days_of_month": [0]},
        {"days_of_month": ["5:2"]},
        {"days_of_month": [32]},
        {"months": [13]},
        {"months": ["0:4"]},
        {"years": ["soon"]},
        {"location": "Mars/Olympus"},
        {"location": "../etc/passwd"},
        {"weekday": ["monday"]},
    ],
)
def test_what_is_no_time_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        Spell.model_validate(wrong)
