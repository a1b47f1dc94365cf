"""Templates of annotations and labels: the part of Prometheus's that alerts use.

`{{ $labels.server }}`, `{{ $value }}`, `{{ $value | humanize }}`, and `printf "%.2f"` before or after;
the other functions are `humanizeDuration` (seconds) and `humanizePercentage` (a share). What comes
out is, character for character, what Prometheus 2.42 writes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_PIPE = re.compile(r'\|(?=(?:[^"]*"[^"]*")*[^"]*$)')
"""A bar that does not stand between quotes."""
_TERM = re.compile(r"\$value|\$labels\.[a-zA-Z_]\w*|\.Value|\.Labels\.[a-zA-Z_]\w*")
_PRINTF = re.compile(r'printf\s+"((?:[^"\\%]|%%|\\.)*%[-+ 0#]*\d*(?:\.\d+)?[vsfgqe](?:[^"\\%]|%%|\\.)*)"')
_VERB = re.compile(r"%([-+ 0#]*\d*(?:\.\d+)?)([vsfgqe])")
_UP, _DOWN = ("k", "M", "G", "T", "P", "E", "Z", "Y"), ("m", "u", "n", "p", "f", "a", "z", "y")
_EXPONENT = 6
"""The power of ten from which on Go writes an exponent, of the shortest form of a number."""


def go_number(value: float) -> str:
    """Write a number as Go prints it: as short as it can be, from a million on with an exponent.

    >>> go_number(5.0), go_number(0.25), go_number(1234567.0), go_number(2.5e-5)
    ('5', '0.25', '1.234567e+06', '2.5e-05')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    number = Decimal(repr(value)).normalize()
    exponent = number.adjusted()
    if value == 0 or -4 <= exponent < _EXPONENT:
        return f"{value:.0f}" if value.is_integer() else f"{number:f}"
    digits = "".join(str(digit) for digit in number.as_tuple().digits)
    mantissa = f"{digits[0]}.{digits[1:]}".removesuffix(".")
    return f"{'-' if value < 0 else ''}{mantissa}e{'+' if exponent >= 0 else '-'}{abs(exponent):02d}"


def _four(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else go_number(value)


def _scaled(value: float) -> tuple[float, str]:
    prefix = ""
    if abs(value) >= 1:
        for step in _UP:
            if abs(value) < 1000:
                break
            prefix, value = step, value / 1000
    else:
        for step in _DOWN:
            if abs(value) >= 1:
                break
            prefix, value = step, value * 1000
    return value, prefix


def humanize(value: float) -> str:
    """Write a number with four digits and a metric prefix."""
    if value == 0 or not math.isfinite(value):
        return _four(value)
    scaled, prefix = _scaled(value)
    return _four(scaled) + prefix


def humanize_duration(value: float) -> str:
    """Write seconds in days, hours, minutes and seconds."""
    if not math.isfinite(value):
        return _four(value)
    size = abs(value)
    if 0 < size < 1:
        scaled, prefix = _scaled(value)
        return f"{_four(scaled)}{prefix}s"
    if size < 60:
        return f"{_four(value)}s"
    whole = int(size)
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")]
    while parts[0][0] == 0:
        parts.pop(0)
    return ("-" if value < 0 else "") + " ".join(f"{amount}{unit}" for amount, unit in parts)


_FUNCTIONS: Mapping[str, Callable[[float], str]] = {
    "humanize": humanize,
    "humanizeDuration": humanize_duration,
    "humanizePercentage": lambda value: _four(value * 100) + "%",
}


def render(text: str, labels: Mapping[str, str], value: float) -> str:
    """Fill a template in."""
    return _ACTION.sub(lambda action: _evaluated(action[1], labels, value), text) if "{{" in text else text


def _evaluated(action: str, labels: Mapping[str, str], value: float) -> str:
    first, *pipes = (part.strip() for part in _PIPE.split(action))
    if match := _PRINTF.match(first):
        pipes.insert(0, match[0])
        first = first[match.end() :].strip()
    elif (name := first.partition(" ")[0]) in _FUNCTIONS:
        pipes.insert(0, name)
        first = first.removeprefix(name).strip()
    if not _TERM.fullmatch(first):
        raise ValueError(first)
    is_value = first in ("$value", ".Value")
    result: str | float = value if is_value else labels.get(first.rpartition(".")[2], "")
    for pipe in pipes:
        if match := _PRINTF.fullmatch(pipe):
            result = _printed(match[1], result)
        else:
            result = _FUNCTIONS[pipe](float(result))
    return go_number(result) if isinstance(result, float) else result


def _printed(form: str, given: str | float) -> str:
    def verb(match: re.Match[str]) -> str:
        how = match[2]
        if isinstance(given, str):
            if how not in "vsq":
                return f"%!{how}(string={given})"
            return f"%{match[1]}s" % (given if how != "q" else f'"{given}"')
        if how in "sq":
            return f"%!{how}(float64={go_number(given)})"
        if how == "v" or not math.isfinite(given):
            return f"%{match[1].partition('.')[0]}s" % go_number(given)
        if how == "g" and "." not in match[1]:
            return f"%{match[1]}s" % go_number(given)
        return f"%{match[1]}{how}" % given

    unescaped = form.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
    return "%".join(_VERB.sub(verb, part) for part in unescaped.split("%%"))


def _check(text: str) -> str:
    left = _ACTION.sub("", text)
    allowed = (
        "in double braces $labels.NAME or $value, and after it | and one of "
        f"{', '.join(sorted(_FUNCTIONS))}, or printf with one verb"
    )
    if "{{" in left or "}}" in left:
        raise PydanticCustomError("template", allowed)
    try:
        render(text, {}, 1.0)
    except (ValueError, KeyError):
        for action in _ACTION.findall(text):
            if not _is_known(action):
                raise PydanticCustomError("template", allowed) from None
    return text


def _is_known(action: str) -> bool:
    try:
        _evaluated(action, {}, 1.0)
    except KeyError:
        return False
    except ValueError as error:
        return bool(str(error).startswith("could not convert"))  # a label, for which a number is needed
    return True


Template = Annotated[str, AfterValidator(_check)]
"""A text with `{{ ... }}`, checked when it is read."""
