"""A comparison of strategies on the same requests: who is best, by how much, and how sure that is."""

from __future__ import annotations

import streamlit as st

from workbench import charts
from workbench.dashboard import access, addresses, listing, notices
from workbench.dashboard.drawing import plain, side_by_side
from workbench.dashboard.sections import standings as sections
from workbench.store import Comparison, Store


def page() -> None:
    """Show the comparison that the address names, or the newest."""
    comparison = _chosen(access.lake())
    if comparison is None:
        st.title("Comparison")
        notices.show_no_comparisons()
        return
    view = listing.read_comparison(comparison)
    standings = charts.read_standings(view.model_dump(mode="json"))
    st.title(plain(f"{view.scenario}: {len(view.standings)} strategies compared"))
    st.caption(
        f"comparison {comparison.comparison_id} · {view.measure_label} · {view.replications} replications · "
        f"{comparison.created:%Y-%m-%d %H:%M} UTC"
    )
    sections.show_answer(view, standings)
    sections.show_table(standings)
    sections.show_method(view)
    side_by_side(lambda: sections.show_differences(standings), lambda: sections.show_measure(standings))
    side_by_side(lambda: sections.show_quantiles(standings), lambda: sections.show_replications(standings))
    sections.show_runs(standings)


def _chosen(store: Store) -> Comparison | None:
    number = addresses.asked_number("comparison")
    if number is not None:
        return store.comparison(number)
    newest = store.comparisons()[:1]
    if newest:
        st.query_params["comparison"] = str(newest[0].comparison_id)
    return newest[0] if newest else None


if __name__ == "__main__":
    page()
