"""Who looks at the dashboard, and whether they may change something.

Whoever changes something goes through `operate`, and each control that leads there is drawn with
`control`; a test holds the sections to both. What a disabled control would do is refused all the same,
since a browser may send anything.
"""

from __future__ import annotations

import hmac
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, ParamSpec, TypedDict, TypeVar

import streamlit as st
from streamlit.errors import StreamlitAuthError

from workbench.dashboard import access
from workbench.dashboard.drawing import plain
from workbench.errors import InputError

P = ParamSpec("P")
T = TypeVar("T")

Role = Literal["operator", "reader"]

PASSWORDS: Mapping[Role, str] = {
    "operator": "WORKBENCH_OPERATOR_PASSWORD",
    "reader": "WORKBENCH_READER_PASSWORD",
}
"""The variables of the environment that hold the password of each role."""
DELAY_S = 1.0
"""How long the answer to a wrong password takes, seconds; all sessions wait in one line."""
READER = "You are signed in as a reader, who changes nothing: an operator can do this."

_SIGNED_IN = "signed in"
_one_guess = threading.Lock()


@dataclass(frozen=True)
class SignedIn:
    """Whoever signed in to this session.

    Args:
        role: what they may do.
        name: e-mail address, by single sign-on; empty by a password, which many may know.
    """

    role: Role
    name: str = ""


class Permission(TypedDict):
    """What a control that changes something is drawn with."""

    disabled: bool
    help: str | None


def require_sign_in() -> None:
    """Let the page go on for those who are signed in; show the others how, and stop.

    Raises:
        DocumentError: the settings cannot be used.
        InputError: the kind of sign-in that they name lacks its passwords, library or provider.
    """
    kind = access.settings().sign_in
    if kind == "none":
        return
    if _who() is None:
        st.title("Sign in")
        if kind == "password":
            _ask_password()
        else:
            _ask_provider()
        st.stop()
    _show_who(kind)


def may_operate() -> bool:
    """Tell whether whoever looks may change something."""
    if access.settings().sign_in == "none":
        return True
    who = _who()
    return who is not None and who.role == "operator"


def control(help: str | None = None, *, disabled: bool = False) -> Permission:
    """Give what a control that changes something is drawn with; a reader finds it disabled, and why.

    Args:
        help: what the control does.
        disabled: whether it is so for operators too.
    """
    if may_operate():
        return {"disabled": disabled, "help": help}
    return {"disabled": True, "help": READER}


def operate(change: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call what changes something, for an operator; for a reader say so in its place, and stop.

    Args:
        change: a workflow that starts, stops, saves or sends something.
        arguments: what it takes.
        named: what it takes by name.
    """
    if not may_operate():
        _refuse()
    return change(*arguments, **named)


def ask_name() -> str:
    """Ask who changes something; by single sign-on it is the address that signed in."""
    who = _who()
    if who is not None and who.name:
        st.text_input("You are", who.name, disabled=True, width=260)
        return who.name
    return st.text_input("You are", key="by", bind="query-params", placeholder="your name", width=200) or ""


def author() -> str | None:
    """Name whoever signed in, where that is known."""
    who = _who()
    return who.name if who is not None and who.name else None


def role_of_password(given: str, environment: Mapping[str, str] = os.environ) -> Role | None:
    """Tell which role a password opens; None for a wrong one.

    Args:
        given: what was typed.
        environment: the variables to read.

    Raises:
        InputError: no password is set, or both roles have the same.
    """
    known = {role: environment.get(name, "") for role, name in PASSWORDS.items()}
    if not any(known.values()):
        raise InputError(
            f"sign_in: given password, but {' and '.join(PASSWORDS.values())} are not set where the "
            "dashboard was started; allowed: one of them or both"
        )
    if known["operator"] == known["reader"]:
        raise InputError(f"{' and '.join(PASSWORDS.values())}: given the same; allowed: two passwords")
    # All are compared, so that the time tells nothing.
    right = {role: hmac.compare_digest(given.encode(), one.encode()) for role, one in known.items()}
    return next((role for role, one in known.items() if right[role] and one), None)


def role_of_user(user: Mapping[str, Any], operators: Sequence[str]) -> SignedIn | None:
    """Tell who a user of single sign-on is; None for one who is not signed in.

    An address that the provider calls unverified makes nobody an operator.

    Args:
        user: what the provider said: `is_logged_in`, `email`, `email_verified`.
        operators: the addresses of operators.
    """
    if user.get("is_logged_in") is not True:
        return None
    address = str(user.get("email") or "").strip().casefold()
    known = {one.casefold() for one in operators}
    verified = user.get("email_verified", True) not in (False, "false")
    return SignedIn("operator" if verified and address in known else "reader", address)


def _who() -> SignedIn | None:
    given = access.settings()
    if given.sign_in == "single_sign_on":
        return role_of_user(dict(st.user), given.operators)
    held = st.session_state.get(_SIGNED_IN)
    return held if given.sign_in == "password" and isinstance(held, SignedIn) else None


def _ask_password() -> None:
    role_of_password("")  # what is not set up is said before anybody types
    with st.form("sign-in", clear_on_submit=True, border=False):
        given = st.text_input("Password", type="password", autocomplete="current-password", width=320)
        pressed = st.form_submit_button("Sign in", type="primary", icon=":material/login:")
    if not pressed:
        return
    with _one_guess:
        role = role_of_password(given or "")
        if role is None:
            time.sleep(DELAY_S)
    if role is None:
        st.error("That is no password of this dashboard.")
        return
    st.session_state[_SIGNED_IN] = SignedIn(role)
    st.rerun()


def _ask_provider() -> None:
    st.markdown("This dashboard is for those whom your organisation signs on.")
    if st.button("Sign in", type="primary", icon=":material/login:"):
        try:
            st.login()
        except StreamlitAuthError as error:
            told = " ".join(str(error).split())
            raise InputError(f"sign_in: given single_sign_on, but it is not set up: {told}") from None


def _show_who(kind: str) -> None:
    who = _who()
    if who is None:
        return
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.caption(
            plain(f"{who.name}, {who.role}" if who.name else f"signed in as {who.role}"), width="content"
        )
        if st.button("Sign out", type="tertiary", icon=":material/logout:", key="sign-out"):
            if kind == "single_sign_on":
                st.logout()
                return
            del st.session_state[_SIGNED_IN]
            st.rerun()


def _refuse() -> NoReturn:
    st.error(READER)
    st.stop()
    raise InputError(READER)
