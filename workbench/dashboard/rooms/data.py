"""Data: what the lake holds, whether it is sound, and asking it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench import workflows
from workbench.dashboard import access, roles
from workbench.dashboard.drawing import draw_view
from workbench.dashboard.sections import asking, jobs
from workbench.tables import SCHEMAS
from workbench.workflows.jobs import start_job

_FIRST = "describe runs"
_WORK = {
    "Put small files together": (["store", "compact"], "compact the store"),
    "Remove what nobody needs": (["store", "gc"], "collect the store's garbage"),
    "Publish anew": (["store", "publish"], "publish the store"),
}


def page() -> None:
    """Show the lake's tables and health, and let it be asked."""
    access.lake()
    st.title("Data")
    info = workflows.store_info(settings=access.settings())
    draw_view(info, alt="Stored tables with their sizes")
    _show_health()
    st.subheader("Ask the store")
    asking.show_asking(_FIRST)
    _show_dictionary()


def _show_health() -> None:
    with st.container(horizontal=True):
        about = "Holds files against checksums."
        if st.button("Verify every file", icon=":material/verified:", **roles.control(about)):
            _start(["store", "verify"], "verify the store")
        for label, (arguments, title) in _WORK.items():
            if st.button(label, **roles.control()):
                _start(arguments, title)
    if "store_job" in st.session_state:
        jobs.show_job(int(st.session_state["store_job"]))


def _start(arguments: list[str], title: str) -> None:
    started = roles.operate(start_job, arguments, title=title, settings=access.settings())
    st.session_state["store_job"] = started


def _show_dictionary() -> None:
    with st.expander("Columns", icon=":material/menu_book:"):
        name = st.selectbox("Table", list(SCHEMAS), key="table", bind="query-params", width=260)
        rows = [
            (field.name, str(field.type), (field.metadata or {}).get(b"unit", b"").decode(), _meaning(field))
            for field in SCHEMAS[name]
        ]
        columns = pd.DataFrame(rows, columns=["column", "type", "unit", "meaning"])
        st.dataframe(columns, hide_index=True, alt=f"Columns of {name}", height="content")
        st.caption("Views and the catalogue's tables: docs/data-dictionary.md, or `show tables`.")


def _meaning(field: object) -> str:
    metadata = getattr(field, "metadata", None) or {}
    return str(metadata.get(b"meaning", b"").decode())


if __name__ == "__main__":
    page()
