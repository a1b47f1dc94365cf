"""What a page says where there is nothing to draw: why, and what to do."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.dashboard import addresses
from workbench.dashboard.drawing import plain
from workbench.errors import DocumentError, NotFoundError, StoreError, WorkbenchError
from workbench.store import Run

_MEND = "Once it is mended, reload this page."


def show_no_lake(folder: Path) -> None:
    """Say that nothing has been stored yet."""
    st.title("Nothing is stored yet")
    st.markdown(
        f"Results land in a lake, and `{folder}` is none yet. Fill it from a terminal, then reload this page:"
    )
    _show_commands()
    st.caption("Is your lake elsewhere? Start the dashboard with `workbench app --lake FOLDER`.")


def show_no_runs() -> None:
    """Say that the lake is empty."""
    st.info("The lake holds no runs yet. Fill it from a terminal, then reload this page.")
    _show_commands()


def show_no_comparisons() -> None:
    """Say that there is no comparison."""
    st.info("No strategies have been compared yet. Compare some on your own load, then reload this page.")
    st.code(
        "workbench compare FILE --strategy round_robin --strategy power_of_two\nworkbench demo",
        language=None,
    )


def show_unfinished(run: Run) -> None:
    """Say why a run has no results."""
    if run.state == "running":
        st.info(f"Run {run.run_id} is running since {run.started:%d %B %Y %H:%M} UTC.")
        st.button("Look again", icon=":material/refresh:")
    elif run.state == "failed":
        st.error(f"Run {run.run_id} failed: {plain(run.reason or 'no reason was given')}")
        st.markdown("The same command again starts it anew.")
    else:
        st.warning(f"Run {run.run_id} was interrupted: its process ended before it was done.")
        st.markdown("The same command again starts it anew; nothing half-written is left of it.")


def show_no_requests(run_id: int) -> None:
    """Say that a run kept no requests, so that only its summary and samples can be shown."""
    st.info(
        f"Run {run_id} kept no requests. What is shown is of its measured window; the distribution, "
        "percentiles over time, other windows and the slowest requests need stored requests."
    )


def show_error(error: WorkbenchError) -> None:
    """Show an error that was raised on purpose; its text holds cause and remedy."""
    match error:
        case NotFoundError():
            st.subheader("Not found")
            st.warning(_sentence(str(error)))
            st.page_link(addresses.RUNS, label="See what there is", icon=":material/list:")
        case DocumentError():
            st.subheader("The settings cannot be used")
            st.error("\n\n".join(plain(str(problem)) for problem in error.problems))
            st.markdown(_MEND)
        case StoreError():
            st.subheader("The lake cannot be read")
            st.error(_sentence(plain(str(error))))
            st.markdown(_MEND)
        case _:
            st.subheader("That did not work")
            st.error(_sentence(plain(str(error))))


def _show_commands() -> None:
    st.code(
        "workbench demo        # recorded traffic under several strategies, half a minute\n"
        "workbench run FILE    # a scenario of your own",
        language=None,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
