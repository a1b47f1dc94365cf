"""Asking the store by SQL that can only read, and taking the rows along."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import pyarrow as pa
import streamlit as st

from workbench.dashboard import access
from workbench.dashboard.drawing import plain
from workbench.errors import WorkbenchError
from workbench.quantities import format_duration
from workbench.workflows import sql as rows_of
from workbench.workflows import write_rows

_SHOWN = 10_000
"""Most rows that are drawn; a file holds them all."""
_FORMATS = {"CSV": (".csv", "text/csv"), "Parquet": (".parquet", "application/vnd.apache.parquet")}


def show_asking(first: str) -> None:
    """Let a statement be written and run; show its rows or why there are none.

    Args:
        first: the statement that stands there at first.
    """
    settings = access.settings()
    statement = st.text_area(
        "SQL",
        first,
        height=140,
        key="sql",
        bind="query-params",
        help="It can read tables and views, and nothing else; the columns are listed below.",
    )
    limits = (
        f"At most {format_duration(settings.sql_time)}, {settings.sql_memory} and {settings.sql_rows:,} rows "
        "(`sql_time`, `sql_memory`, `sql_rows` in workbench.toml)."
    )
    if not st.button("Ask", type="primary", icon=":material/play_arrow:"):
        st.caption(limits)
        asked = st.session_state.get("asked")
    else:
        asked = _ask(statement or "")
        st.session_state["asked"] = asked
    if asked is not None:
        _show_rows(asked)


def _ask(statement: str) -> pa.Table | None:
    try:
        with st.spinner("Asking …"):
            table: pa.Table = rows_of(statement, form="arrow", settings=access.settings())
    except WorkbenchError as error:
        st.error(plain(str(error)))
        return None
    return table


def _show_rows(table: pa.Table) -> None:
    st.dataframe(table.slice(0, _SHOWN).to_pandas(), hide_index=True, alt="Rows of the statement")
    more = f", the first {_SHOWN:,} of them shown" if table.num_rows > _SHOWN else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, (end, kind) in _FORMATS.items():
            st.download_button(
                name,
                partial(written, table, end),
                f"rows{end}",
                kind,
                icon=":material/download:",
                on_click="ignore",
            )
        st.caption(f"{table.num_rows:,} row{'' if table.num_rows == 1 else 's'}{more}.")


def written(table: pa.Table, end: str) -> bytes:
    """Give the whole table as a file whose name would end so."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"rows{end}"
        write_rows(table, file)
        return file.read_bytes()
