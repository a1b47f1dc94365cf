"""Alerts: what fires now, the rules and their thresholds, whom they reach, and what was told."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard.sections import alerting, channels, thresholds

_VIEWS = ("now", "rules", "channels", "history")


def page() -> None:
    """Show the view that the address names."""
    st.title("Alerts")
    view = st.segmented_control(
        "View",
        _VIEWS,
        default="now",
        key="view",
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    match view:
        case "rules":
            thresholds.show_rules()
        case "channels":
            channels.show_channels()
        case "history":
            alerting.show_history()
        case _:
            alerting.show_active()
            alerting.show_silences()


if __name__ == "__main__":
    page()
