"""Drawing charts and small tables on a page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from pandas.io.formats.style_render import CSSDict

from workbench.workflows import View

_CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "scrollZoom": False,
}
_PROSE = 32
"""Characters beyond which a cell is prose and stands on the left."""
# Streamlit sets all text to the left, in each cell's own style.
_LEFT, _RIGHT = (
    {"text-align": f"{side} !important", "font-variant-numeric": "tabular-nums", "white-space": "nowrap"}
    for side in ("left", "right")
)


_WRAPPED = _LEFT | {"white-space": "normal", "overflow-wrap": "anywhere", "min-width": "16rem"}
_UNBROKEN = "\N{NO-BREAK SPACE}"


def plain(text: str) -> str:
    """Keep a text as it is where Streamlit would read Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#$|~]|:(?=\w))", r"\\\1", text)


def side_by_side(left: Callable[[], None], right: Callable[[], None]) -> None:
    """Show two sections beside each other; on a narrow screen the second comes below the first."""
    for column, show in zip(st.columns(2, gap="large"), (left, right), strict=True):
        with column:
            show()


def draw(figure: go.Figure, *, key: str, alt: str) -> None:
    """Draw a figure as wide as its place; `alt` says it in words for those who do not see it."""
    st.plotly_chart(figure, key=key, alt=alt, config=_CONFIG)


def draw_table(table: pd.DataFrame, *, alt: str, words: tuple[str, ...] = ()) -> None:
    """Draw a small table of text: figures on the right of their columns, `words` on the left."""
    prose = {name for name in words if table[name].str.len().max() > _PROSE}
    places = {
        place: _WRAPPED if name in prose else _LEFT if name in words else _RIGHT
        for place, name in enumerate(table.columns)
    }
    sides: list[CSSDict] = [
        {"selector": f".col{place}", "props": list(side.items())} for place, side in places.items()
    ]
    # A figure and its unit stay on one line.
    unbroken = table.apply(lambda cells: cells if cells.name in prose else cells.str.replace(" ", _UNBROKEN))
    unbroken.index = unbroken.index.map(plain)
    st.table(unbroken.style.set_table_styles(sides), border="horizontal", alt=alt)


def draw_view(view: View, *, alt: str) -> None:
    """Draw a result as the command line prints it: the line above, the table, the lines below."""
    st.markdown(f"**{plain(_capital(view.title()))}**")
    columns, rows = view.columns(), view.rows()
    if rows:
        names = [
            name + "\N{ZERO WIDTH SPACE}" * columns[:place].count(name) for place, name in enumerate(columns)
        ]
        cells = [[row[0], *("–" if cell == "-" else plain(cell) for cell in row[1:])] for row in rows]
        table = pd.DataFrame(cells, columns=names).set_index(names[0])
        words = tuple(name for name in table.columns if max(map(len, table[name])) > _PROSE)
        draw_table(table, alt=alt, words=words)
    for remark in view.remarks():
        st.caption(plain(_capital(remark)))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
