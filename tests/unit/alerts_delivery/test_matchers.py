"""Matchers: what they accept, and what they match."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from workbench.alerts.labels import Labels
from workbench.alerts.matchers import Condition, Matcher, all_match, parse_matcher

LABELS = Labels({"severity": "page", "pool": "web", "path": 'a "b"\\c'})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('severity="page"', True),
        ("severity=page", True),
        (" severity = page ", True),
        ('severity="pag"', False),
        ('severity!="page"', False),
        ('pool=~"web|api"', True),
        ('pool=~"we"', False),  # anchored at both ends
        ('pool!~"we"', True),
        ('pool=~"w.*"', True),
        ('zone=""', True),  # a missing label is empty
        ('zone!=""', False),
        ('zone=~".*"', True),
        ('zone=~".+"', False),
        (r'path="a \"b\"\\c"', True),
    ],
)
def test_a_condition_holds_as_in_alertmanager(text: str, expected: bool):
    assert parse_matcher(text).matches(LABELS) is expected


@pytest.mark.parametrize("text", ['severity="page"', 'pool=~"web|api"', r'path!="a \"b\"\\c"', 'a=""'])
def test_what_a_matcher_prints_reads_as_the_same_matcher(text: str):
    matcher = parse_matcher(text)
    assert str(matcher) == text
    assert parse_matcher(str(matcher)) == matcher


@pytest.mark.parametrize("text", ["", "severity", '9a="b"', 'a=~"("', 'a="b', 'a=b"', "=b", 3, None, ["a=b"]])
def test_what_is_no_condition_is_refused(text: object):
    with pytest.raises(ValidationError, match=r"condition on a label|regular expression"):
        TypeAdapter(Condition).validate_python(text)


def test_all_conditions_must_hold_and_none_hold_for_everything():
    both = [Matcher("severity", "=", "page"), Matcher("pool", "=", "api")]
    assert all_match(both[:1], LABELS)
    assert not all_match(both, LABELS)
    assert all_match([], LABELS)
