"""What broke in a run, and what came of it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from workbench.dashboard import access, scenarios
from workbench.dashboard.sections.shown import ShownRun
from workbench.quantities import format_duration
from workbench.store import queries

_COLUMNS = {
    "fault": "fault",
    "server": "server",
    "begin_s": "began at",
    "lasted_s": "lasted",
    "detected_s": "detected after",
    "ejected_s": "ejected after",
    "back_s": "back after",
    "settled_s": "settled after",
    "sent": "sent there",
    "failed": "failed requests",
    "goodput_before_per_s": "ok/s before",
    "goodput_during_per_s": "during",
    "goodput_after_per_s": "after",
}
_RATES = ("goodput_before_per_s", "goodput_during_per_s", "goodput_after_per_s")


def show_outages(shown: ShownRun) -> None:
    """List the outages of a run, if there were any."""
    found = access.ask(queries.outages, run_id=shown.run_id).to_pandas()
    if found.empty:
        return
    st.subheader("Outages")
    names = scenarios.servers(shown.run).names
    found["server"] = ["–" if pd.isna(server) else names[int(server)] for server in found["server_id"]]
    found["lasted_s"] = found["end_s"] - found["begin_s"]
    table = found[list(_COLUMNS)]
    times = [name for name in _COLUMNS if name.endswith("_s")]
    st.dataframe(
        table.style.format(_time, subset=pd.Index(times)).format(_rate, subset=pd.Index(_RATES)),
        hide_index=True,
        placeholder="–",
        alt="What broke, when it was noticed, and what came of it",
        column_config=dict(_COLUMNS),
    )
    st.caption(
        "Detected: until the first balancer sent no more there; ejected: until all did; back and settled are "
        "counted from the end of the fault. Goodput: as long before, during, as long after."
    )


def _time(seconds: Any) -> str:
    return "–" if pd.isna(seconds) else format_duration(float(seconds))


def _rate(rate: Any) -> str:
    return "–" if pd.isna(rate) else f"{float(rate):.4g}"
