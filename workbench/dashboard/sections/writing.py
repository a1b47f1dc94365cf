"""Choosing a scenario or writing one, with all that is wrong with it beside it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.dashboard import access, addresses, scenarios
from workbench.dashboard.drawing import plain
from workbench.dashboard.sections.typing import commit_while_typing
from workbench.simulate import why_reference
from workbench.workflows import experimenting
from workbench.workflows.experimenting import CheckedScenario

_OWN = "one of your own"
_TEMPLATE = """\
name: my service
arrivals: {kind: poisson, rate: 340/s}
service: {kind: lognormal, mean: 20ms, cv2: 4}
pool:
  - {name: new, count: 6, weight: 3, speed: 1.5}
  - {name: old, count: 4, weight: 2}
balancers: {strategy: round_robin}
horizon: 2min
warm_up: 10s
comparison:
  strategies: [random, round_robin, power_of_two, least_connections]
  replications: 5
  measure: response_p99
"""


def choose_scenario() -> CheckedScenario:
    """Let a scenario be picked, or written; show what it says or all that is wrong."""
    name, text, folder = _pick()
    left, right = st.columns([3, 2], gap="large")
    with left:
        written = st.text_area(
            "Scenario (YAML)",
            text,
            height=420,
            key=f"text of {name}",
            help="Checked as you write. Keys: docs/scenarios.md; `workbench schema` for your editor.",
        )
        commit_while_typing()
    checked = experimenting.check_scenario(written or "", name=name, folder=folder)
    with right:
        _show_checked(checked)
    return checked


def _pick() -> tuple[str, str, Path]:
    run_id = addresses.asked_number("run")
    files = experimenting.scenario_files()
    options = ([f"run {run_id}"] if run_id is not None else []) + [*files, _OWN]
    chosen = st.selectbox("Start from", options, key="file", bind="query-params", width=360)
    if chosen in files:
        return files[chosen].name, files[chosen].read_text(encoding="utf-8"), files[chosen].parent
    if chosen == _OWN:
        return "your scenario", _TEMPLATE, Path.cwd()
    run = access.lake().run(run_id or 0)
    return f"run {run_id}", scenarios.scenario_yaml(run), Path.cwd()


def _show_checked(checked: CheckedScenario) -> None:
    scenario = checked.scenario
    if scenario is None:
        count = len(checked.problems)
        st.error(
            f"{count} problem{'' if count == 1 else 's'}; mend {'it' if count == 1 else 'them'} to go on"
        )
        for problem in checked.problems:
            where = f"line {problem.line}" if problem.line else "document"
            st.markdown(
                f"**{where}** · `{problem.key or 'document'}`  \n"
                f"given {plain(problem.given)}; allowed: {plain(problem.allowed)}"
            )
        return
    st.success(plain(f"{scenario.name}: it can be run"))
    if scenario.description:
        st.markdown(plain(scenario.description))
    servers = scenario.servers()
    slow = why_reference(scenario)
    facts = [
        f"servers: {servers.count}, slots: {sum(servers.slots)}",
        "a closed loop of clients" if checked.load is None else f"offered load {100 * checked.load:.1f} %",
        f"reference engine: {slow}" if slow else "compiled engine",
    ]
    st.caption(plain(" · ".join(facts)))
    for note in checked.notes:
        st.warning(plain(f"{note[:1].upper()}{note[1:]}."))
