"""A balancer's configuration: what holds, a change with its reason, and the versions to go back to."""

from __future__ import annotations

import streamlit as st

from workbench.configuration import FILE_NAME
from workbench.dashboard import access, roles
from workbench.dashboard.drawing import draw_view, plain
from workbench.errors import WorkbenchError
from workbench.workflows.configuring import (
    change_configuration,
    configuration_history,
    configuration_text,
    list_configurations,
    roll_back_configuration,
    show_configuration,
)


def choose_balancer() -> str | None:
    """Let a balancer be chosen; None, with the way to get one, where none has a configuration."""
    settings = access.settings()
    # The file is made where it is missing, and a lake that is only looked at must not be.
    found = list_configurations(settings=settings).balancers if (settings.lake / FILE_NAME).is_file() else []
    if not found:
        st.info("No balancer has a configuration yet. Import one below, or keep one from a terminal:")
        st.code("workbench config set --file balancer.yaml --by NAME --reason 'as it runs'", language=None)
        return None
    return st.selectbox(
        "Balancer", [one.balancer for one in found], key="balancer", bind="query-params", width=320
    )


def show_holding(balancer: str, by: str) -> None:
    """Show the version that holds, and let it be changed."""
    view = show_configuration(balancer=balancer, settings=access.settings())
    draw_view(view, alt=f"The configuration of {balancer} that holds")
    with st.expander("As YAML"):
        st.code(configuration_text(balancer=balancer, settings=access.settings()), language="yaml")
    st.subheader("Change it")
    with st.form("change", border=False):
        lines = st.text_area(
            "Changes, one a line",
            placeholder="servers.web-1.weight=3\nservers.web-2.state=drain",
            help="An empty value removes. Names may hold *, as in servers.web-*.state=drain.",
        )
        reason = st.text_input("Why", width=420)
        pressed = st.form_submit_button(
            "Save as the next version", icon=":material/save:", **roles.control(disabled=not by)
        )
    if not by:
        st.caption("Say who you are, above, to save.")
    changes = [line.strip() for line in (lines or "").splitlines() if line.strip()]
    if pressed:
        _save(balancer, changes, based_on=view.version, by=by, reason=reason or "")


def show_versions(balancer: str, by: str) -> None:
    """List the versions, and let an earlier one be made the next."""
    st.subheader("Versions")
    history = configuration_history(balancer=balancer, settings=access.settings())
    draw_view(history, alt=f"Versions of the configuration of {balancer}, newest first")
    earlier = [one.version for one in history.versions[1:]]
    if not earlier:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        to = st.selectbox("Go back to version", earlier, width=180)
        pressed = st.button("Go back", icon=":material/undo:", **roles.control(disabled=not by))
    if pressed:
        try:
            roles.operate(
                roll_back_configuration,
                to,
                author=by,
                reason="in the dashboard",
                balancer=balancer,
                settings=access.settings(),
            )
        except WorkbenchError as error:
            st.error(plain(str(error)))
            return
        st.rerun()


def _save(balancer: str, changes: list[str], *, based_on: int, by: str, reason: str) -> None:
    if not changes or not reason:
        st.error("Give one change or more, and why.")
        return
    try:
        roles.operate(
            change_configuration,
            changes,
            based_on=based_on,
            author=by,
            reason=reason,
            balancer=balancer,
            settings=access.settings(),
        )
    except WorkbenchError as error:
        st.error("\n\n".join(plain(line) for line in str(error).splitlines()))
        return
    st.rerun()
