"""Durations, rates and extents are read as people write them, and nothing else is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from workbench.quantities import (
    Duration,
    Extent,
    PositiveDuration,
    PositiveRate,
    Rate,
    format_duration,
    parse_duration,
    parse_rate,
)


class Quantities(BaseModel):
    duration: Duration = 0.0
    positive_duration: PositiveDuration = 1.0
    rate: Rate = 0.0
    positive_rate: PositiveRate = 1.0
    extent: Extent = Extent(share=0.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("5min", 300),
        ("5m", 300),
        ("1h 30min", 5400),
        ("1h30m", 5400),
        ("2 d", 172_800),
        ("1day", 86_400),
        ("1.5s", 1.5),
        (".5s", 0.5),
        ("3.s", 3),
        ("10sec", 10),
        ("7us", 7e-6),
        ("7µs", 7e-6),
        ("9ns", 9e-9),
        ("1e-3s", 1e-3),
        ("  2s  ", 2),
        ("0s", 0),
        (0, 0),
        (2, 2),
        (0.25, 0.25),
        (np.float64(0.25), 0.25),
    ],
)
def test_durations_become_seconds(text: Any, seconds: float):
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-15)
    assert type(parse_duration(text)) is float


@pytest.mark.parametrize(
    "value",
    [
        "",
        "5",
        "s",
        "-5s",
        "5 apples",
        "5s 3",
        "5 s s",
        "1h, 30min",
        "5S",
        "5s/min",
        "five seconds",
        "1_000s",
        -1,
        -0.5,
        math.nan,
        math.inf,
        True,
        None,
        [],
        {"seconds": 5},
    ],
    ids=str,
)
def test_what_is_no_duration_is_refused_with_an_example(value: Any):
    with pytest.raises(ValueError, match="a duration of 0 or more, such as 250ms, 5min or 1h 30min"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("text", "per_second"),
    [
        ("340/s", 340),
        ("20k/min", 20_000 / 60),
        ("1.5M/h", 1.5e6 / 3600),
        ("2G/d", 2e9 / 86_400),
        ("3 / ms", 3000),
        (" 0/s ", 0),
        ("1e3/s", 1000),
        (12.5, 12.5),
        (0, 0),
    ],
)
def test_rates_become_events_per_second(text: Any, per_second: float):
    assert parse_rate(text) == pytest.approx(per_second, rel=1e-15)
    assert type(parse_rate(text)) is float


@pytest.mark.parametrize(
    "value",
    [
        "",
        "340",
        "/s",
        "-1/s",
        "340/fortnight",
        "340 per s",
        "340/2s",
        "3K/s",
        "3m/s/s",
        "1/s 2/s",
        -3,
        math.nan,
        -math.inf,
        False,
        None,
        ["1/s"],
    ],
    ids=str,
)
def test_what_is_no_rate_is_refused_with_an_example(value: Any):
    with pytest.raises(ValueError, match="a rate of 0 or more, such as 340/s or 20k/min"):
        parse_rate(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100000 requests", Extent(requests=100_000)),
        ("100k requests", Extent(requests=100_000)),
        ("1 request", Extent(requests=1)),
        ("2.5M req", Extent(requests=2_500_000)),
        ("1e5 requests", Extent(requests=100_000)),
        ("10min", Extent(seconds=600)),
        ("1h 30min", Extent(seconds=5400)),
        ("10%", Extent(share=0.1)),
        ("0 %", Extent(share=0)),
        ({"requests": 5}, Extent(requests=5)),
        ({"requests": 5, "seconds": None, "share": None}, Extent(requests=5)),
    ],
)
def test_extents_are_requests_a_time_or_a_share(text: Any, expected: Extent):
    assert Extent.model_validate(text) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "10",
        "10 users",
        "-10%",
        "-5 requests",
        "10 % requests",
        "1k",
        "100%",
        "250%",
        {},
        {"requests": 1, "seconds": 2},
        {"requests": -1},
        {"share": 1.0},
        {"share": math.nan},
        {"days": 3},
    ],
    ids=str,
)
def test_what_is_no_extent_is_refused(value: Any):
    with pytest.raises(ValidationError):
        Extent.model_validate(value)


@pytest.mark.parametrize("field", ["positive_duration", "positive_rate"])
@pytest.mark.parametrize("value", [0, 0.0, 1e-320])
def test_what_must_be_above_zero_is(field: str, value: float):
    with pytest.raises(ValidationError, match="more than 0"):
        Quantities.model_validate({field: value})
    assert getattr(Quantities.model_validate({field: 1e-9}), field) == 1e-9


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration", "1e400s"),
        ("positive_duration", "1e308d"),
        ("rate", "1e400/s"),
        ("positive_rate", "1e308G/s"),
        ("extent", "1e400s"),
        ("extent", {"seconds": math.inf}),
        ("duration", 10**400),
        ("rate", 10**400),
        ("extent", "1e400 requests"),
        ("extent", "1e308M requests"),
        ("duration", "1e308s 1e308s"),
    ],
    ids=lambda value: "10 ** 400" if isinstance(value, int) else str(value),
)
def test_what_is_beyond_all_floats_is_refused(field: str, value: Any):
    with pytest.raises(ValidationError):
        Quantities.model_validate({field: value})


@pytest.mark.parametrize("value", [1000, [1], True], ids=str)
def test_a_value_of_another_kind_is_answered_as_any_other_extent(value: Any):
    with pytest.raises(ValidationError) as error:
        Extent.model_validate(value)
    assert "100k requests, 10min, 10%" in str(error.value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (1.234e-7, "0.123 µs"),
        (4.2e-6, "4.2 µs"),
        (0.0123456, "12.3 ms"),
        (0.9994, "999 ms"),
        (1, "1 s"),
        (59.94, "59.9 s"),
        (119, "119 s"),
        (120, "2 min"),
        (5400, "90 min"),
        (7200, "2 h"),
        (1e6, "278 h"),
        (-0.25, "-250 ms"),
        (math.nan, "-"),
        (math.inf, "-"),
    ],
)
def test_durations_are_shown_with_three_digits(seconds: float, text: str):
    assert format_duration(seconds) == text


@given(st.floats(1e-6, 1e6))
def test_a_shown_duration_reads_back_within_half_a_unit_of_its_third_digit(seconds: float):
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=0.0051)


@given(st.floats(0, 1e12))
def test_plain_numbers_keep_their_value(number: float):
    assert parse_duration(number) == parse_rate(number) == number


@pytest.mark.parametrize(
    ("extent", "text"),
    [
        (Extent(requests=1000), "1000 requests"),
        (Extent(seconds=600), "10 min"),
        (Extent(share=0.125), "12.5 %"),
        (Extent(share=0), "0 %"),
    ],
)
def test_an_extent_is_written_so_that_it_can_be_read_again(extent: Extent, text: str):
    assert str(extent) == text
    assert Extent.model_validate(text) == extent
