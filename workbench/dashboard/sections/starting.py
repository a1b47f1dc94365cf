"""Starting live runs as jobs, and going on with those whose process is gone."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.dashboard import access, addresses, roles
from workbench.dashboard.drawing import plain
from workbench.errors import WorkbenchError
from workbench.workflows import experimenting, jobs, rule_courses
from workbench.workflows.live_starting import resume_live_job, run_of_job, start_live_job
from workbench.workflows.present import Present

_EVERY_S = 0.5
_NO_RULES = "none"


def follow_start() -> None:
    """Follow the start of the job that the address names to its run; say why where it failed."""
    number = addresses.asked_number("job")
    if number is None:
        return
    job = jobs.show_job(number, settings=access.settings())
    run_id = run_of_job(number, settings=access.settings())
    if run_id is not None:
        st.query_params.pop("job")
        st.query_params["run"] = str(run_id)
        st.rerun()
    if job.state == "running":
        _wait_for(number)
    else:
        st.error(plain(f"It did not start: {job.reason or job.state}"))


@st.fragment(run_every=_EVERY_S)
def _wait_for(number: int) -> None:
    job = jobs.show_job(number, settings=access.settings())
    if job.state != "running" or run_of_job(number, settings=access.settings()) is not None:
        st.rerun()
    st.info(plain(f"{job.title}: starting …"), icon=":material/hourglass_top:")


def show_start() -> None:
    """Let a scenario be chosen and started."""
    files = experimenting.scenario_files()
    rules = rule_courses.rule_files(settings=access.settings())
    with st.form("start", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Scenario",
            list(files),
            key="start-file",
            accept_new_options=True,
            help="One of simulations/, or the path of a file on this machine.",
            width=320,
        )
        speed = st.text_input(
            "Speed", "10", key="start-speed", help="Simulated seconds in a second.", width=90
        )
        until = st.text_input("Until", key="start-until", placeholder="its horizon", width=120)
        rule = st.selectbox("Alert rules", [_NO_RULES, *rules], key="start-rules", width=180)
        pressed = st.form_submit_button(
            "Start", type="primary", icon=":material/play_arrow:", **roles.control()
        )
    if pressed:
        file = files.get(chosen or "", Path(chosen or ""))
        _start(file, speed=speed or "", until=until or "", rules=rules.get(rule))
    st.caption("It runs as a job of its own: closing this page, or the dashboard, loses nothing.")


def show_ended(shown: Present) -> None:
    """Say what can be done with a run that goes on no more."""
    run_id, live = shown.run.run_id, shown.live
    if live is None:
        return
    if live.state == "failed":
        st.error(plain(f"Failed: {live.reason}"))
    elif live.state == "crashed":
        st.warning("Its process is gone; everything until then is stored.")
        if st.button("Go on from there", key="go-on", icon=":material/play_arrow:", **roles.control()):
            number = roles.operate(resume_live_job, run_id, settings=access.settings())
            st.query_params["job"] = str(number)
            st.rerun()
    else:
        st.page_link(
            addresses.RUN,
            label=f"run {run_id} as a whole",
            icon=":material/monitoring:",
            query_params={"run": str(run_id)},
        )


def _start(file: Path, *, speed: str, until: str, rules: Path | None) -> None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        st.error(plain(f"scenario: given {str(file)!r}; allowed: one of the list, or a YAML file"))
        return
    checked = experimenting.check_scenario(text, name=file.name, folder=file.parent)
    if checked.scenario is None:
        st.error("\n\n".join(plain(str(problem)) for problem in checked.problems))
        return
    try:
        number = roles.operate(
            start_live_job,
            checked.scenario,
            speed=speed,
            until=until,
            rules=rules,
            settings=access.settings(),
        )
    except WorkbenchError as error:
        st.error(plain(str(error)))
        return
    st.query_params["job"] = str(number)
    st.rerun()
