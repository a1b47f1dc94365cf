"""What Streamlit leaves out for those who see little or use no mouse.

Small print gets the full contrast of text, and what scrolls can be reached by the keyboard.
"""

from __future__ import annotations

import streamlit as st

_STYLE = """
<style>
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] * { color: inherit !important; }
[data-testid="stCaptionContainer"] { opacity: 0.9; }
</style>
"""
_DARK = """
<style>
[data-testid="stBaseButton-primary"] *, [data-testid="stBaseButton-primaryFormSubmit"] *,
[data-testid="stMultiSelect"] span[title] { color: #10161D !important; }
</style>
"""
"""On the light blue of the dark theme, white would be too faint."""
_SCRIPT = """
export default function (component) {
  const scrolls = (element) =>
    element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight
  const reach = () => {
    for (const element of document.querySelectorAll(
      "[data-testid=stTable] div, [data-testid=stTable], [data-testid=stCode] pre"
    )) {
      if (scrolls(element)) element.tabIndex = 0
    }
  }
  reach()
  const watch = new MutationObserver(reach)
  watch.observe(document.body, {childList: true, subtree: true})
  window.addEventListener("resize", reach)
  return () => {
    watch.disconnect()
    window.removeEventListener("resize", reach)
  }
}
"""
_reachable = st.components.v2.component("reachable", js=_SCRIPT)


def make_reachable() -> None:
    """Do so on the whole page."""
    st.html(_STYLE + (_DARK if st.context.theme.type == "dark" else ""))
    _reachable(key="reachable", height=1)
