"""Sweeps: which there are, starting one, and what one has found."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import workbench
from workbench import charts
from workbench.dashboard import access, addresses, roles
from workbench.dashboard.drawing import draw, draw_view, plain
from workbench.dashboard.sections import jobs
from workbench.errors import InputError, WorkbenchError
from workbench.workflows.jobs import start_job
from workbench.workflows.sweeping import list_sweeps, plan_sweep, show_sweep

_ANOTHER = "another file"


def show_start() -> None:
    """Let a sweep be started, with what it will take beforehand."""
    with st.expander("Start a sweep", icon=":material/play_arrow:"):
        files = _sweep_files()
        chosen = st.selectbox("File", [*files, _ANOTHER], key="sweep_file", width=420)
        given = (
            st.text_input("Its path", key="sweep_path", width=420, **roles.control())
            if chosen == _ANOTHER
            else ""
        )
        if chosen == _ANOTHER and not (given and roles.may_operate()):
            return
        file = Path(given) if given else files[chosen]
        try:
            with st.spinner("Counting its cells …"):
                planned = plan_sweep(file, settings=access.settings())
        except WorkbenchError as error:
            st.error("\n\n".join(plain(line) for line in str(error).splitlines()))
            return
        draw_view(planned, alt="What the sweep would run")
        if st.button("Start", type="primary", icon=":material/play_arrow:", **roles.control()):
            title = f"sweep {planned.name}"
            started = roles.operate(start_job, ["sweep", str(file)], title=title, settings=access.settings())
            st.query_params["job"] = str(started)
            st.rerun()
    number = addresses.asked_number("job")
    if number is not None:
        jobs.show_job(number)


def show_sweeps() -> None:
    """Show the sweep that is chosen, or say how to get one."""
    found = list_sweeps(settings=access.settings())
    if not found.sweeps:
        st.info("No sweep was run yet. Start one above, or from a terminal: `workbench sweep FILE`.")
        return
    names = [one.sweep_id for one in found.sweeps]
    chosen = st.selectbox("Sweep", names, key="sweep", bind="query-params", width=420)
    with st.spinner("Reading its cells …"):
        view = show_sweep(chosen, settings=access.settings())
    line = next(one for one in found.sweeps if one.sweep_id == chosen)
    st.subheader(plain(line.question or line.name))
    if line.answer:
        st.success(plain(line.answer), icon=":material/trophy:")
    try:
        results = charts.read_sweep(view.model_dump(mode="json", by_alias=True))
    except (KeyError, TypeError):
        raise InputError(f"sweep {chosen}: given results of another form; allowed: to run it again") from None
    if any(place.decisions for place in results.places):
        alt = "The measure of each decision at each circumstance"
        draw(charts.sweep_map_chart(charts.sweep_map_data(results)), key="sweep-map", alt=alt)
    lines = charts.sweep_lines_data(results)
    if lines is not None:
        draw(charts.sweep_lines_chart(lines), key="sweep-lines", alt="The measure over the parameter")
    with st.expander("Every circumstance and decision"):
        draw_view(view, alt=f"Results of the sweep {chosen}")
    began = f"{line.started:%Y-%m-%d %H:%M} UTC"
    st.caption(f"{line.cells:,} cells, {line.state}, started {began}.")


def _sweep_files() -> dict[str, Path]:
    places = (Path(workbench.__file__).parent.parent, Path.cwd())
    return {
        file.stem: file for place in places for file in sorted((place / "simulations/sweeps").glob("*.yaml"))
    }
