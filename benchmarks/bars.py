"""Bars on a logarithmic scale as an SVG file that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#a463f2")
_LEFT, _TOP, _HEIGHT, _BAR, _GAP, _BOTTOM = 70, 30, 300, 12, 20, 110


def bars(groups: Sequence[str], values: Mapping[str, Sequence[float]], *, label: str) -> str:
    """Draw groups of bars, one a series; a value of 0 has none."""
    largest = max(max(series) for series in values.values())
    least = min(value for series in values.values() for value in series if value > 0)
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(largest))
    step = _BAR * len(values) + _GAP
    width = _LEFT + step * len(groups) + _GAP
    foot = _TOP + _HEIGHT

    def level(value: float) -> float:
        return foot - _HEIGHT * (math.log10(value) - low) / (high - low)

    parts = [f'<text x="4" y="14">{escape(label)}</text>']
    for power in range(low, high + 1):
        y = level(10.0**power)
        parts.append(f'<line x1="{_LEFT}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    for place, (name, series) in enumerate(values.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        for group, value in enumerate(series):
            if value > 0:
                x, y = _LEFT + _GAP / 2 + group * step + place * _BAR, level(value)
                title = f"<title>{escape(f'{groups[group]}, {name}: {value:,.0f}')}</title>"
                box = f'width="{_BAR - 1}" height="{foot - y:.1f}" fill="{colour}"'
                parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" {box}>{title}</rect>')
        x = _LEFT + 110 * place
        parts.append(f'<rect x="{x}" y="{foot + 90}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14}" y="{foot + 99}">{escape(name)}</text>')
    for group, name in enumerate(groups):
        x = _LEFT + _GAP / 2 + group * step + step / 2
        turn = f'transform="translate({x:.1f},{foot + 14}) rotate(25)"'
        parts.append(f"<text {turn}>{escape(name)}</text>")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 60}" height="{foot + _BOTTOM}"'
    style = 'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
    return "\n".join([f"{head} {style}", *parts, "</svg>\n"])
