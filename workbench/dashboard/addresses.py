"""Where the pages are, and what their addresses say.

A page's address alone leads to the same view: which run or comparison, and which window.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.errors import InputError

_ROOMS = Path(__file__).parent / "rooms"  # beside a folder called pages, Streamlit would not run the frame
RUNS, RUN, COMPARISON = (_ROOMS / f"{name}.py" for name in ("runs", "run", "comparison"))
SWEEPS, BALANCER = (_ROOMS / f"{name}.py" for name in ("sweeps", "balancer"))
NOW = _ROOMS / "now.py"
HISTORY, EXPERIMENTS, JOBS = (_ROOMS / f"{name}.py" for name in ("history", "experiments", "jobs"))
ALERTS, RECONCILIATION, DATA = (_ROOMS / f"{name}.py" for name in ("alerts", "reconciliation", "data"))

Window = tuple[float, float]
"""From and to, seconds on the simulated clock."""
_ROUNDING_S = 1e-6


def open_run(run_id: int) -> None:
    """Go to the page of a run."""
    st.switch_page(RUN, query_params={"run": str(run_id)})


def open_comparison(comparison_id: int) -> None:
    """Go to the page of a comparison."""
    st.switch_page(COMPARISON, query_params={"comparison": str(comparison_id)})


def asked_number(name: str) -> int | None:
    """Read a number from the address; None where it names none.

    Raises:
        InputError: what it names is no number.
    """
    text = st.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError(f"{name} in the address: given {text!r}; allowed: the number of a {name}")
    return int(text)


def asked_window(length_s: float) -> Window | None:
    """Read a window from the address; None where it names none.

    Args:
        length_s: length of the run, seconds.

    Raises:
        InputError: what it names is no window of the run.
    """
    given = st.query_params.get("from"), st.query_params.get("to")
    if given == (None, None):
        return None
    try:
        start, end = float(given[0] or 0.0), float(given[1] or length_s)
    except ValueError:
        start, end = length_s, 0.0
    if not 0 <= start < end <= length_s + _ROUNDING_S:
        raise InputError(
            f"from and to in the address: given {given[0]!r} and {given[1]!r}; "
            f"allowed: seconds from 0 to {length_s:g}, to after from"
        )
    return start, min(end, length_s)


def keep_window(window: Window | None) -> None:
    """Write a window into the address; None takes it out."""
    for name in ("from", "to"):
        st.query_params.pop(name, None)
    if window is not None:
        start, end = (f"{edge:.6f}".rstrip("0").rstrip(".") for edge in window)
        st.query_params.update({"from": start, "to": end})
