"""The shared look: ticks that people read, colours that everybody tells apart."""

from __future__ import annotations

import itertools
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import workbench
from workbench.charts import theme

CONFIG = Path(workbench.__file__).parent / "dashboard" / ".streamlit" / "config.toml"
THEMES = tomllib.loads(CONFIG.read_text())["theme"]
LIGHT_AND_DARK = [THEMES["light"], THEMES["dark"]]

# Machado, Oliveira and Fernandes (2009), A Physiologically-based Model for Simulation of Color Vision
# Deficiency, table 1: full severity, on linear RGB.
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(color: str) -> np.ndarray:
    """Undo the gamma of sRGB."""
    channels = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB under D65."""
    ratios = TO_XYZ @ np.clip(rgb, 0, 1) / (TO_XYZ @ np.ones(3))
    x, y, z = np.where(ratios > 0.008856, np.cbrt(ratios), 7.787 * ratios + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISION)
def test_series_are_told_apart_by_every_eye(vision: str):
    seen = [lab(VISION[vision] @ linear(color)) for color in theme.SERIES]
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > 25


def contrast(color: str, background: str) -> float:
    """Contrast ratio of WCAG 2.2, 1 to 21."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    light, dark = sorted((weights @ linear(color), weights @ linear(background)), reverse=True)
    return float((light + 0.05) / (dark + 0.05))


@pytest.mark.parametrize("page", LIGHT_AND_DARK)
@pytest.mark.parametrize("color", [*theme.SERIES, theme.GREY])
def test_series_stand_out_from_light_and_dark(color: str, page: dict[str, str]):
    assert contrast(color, page["backgroundColor"]) >= 3  # WCAG 2.2, 1.4.11


@pytest.mark.parametrize("page", LIGHT_AND_DARK)
@pytest.mark.parametrize("background", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_is_legible_on_light_and_dark(background: str, page: dict[str, str]):
    assert contrast(page["textColor"], page[background]) >= 7  # WCAG 2.2, 1.4.6
    assert contrast(page["linkColor"], page[background]) >= 4.5


@given(st.floats(1e-6, 86400), st.floats(1, 1e8))
@example(low=2.0, ratio=math.nextafter(1, 2))
def test_an_axis_of_durations_has_some_ticks_and_not_too_many(low: float, ratio: float):
    high = min(low * ratio, 90_000)
    ticks = theme.duration_ticks(low, high)
    assert len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert all(low * (1 - 1e-9) <= tick <= high * (1 + 1e-9) for tick in ticks)
    if high > 1.2 * low:
        assert len(ticks) >= 2


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0004, 0.009, ["500 µs", "1 ms", "2 ms", "5 ms"]),
        (0.01, 300, ["10 ms", "100 ms", "1 s", "10 s", "60 s"]),
        (24, 350, ["30 s", "60 s", "2 min", "5 min"]),
        (7.54, 8.41, ["7.6 s", "7.8 s", "8 s", "8.2 s", "8.4 s"]),
        (0.0, 0.04, ["0 s", "10 ms", "20 ms", "30 ms", "40 ms"]),
    ],
)
def test_ticks_are_durations_as_people_write_them(low: float, high: float, labels: list[str]):
    assert theme.duration_axis("response time", low, high)["ticktext"] == labels


def test_durations_are_on_a_log_scale_unless_one_is_zero():
    above, from_zero = theme.duration_axis("wait", 0.1, 1.0), theme.duration_axis("wait", 0.0, 1.0)
    assert (above["type"], above["title"]["text"]) == ("log", "wait (log scale)")
    assert (from_zero["type"], from_zero["title"]["text"]) == ("linear", "wait")
    low, high = above["range"]
    assert low < math.log10(0.1)
    assert high > math.log10(1.0)


@pytest.mark.parametrize(
    ("length", "unit"), [(0.5, "ms"), (20, "s"), (299, "s"), (3500, "min"), (20_000, "h"), (1e6, "h")]
)
def test_the_clock_is_counted_in_a_unit_that_suits_the_run(length: float, unit: str):
    assert theme.clock_unit(length).name == unit
    assert theme.clock_axis(theme.clock_unit(length))["title"]["text"] == f"simulated clock ({unit})"
