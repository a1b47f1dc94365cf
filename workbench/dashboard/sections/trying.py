"""What a change of a balancer would do, and making a version live, each as a job."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard import access, roles
from workbench.dashboard.sections import jobs
from workbench.workflows import experimenting
from workbench.workflows.configuring import configuration_history
from workbench.workflows.jobs import start_job

_OWN_LOAD, _RUN = "the configuration's own load", "the scenario of a stored run"
_OWN_TARGET, _LIVE, _HAPROXY = "the configuration's own target", "a live run", "an HAProxy's runtime socket"
_GUARDS = "usable < 1\nerrors > 5 %"


def show_plan(balancer: str) -> None:
    """Let a change be simulated on the same requests as what holds, and show its effects."""
    st.subheader("Plan")
    st.caption("Both sides are simulated on the same requests; nothing is saved or applied.")
    changes = st.text_area(
        "Changes to try, one a line",
        placeholder="servers.web-1.weight=3",
        key=f"planned {balancer}",
        help="Without any, what the target last kept is compared with the version that holds.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        load = _choose_load()
        times = st.number_input("Replications", 2, 1000, 10, key="plan_replications", width=130)
        pressed = st.button("Plan", icon=":material/science:", key="plan", **roles.control())
    if pressed:
        lines = _lines(changes)
        if any(line.startswith("-") for line in lines):
            st.error("Changes: given one that begins with -; allowed: some such as servers.web-1.weight=3.")
            return
        arguments = [
            "config",
            "plan",
            *lines,
            *load,
            f"--replications={int(times)}",
            f"--balancer={balancer}",
        ]
        _start("plan_job", arguments, f"plan for {balancer}")
    _show_started("plan_job")


def show_applying(balancer: str, by: str) -> None:
    """Let a version be applied to a balancer that runs, watched by guards."""
    st.subheader("Apply")
    st.caption("What a guard finds wrong while the balancer is watched is taken back, last step first.")
    versions = configuration_history(balancer=balancer, settings=access.settings()).versions
    with st.container(horizontal=True, vertical_alignment="bottom"):
        version = st.selectbox("Version to apply", [one.version for one in versions], width=160)
        target = _choose_target()
    with st.container(horizontal=True):
        watch = st.text_input("Watch for", "60s", key="watch", width=120)
        guards = st.text_area(
            "Guards, one a line",
            _GUARDS,
            key="guards",
            width=360,
            help="Such as: usable < 2, queued > 50, errors > 2 %, response > 150 % for 5s.",
        )
    lacking = not by or target is None
    with st.container(horizontal=True):
        listed = st.button("List the steps", key="steps", **roles.control("Makes none.", disabled=lacking))
        pressed = st.button(
            "Apply", icon=":material/bolt:", type="primary", key="apply", **roles.control(disabled=lacking)
        )
    if not by:
        st.caption("Say who you are, above, to apply.")
    if listed or pressed:
        arguments = ["config", "apply", str(version), *(target or []), f"--by={by}", f"--balancer={balancer}"]
        arguments += [f"--watch={watch}"] if watch else []
        arguments += [f"--guard={line}" for line in _lines(guards)]
        arguments += ["--dry-run"] if listed else []
        what = "steps to" if listed else "apply"
        _start("apply_job", arguments, f"{what} version {version} of {balancer}")
    _show_started("apply_job")


def _choose_load() -> list[str]:
    files = experimenting.scenario_files()
    chosen = st.selectbox("Load", [_OWN_LOAD, *files, _RUN], key="plan_load", width=280)
    if chosen == _RUN:
        return [f"--run={int(st.number_input('Run', 1, key='plan_run', width=110))}"]
    return [f"--load={files[chosen]}"] if chosen in files else []


def _choose_target() -> list[str] | None:
    """Ask for the balancer that runs; None where it is not named yet."""
    chosen = st.selectbox("To", [_OWN_TARGET, _LIVE, _HAPROXY], key="target", width=260)
    if chosen == _LIVE:
        run = st.number_input("Live run", 1, key="live_run", width=110, help="Its number, on the page Runs.")
        return [f"--target=live(run={int(run)})"]
    if chosen == _HAPROXY:
        socket = st.text_input("Socket", placeholder="/run/haproxy/admin.sock", key="socket", width=260)
        backend = st.text_input("Backend", placeholder="web", key="backend", width=140)
        return [f"--target=haproxy(socket={socket}, backend={backend})"] if socket and backend else None
    return []


def _start(name: str, arguments: list[str], title: str) -> None:
    started = roles.operate(start_job, arguments, title=title, settings=access.settings())
    st.session_state[name] = started


def _show_started(name: str) -> None:
    if name in st.session_state:
        jobs.show_job(int(st.session_state[name]), opened=True)


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]
