"""The window on the simulated clock that figures are of."""

from __future__ import annotations

import streamlit as st

from workbench.charts.theme import clock_unit
from workbench.dashboard import addresses
from workbench.dashboard.addresses import Window
from workbench.errors import InputError
from workbench.store import Run


def choose_window(run: Run) -> Window | None:
    """Let the window be moved; None is the measured window."""
    length = (run.end_us or 0) / 1e6
    measured = (run.warm_up_us or 0) / 1e6, length
    try:
        asked = addresses.asked_window(length)
    except InputError as error:
        st.warning(f"{error}. Shown is the measured window.")
        asked = None
    if length <= 0:
        return None
    unit = clock_unit(length)
    start, end = unit.scale(asked or measured)
    key = f"window of run {run.run_id}"
    st.slider(
        f"Window on the simulated clock ({unit.name})",
        0.0,
        length / unit.seconds,
        (start, end),
        step=length / unit.seconds / 200,
        key=key,
        on_change=lambda: addresses.keep_window(_moved(key, unit.seconds, measured)),
        help="Figures, distribution and slowest requests are exact for the requests that arrived in it.",
    )
    return asked


def _moved(key: str, unit_s: float, measured: Window) -> Window | None:
    start, end = (value * unit_s for value in st.session_state[key])
    same = abs(start - measured[0]) < 1e-6 and abs(end - measured[1]) < 1e-6
    return None if same or start >= end else (start, end)
