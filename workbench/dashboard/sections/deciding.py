"""Which confidence is enough: costs and promise, what thresholds lead to, and whether that still holds."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.dashboard import access, roles
from workbench.dashboard.drawing import draw_view, plain
from workbench.dashboard.sections import matching
from workbench.errors import NotFoundError, WorkbenchError
from workbench.reconcile.book import FILE_NAME
from workbench.workflows.deciding import decide_proposals, find_thresholds
from workbench.workflows.decision_configuration import set_configuration, show_configuration
from workbench.workflows.decision_views import VersionView
from workbench.workflows.watching import watch_proposals


def show_thresholds(proposals: Path, by: str) -> None:
    """Show what thresholds lead to, and let the configuration be changed."""
    version = _configuration()
    _show_costs(version, by)
    if version is None:
        return
    found = matching.curves(str(proposals), proposals.stat().st_mtime)
    usual = 0.99 if version.accept is None else version.accept
    at = st.slider("Accept from", 0.5, 1.0, float(min(1.0, max(0.5, usual))), 0.001, key="at", format="%.3f")
    with st.spinner("Simulating the reviewers …"):
        view = find_thresholds(proposals, at=[at], settings=access.settings())
    given = next(row for row in view.choices if row.accept == at)
    st.info(plain(f"{given.sentence()[:1].upper()}{given.sentence()[1:]}."))
    draw_view(view, alt="Thresholds and what each leads to")
    certificate = view.certificate
    matching.show_precision(found, target=certificate.target, certified=certificate.threshold, chosen=at)
    with st.container(horizontal=True):
        useless = certificate.threshold is None or not by
        if st.button("Save the certificate", **roles.control(disabled=useless)):
            roles.operate(
                find_thresholds,
                proposals,
                apply=True,
                author=by,
                reason="from the dashboard",
                settings=access.settings(),
            )
            st.rerun()
        about = "Fill in decision and reason of each, by what holds."
        if st.button("Decide the proposals", **roles.control(about)):
            draw_view(
                roles.operate(decide_proposals, proposals, proposals, settings=access.settings()),
                alt="Proposals by decision and reason",
            )


def show_drift(proposals: Path) -> None:
    """Look whether confidences still mean what they say."""
    if _configuration() is None:
        st.info("Thresholds come first: without a configuration there is nothing to watch.")
        return
    st.caption("Looks only; a certificate that no longer holds is voided by `workbench reconcile watch`.")
    breaks = proposals.with_name("breaks.parquet")
    with st.spinner("Looking …"):
        view = watch_proposals(
            proposals,
            breaks=breaks if breaks.is_file() else None,
            void=False,
            settings=access.settings(),
        )
    draw_view(view, alt="Whether the confidences still hold")


def _configuration() -> VersionView | None:
    # The book is made where it is missing, and a lake that is only looked at must not be.
    if not (access.settings().lake / FILE_NAME).is_file():
        return None
    try:
        return show_configuration(settings=access.settings())
    except NotFoundError:
        return None


def _show_costs(version: VersionView | None, by: str) -> None:
    held = version.configuration if version else {}
    costs, promise = held.get("costs", {}), held.get("promise", {})
    title = "Costs and promise" if version else "What do mistakes cost? Say so first"
    with st.expander(title, expanded=version is None), st.form("costs", border=False):
        with st.container(horizontal=True):
            values = {
                "costs.review": st.number_input("A review", 0.0, value=float(costs.get("review", 2))),
                "costs.wrong": st.number_input(
                    "A wrong match accepted", 0.01, value=float(costs.get("wrong", 200))
                ),
                "costs.missed": st.number_input(
                    "A right match rejected", 0.01, value=float(costs.get("missed", 50))
                ),
                "promise.target": st.number_input(
                    "Precision to promise", 0.5, 0.99999, float(promise.get("target", 0.99)), format="%.5f"
                ),
                "reviewers.count": st.number_input(
                    "Reviewers", 1, 1000, int(held.get("reviewers", {}).get("count", 2))
                ),
            }
        reason = st.text_input("Why", "set in the dashboard")
        if st.form_submit_button("Save as the next version", **roles.control(disabled=not by)):
            changes = [f"{key}={value}" for key, value in values.items()]
            try:
                roles.operate(
                    set_configuration, changes, author=by, reason=reason or "", settings=access.settings()
                )
            except WorkbenchError as error:
                st.error(plain(str(error)))
                return
            st.rerun()
    if not by:
        st.caption("Say who you are, above, to save.")
