"""Telling a live run what to do, and what became of it."""

from __future__ import annotations

import streamlit as st

from workbench import workflows
from workbench.dashboard import access, roles
from workbench.dashboard.drawing import plain
from workbench.errors import WorkbenchError
from workbench.simulate import STRATEGIES
from workbench.workflows.live_views import CommandLine

_PATIENCE_S = 5.0
"""How long a command is waited for; it stays in the journal after that."""
_TOLD = "told to live run"
_STATES = ("drain", "maint", "kill", "ready")
_CONTROLS = {"pause": "pause", "resume": "play_arrow", "stop": "stop"}
_SHOWN = {"applied": st.success, "refused": st.error, "waiting": st.warning}


@st.fragment
def show_steering(run_id: int, names: list[str]) -> None:
    """Show what a live run can be told, and the answer to the last that it was told."""
    st.subheader("Tell it something")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = roles.ask_name()
        why = st.text_input("Why", key="why", placeholder="optional", width=320)
        force = st.checkbox("even where no usable server is left", key="force")
    for wanted in [*_server_words(names), *_pool_words(), *_run_words()]:
        st.session_state[_TOLD] = _tell(run_id, wanted, by=by, why=why or "", force=force)
    _show_answer(run_id)


def _server_words(names: list[str]) -> list[str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        server = st.selectbox("Server", names, key="server", width=180)
        weight = st.number_input("Weight", 0, 65_535, 1, key="weight", width=130)
        reweigh = st.button("Set weight", key="set-weight", **roles.control())
        factor = st.number_input("Times as slow", 0.01, 1e6, 3.0, key="factor", width=130)
        slow = st.button("Slow", key="slow", **roles.control())
        pressed = [state for state in _STATES if st.button(state.capitalize(), key=state, **roles.control())]
    return [
        *([f"weight {server}={weight}"] if reweigh else []),
        *([f"server {server} slow={factor:g}"] if slow else []),
        *(f"server {server} {state}" for state in pressed),
    ]


def _pool_words() -> list[str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        strategy = st.selectbox(
            "Strategy",
            list(STRATEGIES),
            key="strategy",
            accept_new_options=True,
            help="Parameters: power_of_two(choices=3).",
            width=280,
        )
        change = st.button("Change strategy", key="set-strategy", **roles.control())
        rate = st.number_input("Arrivals, times the scenario's", 0.001, 1000.0, 1.0, key="rate", width=200)
        hurry = st.button("Set rate", key="set-rate", **roles.control())
        checks = st.text_input("Checks", key="checks", placeholder="interval=1s,rise=2", width=220)
        check = st.button("Set checks", key="set-checks", **roles.control())
    given = {f"strategy={strategy}": change, f"rate {rate:g}": hurry, f"checks {checks or ''}": check}
    return [words for words, pressed in given.items() if pressed]


def _run_words() -> list[str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        speed = st.text_input(
            "Speed", "10", key="speed", help="Simulated seconds in a second, or max.", width=90
        )
        change = st.button("Set speed", key="set-speed", **roles.control())
        pressed = [
            word
            for word, icon in _CONTROLS.items()
            if st.button(word.capitalize(), key=word, icon=f":material/{icon}:", **roles.control())
        ]
    return ([f"speed {speed or ''}"] if change else []) + pressed


def _tell(run_id: int, text: str, *, by: str, why: str, force: bool) -> tuple[int, CommandLine | str]:
    """Send a command and wait; give the run's number with what became of it, or why it was not sent."""
    try:
        with st.spinner("Telling it …"):
            view = roles.operate(
                workflows.command,
                run_id,
                text,
                author=by or None,
                reason=why,
                force=force,
                wait=_PATIENCE_S,
                settings=access.settings(),
            )
    except WorkbenchError as error:
        return run_id, str(error)
    return run_id, view.commands[-1]


def _show_answer(run_id: int) -> None:
    about, answer = st.session_state.get(_TOLD, (None, ""))
    if about != run_id:
        return
    if isinstance(answer, str):
        st.error(plain(answer))
        return
    _, command, _, _, state, result = answer.cells()
    because = f": {result}" if result else ""
    _SHOWN[answer.state](plain(f"{command} — {state}{because}"))
