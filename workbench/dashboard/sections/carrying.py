"""Configurations to and from the files of proxies, with what could not be carried."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import streamlit as st

from workbench.configuration import EXPORTERS, IMPORTERS
from workbench.dashboard import access, roles
from workbench.dashboard.drawing import plain
from workbench.errors import WorkbenchError
from workbench.workflows.configuration_files import (
    ImportedView,
    export_configuration,
    import_configuration,
    read_configuration,
)
from workbench.workflows.configuring import configuration_history

T = TypeVar("T")

_BY_LOOK = "by its look"
_ENDS = {"haproxy": "cfg", "nginx": "conf", "envoy": "yaml", "scenario": "yaml"}


def show_import(balancer: str | None, by: str) -> None:
    """Let a file be uploaded or pasted, show what it stands for, and let it be saved as a version."""
    with st.expander("Import from HAProxy, nginx or Envoy", icon=":material/upload_file:"):
        given = st.file_uploader("haproxy.cfg, nginx.conf or Envoy's YAML", key="proxy", **roles.control())
        pasted = st.text_area("Or paste it", key="pasted", height=160, **roles.control())
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kind = st.selectbox("Format", [_BY_LOOK, *IMPORTERS], key="import_format", width=160)
            part = st.text_input(
                "Backend, upstream or cluster", placeholder="the only one", key="part", width=240
            )
        text = given.getvalue() if given is not None else (pasted or "").encode()
        if not text.strip():
            return
        chosen = None if kind == _BY_LOOK else kind
        name = Path(given.name).name if given is not None else f"pasted.{_ENDS.get(kind, 'cfg')}"
        try:
            view = _on_file(name, text, lambda file: read_configuration(file, kind=chosen, part=part or None))
        except WorkbenchError as error:
            st.error("\n\n".join(plain(line) for line in str(error).splitlines()))
            return
        _show_read(view)
        _show_saving(view, text, name, balancer, by)


def show_export(balancer: str) -> None:
    """Write a version for a proxy, and tell what it cannot carry."""
    with st.expander("Export for HAProxy, nginx or Envoy", icon=":material/download:"):
        versions = configuration_history(balancer=balancer, settings=access.settings()).versions
        with st.container(horizontal=True):
            kind = st.selectbox("For", list(EXPORTERS), key="export_format", width=160)
            version = st.selectbox(
                "Version to export", [one.version for one in versions], key="export_version", width=160
            )
        try:
            view = export_configuration(version, kind=kind, balancer=balancer, settings=access.settings())
        except WorkbenchError as error:
            st.error("\n\n".join(plain(line) for line in str(error).splitlines()))
            return
        st.code(view.text, language=None)
        _show_notes(view.notes)
        name = f"{balancer}-{view.version}.{_ENDS.get(kind, 'txt')}"
        st.download_button("Download", view.text, name, icon=":material/download:", on_click="ignore")


def _show_read(view: ImportedView) -> None:
    st.markdown(f"**{plain(view.title())}**")
    st.code(view.text, language="yaml")
    _show_notes(view.notes)


def _show_saving(view: ImportedView, text: bytes, name: str, balancer: str | None, by: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        into = st.text_input("As the next version of", balancer or view.part, key="import_into", width=200)
        reason = st.text_input("Why import it", "as it runs", key="import_reason", width=260)
        lacking = not (by and into and reason)
        pressed = st.button("Save the import", icon=":material/save:", **roles.control(disabled=lacking))
    if not by:
        st.caption("Say who you are, above, to save.")
    if not pressed:
        return
    try:
        _on_file(
            name,
            text,
            lambda file: roles.operate(
                import_configuration,
                file,
                kind=view.format,
                part=view.part,
                author=by,
                reason=reason or "",
                balancer=into,
                settings=access.settings(),
            ),
        )
    except WorkbenchError as error:
        st.error("\n\n".join(plain(line) for line in str(error).splitlines()))
        return
    st.rerun()


def _show_notes(notes: list[str]) -> None:
    if not notes:
        st.caption("All of it was carried.")
        return
    st.warning("\n".join(f"- {plain(note)}" for note in notes))


def _on_file(name: str, text: bytes, use: Callable[[Path], T]) -> T:
    """Call with a file that holds the text; what is wrong with it is told under its name alone."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(text)
        try:
            return use(file)
        except WorkbenchError as error:
            told = str(error).replace(f"{folder}/", "")
            raise WorkbenchError(told) from None
