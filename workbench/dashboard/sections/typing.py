"""Text that is read while it is written: a pause in typing commits it as Ctrl+Enter does."""

from __future__ import annotations

import streamlit as st

_PAUSE_MS = 600
_SCRIPT = f"""
export default function (component) {{
  let waiting
  const commit = (event) => {{
    if (event.target.tagName !== "TEXTAREA") return
    clearTimeout(waiting)
    waiting = setTimeout(() => {{
      const keys = {{key: "Enter", code: "Enter", ctrlKey: true, bubbles: true, cancelable: true}}
      event.target.dispatchEvent(new KeyboardEvent("keydown", keys))
    }}, {_PAUSE_MS})
  }}
  document.addEventListener("input", commit)
  return () => {{
    clearTimeout(waiting)
    document.removeEventListener("input", commit)
  }}
}}
"""
_commit_pauses = st.components.v2.component("commit_pauses", js=_SCRIPT)


def commit_while_typing() -> None:
    """Let every text area of the page commit what was typed once the typing pauses."""
    _commit_pauses(key="commit-pauses", height=1)
