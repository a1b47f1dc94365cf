"""Templates say what Prometheus's would; tests/parity compares them with promtool."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from workbench.alerts.templates import Template, render

LABELS = {"server": "a"}


@pytest.mark.parametrize(
    ("template", "value", "expected"),
    [
        ("plain", 1.0, "plain"),
        ("{{ $labels.server }}: {{ $value }}", 5.0, "a: 5"),
        ("{{$labels.missing}}|", 5.0, "|"),
        ("{{ .Labels.server }} {{ .Value }}", 0.25, "a 0.25"),
        ("{{ $value | humanize }}", 1234567.0, "1.235M"),
        ("{{ humanize $value }}", 0.00123, "1.23m"),
        ("{{ $value | humanizeDuration }}", 93784.0, "1d 2h 3m 4s"),
        ("{{ $value | humanizeDuration }}", 0.0421, "42.1ms"),
        ("{{ $value | humanizeDuration }}", -61.0, "-1m 1s"),
        ("{{ $value | humanizePercentage }}", 0.1234567, "12.35%"),
        ('{{ printf "%.2f" $value }}', 3.14159, "3.14"),
        ('{{ $value | printf "%.1f of %%" }}', 2.0, "2.0 of %"),
        ("{{ $value }}", float("inf"), "+Inf"),
        ("{{ $value }}", 1e21, "1e+21"),
    ],
)
def test_a_template_is_filled_in(template: str, value: float, expected: str):
    assert TypeAdapter(Template).validate_python(template) == template
    assert render(template, LABELS, value) == expected


@pytest.mark.parametrize(
    "template", ["{{ $valu }}", "{{ $value | upper }}", "{{ $value", "}}", "{{ range $x }}", "{{ }}"]
)
def test_what_cannot_be_filled_in_is_refused(template: str):
    with pytest.raises(ValidationError, match=r"in double braces \$labels.NAME or \$value"):
        TypeAdapter(Template).validate_python(template)
