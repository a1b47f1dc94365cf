"""Alerts as they are: what fires, who has it, what is silenced, what was told and what was not."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import streamlit as st

from workbench import workflows
from workbench.dashboard import access, roles
from workbench.dashboard.drawing import draw_view, plain
from workbench.errors import NotFoundError, WorkbenchError
from workbench.quantities import format_duration
from workbench.workflows.handling_views import AlertLine, SilenceView

_EVERY_S = 2.0
_SHOWN = 50
"""Most alerts that are shown with buttons."""
_LENGTHS = {"1 hour": 3600.0, "4 hours": 4 * 3600.0, "1 day": 86400.0, "1 week": 7 * 86400.0}
_ICONS = {"firing": ":material/local_fire_department:", "pending": ":material/hourglass_top:"}


@st.fragment(run_every=_EVERY_S)
def show_active() -> None:
    """Show the alerts that there are, anew every two seconds, with what can be done about each."""
    try:
        view = workflows.active_alerts(settings=access.settings())
    except NotFoundError:
        show_not_run()
        return
    if not view.alerts:
        st.success("No alert is pending or fires.", icon=":material/check_circle:")
    for one in view.alerts[:_SHOWN]:
        _show_alert(one, view.now)
    if len(view.alerts) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(view.alerts):,}; silence by labels below to deal with many.")
    st.caption(f"As of {datetime.fromtimestamp(view.now, UTC):%H:%M:%S} UTC.")


def show_silences() -> None:
    """List silences, end them, and make one by labels."""
    st.subheader("Silences")
    try:
        view = workflows.list_silences(settings=access.settings())
    except NotFoundError:
        view = None
    for one in view.silences if view else []:
        _show_silence(one)
    with st.form("silence", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        matchers = st.text_input(
            "Silence alerts with", placeholder='severity="ticket" server=~"web.*"', width=360
        )
        length = st.selectbox("For", list(_LENGTHS), width=120)
        comment = st.text_input("Why", width=260)
        pressed = st.form_submit_button("Silence", icon=":material/notifications_off:", **roles.control())
    if pressed:
        _silence((matchers or "").split(), _LENGTHS[length], comment or "")


def show_history() -> None:
    """Show what happened to alerts and every attempt to deliver."""
    alert = st.text_input("Only this alert", key="alert", bind="query-params", placeholder="all", width=260)
    try:
        view = workflows.alert_history(alert or None, settings=access.settings())
        letters = workflows.list_letters(settings=access.settings())
    except NotFoundError:
        show_not_run()
        return
    draw_view(view, alt="What happened to alerts, newest first")
    st.subheader("Outbox")
    draw_view(letters, alt="Messages in the outbox, newest first")
    dead = letters.counts.get("dead", 0)
    if dead and st.button(f"Send {dead} dead letters again", icon=":material/replay:", **roles.control()):
        roles.operate(workflows.list_letters, send_again=[], settings=access.settings())
        st.rerun()


def show_not_run() -> None:
    """Say that no alerts were run yet."""
    st.info("No alerts were run over this lake yet. Start them in Channels, or from a terminal:")
    st.code(
        "workbench alerts run data/rules/queues.yaml --to receivers.yaml --prometheus http://127.0.0.1:9090",
        language=None,
    )


def _show_alert(one: AlertLine, now: float) -> None:
    labels = " ".join(f"{name}={value}" for name, value in one.labels.items() if name != "alertname")
    with st.container(border=True, key=f"alert-{one.fingerprint}"):
        value = "" if one.value is None else f" · value {one.value:.4g}"
        st.markdown(f"{_ICONS.get(one.state, ':material/check:')} **{plain(one.alertname)}** — {one.state}")
        st.caption(
            plain(f"{labels} · for {format_duration(max(0.0, now - one.active_at))}{value}{_hands(one)}")
        )
        if one.state != "firing":
            return
        with st.container(horizontal=True):
            if one.acknowledged_by is None and st.button(
                "Acknowledge",
                key=f"ack-{one.fingerprint}",
                icon=":material/done:",
                **roles.control(),
            ):
                roles.operate(
                    workflows.mark_alerts,
                    one.fingerprint,
                    "acknowledged",
                    author=roles.author(),
                    settings=access.settings(),
                )
                st.rerun()
            if one.silenced_by is None and st.button(
                "Silence for an hour",
                key=f"silence-{one.fingerprint}",
                icon=":material/notifications_off:",
                **roles.control(),
            ):
                matchers = [f'{name}="{value}"' for name, value in one.labels.items()]
                _silence(matchers, 3600.0, "from the dashboard")


def _hands(one: AlertLine) -> str:
    said = [f"acknowledged by {one.acknowledged_by}"] if one.acknowledged_by else []
    said += [f"silenced by {one.silenced_by}"] if one.silenced_by is not None else []
    return "".join(f" · {text}" for text in said)


def _show_silence(one: SilenceView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"silence-{one.silence_id}"):
        left = format_duration(max(0.0, one.ends_at - time.time()))
        comment = f": {one.comment}" if one.comment else ""
        st.markdown(
            plain(f"{' '.join(one.matchers)} — {left} left, by {one.author}{comment}"), width="content"
        )
        if st.button("End", key=f"end-{one.silence_id}", **roles.control()):
            roles.operate(workflows.end_silence, one.silence_id, settings=access.settings())
            st.rerun()


def _silence(matchers: list[str], seconds: float, comment: str) -> None:
    try:
        roles.operate(
            workflows.silence_alerts,
            matchers,
            seconds=seconds,
            author=roles.author(),
            comment=comment,
            settings=access.settings(),
        )
    except WorkbenchError as error:
        st.error(plain(str(error)))
        return
    st.rerun()
