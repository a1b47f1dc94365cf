"""Sweeps: a question over many circumstances, and its answer."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard.sections import swept


def page() -> None:
    """Let a sweep be started, and show what those there are have found."""
    st.title("Sweeps")
    swept.show_start()
    swept.show_sweeps()


if __name__ == "__main__":
    page()
