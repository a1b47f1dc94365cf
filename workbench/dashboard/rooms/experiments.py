"""An experiment: a scenario, strategies to compare, how long it will take, and its progress."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard import access, addresses, roles
from workbench.dashboard.drawing import plain
from workbench.dashboard.sections import jobs, writing
from workbench.errors import InputError
from workbench.quantities import format_duration
from workbench.simulate import STRATEGIES, Measure, Scenario, read_strategy
from workbench.workflows import experimenting

_LABELS = {measure.value: measure.label for measure in Measure}


def page() -> None:
    """Let an experiment be made and followed."""
    st.title("Experiments")
    number = addresses.asked_number("job")
    if number is not None:
        st.subheader("Underway")
        jobs.show_job(number)
    checked = writing.choose_scenario()
    if checked.scenario is not None:
        _show_plan(checked.scenario)


def _show_plan(scenario: Scenario) -> None:
    plan, own = scenario.comparison, scenario.balancers.strategy.label
    given = [one.label for one in plan.strategies] if plan else [own]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.multiselect(
            "Strategies",
            list(dict.fromkeys([*given, *_usable(scenario)])),
            given,
            key=f"strategies of {scenario.name}",
            accept_new_options=True,
            help="Two or more are compared on the same requests. Parameters: power_of_two(choices=3).",
            width=620,
        )
        compares = len(chosen) >= 2
        replications = plan.replications if plan else 10
        measure: str = plan.measure if plan else Measure.RESPONSE_MEAN
        if compares:
            replications = st.number_input("Replications", 2, 10_000, replications, width=130)
            measure = st.selectbox(
                "Compare by",
                list(_LABELS),
                list(_LABELS).index(measure),
                format_func=_LABELS.__getitem__,
                width=220,
            )
    try:
        _show_estimate(scenario, chosen, int(replications) if compares else 1)
    except InputError as error:
        st.error(plain(str(error)))
        return
    label = f"Compare {len(chosen)} strategies" if compares else "Run it once"
    if st.button(label, type="primary", icon=":material/play_arrow:", **roles.control()):
        started = roles.operate(
            experimenting.start_experiment,
            scenario,
            strategies=chosen,
            replications=int(replications),
            measure=measure,
            settings=access.settings(),
        )
        st.query_params["job"] = str(started)
        st.rerun()


def _show_estimate(scenario: Scenario, chosen: list[str], replications: int) -> None:
    found = experimenting.estimate(
        scenario, strategies=chosen, replications=replications, settings=access.settings()
    )
    if found.requests is None or found.seconds is None:
        st.caption(f"{found.basis[:1].upper()}{found.basis[1:]}.")
        return
    st.caption(
        f"{found.requests:,.0f} requests, runs: {max(1, len(chosen)) * replications:,}; about "
        f"**{format_duration(found.seconds)}**, {found.basis}; runs that the store holds take no time."
    )


def _usable(scenario: Scenario) -> list[str]:
    """List the strategies that need no parameters and no keys that the scenario does not have."""
    found = []
    for kind in STRATEGIES:
        try:
            scenario.with_strategy(read_strategy(kind))
        except InputError:
            continue
        found.append(kind)
    return found


if __name__ == "__main__":
    page()
