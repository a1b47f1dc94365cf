"""Whom alerts reach: a file of receivers, a test of each, and running rules in the background."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench import workflows
from workbench.dashboard import access, roles
from workbench.dashboard.drawing import draw_view, plain
from workbench.dashboard.sections import jobs
from workbench.errors import WorkbenchError
from workbench.workflows import rule_courses
from workbench.workflows.jobs import start_job


def show_channels() -> None:
    """Show the channels of a file of receivers, try them, and start rules."""
    if not roles.may_operate():
        st.info("Whom alerts reach, and the files that say so, are shown to operators.")
        return
    given = st.text_input(
        "File of receivers",
        key="receivers",
        bind="query-params",
        placeholder="receivers.yaml",
        help="Whom to tell; docs/notifications.md. Secrets stay in the environment or in files of their own.",
        width=420,
    )
    if not given:
        st.info(
            "Name a file of receivers (docs/notifications.md shows one) to see, try and use its channels."
        )
        return
    plan = Path(given)
    try:
        view = workflows.show_receivers(plan)
    except WorkbenchError as error:
        st.error("\n\n".join(plain(line) for line in str(error).splitlines()))
        return
    draw_view(view, alt="Receivers and their channels")
    names = list(dict.fromkeys(one.receiver for one in view.channels))
    _show_test(plan, names)
    _show_running(plan)


def _show_test(plan: Path, names: list[str]) -> None:
    st.subheader("Send a test")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect("Receivers", names, names[:1], key="test_receivers", width=360)
        pressed = st.button(
            "Send a marked test", icon=":material/send:", **roles.control(disabled=not chosen)
        )
    if pressed:
        try:
            with st.spinner("Sending …"):
                view = roles.operate(
                    workflows.try_channels,
                    plan,
                    receivers=chosen,
                    attempts=1,
                    settings=access.settings(),
                )
        except WorkbenchError as error:
            st.error(plain(str(error)))
            return
        (st.success if view.delivered == view.channels else st.error)(plain(view.title()))
        draw_view(view, alt="Attempts to deliver the test")


def _show_running(plan: Path) -> None:
    st.subheader("Run rules in the background")
    files = rule_courses.rule_files(settings=access.settings())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect("Files of rules", list(files), key="run_rules", width=360)
        prometheus = st.text_input("Prometheus", placeholder="http://127.0.0.1:9090", key="run_prometheus")
        pressed = st.button(
            "Start",
            icon=":material/play_arrow:",
            type="primary",
            **roles.control(disabled=not chosen),
        )
    if pressed:
        arguments = ["alerts", "run", *(str(files[name]) for name in chosen), f"--to={plan}"]
        arguments += [f"--prometheus={prometheus}"] if prometheus else []
        title = f"alerts by {', '.join(chosen)}"
        started = roles.operate(start_job, arguments, title=title, settings=access.settings())
        st.session_state["alerts_job"] = started
    if "alerts_job" in st.session_state:
        jobs.show_job(int(st.session_state["alerts_job"]))
