"""Signing in, and what a reader may not do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from workbench.dashboard import roles
from workbench.dashboard.roles import PASSWORDS, role_of_password, role_of_user
from workbench.errors import InputError
from workbench.settings import Settings, load_settings
from workbench.workflows.configuring import change_configuration, show_configuration

OpenPage = Callable[..., AppTest]

OPERATORS, READERS = "correct horse", "battery staple"
READING = {"Ask", "Explain", "Sign out"}
"""Buttons that a reader may press."""


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_SIGN_IN", "password")
    monkeypatch.setenv(PASSWORDS["operator"], OPERATORS)
    monkeypatch.setenv(PASSWORDS["reader"], READERS)


@pytest.fixture
def balancer(tmp_path: Path) -> Path:
    (tmp_path / "lake").mkdir()
    file = tmp_path / "balancer.yaml"
    file.write_text("servers: {web-1: {}, web-2: {}}\nbalancers: {strategy: random}\n")
    settings = Settings(lake=tmp_path / "lake")
    change_configuration(file=file, balancer="web", author="anna", reason="first", settings=settings)
    change_configuration(["servers.web-1.weight=2"], author="anna", reason="second", settings=settings)
    return settings.lake


def sign_in(app: AppTest, password: str) -> AppTest:
    app.text_input[0].set_value(password)
    app.button[0].click().run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def version(lake: Path) -> int:
    return show_configuration(balancer="web", settings=Settings(lake=lake)).version


@pytest.mark.usefixtures("passwords")
@pytest.mark.parametrize("page", ["runs", "balancer", "data", "jobs"])
def test_who_is_not_signed_in_sees_nothing_of_a_page(lake: Any, open_page: OpenPage, page: str):
    app = open_page(lake.folder, page)
    assert [one.value for one in app.title] == ["Sign in"]
    assert not app.dataframe
    assert not app.table


@pytest.mark.usefixtures("passwords")
def test_a_wrong_password_is_refused_after_a_delay_and_shown_nowhere(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder)
    begun = time.monotonic()
    sign_in(app, "correct hors")
    assert time.monotonic() - begun >= roles.DELAY_S
    assert app.error[0].value == "That is no password of this dashboard."
    assert [one.value for one in app.title] == ["Sign in"]
    assert "correct hors" not in repr(app.session_state)
    assert app.text_input[0].proto.type == app.text_input[0].proto.PASSWORD


@pytest.mark.usefixtures("passwords")
@pytest.mark.parametrize(("password", "role"), [(OPERATORS, "operator"), (READERS, "reader")])
def test_a_password_opens_its_role_until_signing_out(
    lake: Any, open_page: OpenPage, password: str, role: str
):
    app = sign_in(open_page(lake.folder), password)
    assert app.caption[0].value == f"signed in as {role}"
    assert app.title[0].value != "Sign in"
    assert password not in repr(app.session_state)
    app.button(key="sign-out").click().run()
    assert [one.value for one in app.title] == ["Sign in"]


@pytest.mark.usefixtures("passwords")
@pytest.mark.parametrize(
    "page", ["balancer", "data", "experiments", "run", "reconciliation", "sweeps", "alerts"]
)
def test_a_reader_finds_every_control_that_changes_something_disabled_and_why(
    lake: Any, open_page: OpenPage, page: str
):
    app = sign_in(open_page(lake.folder, page), READERS)
    app.run()
    assert not app.exception
    left = {one.label for one in app.button if not one.disabled}
    assert left <= READING
    assert all(one.help == roles.READER for one in app.button if one.disabled)


def change_as(role: str, folder: str) -> None:
    """Change a configuration as a session of a role would; Streamlit runs this as a page."""
    from pathlib import Path

    import streamlit as st

    from workbench.dashboard import roles
    from workbench.settings import Settings
    from workbench.workflows.configuring import roll_back_configuration

    st.session_state["signed in"] = roles.SignedIn(role)  # type: ignore[arg-type]
    settings = Settings(lake=Path(folder))
    roles.operate(roll_back_configuration, 1, author="m", reason="r", balancer="web", settings=settings)
    st.write("done")


@pytest.mark.usefixtures("passwords")
@pytest.mark.parametrize(("role", "after"), [("reader", 2), ("operator", 3)])
def test_what_is_disabled_is_refused_if_it_is_called_all_the_same(balancer: Path, role: str, after: int):
    app = AppTest.from_function(change_as, kwargs={"role": role, "folder": str(balancer)}).run()
    assert not app.exception
    refused = [roles.READER] if role == "reader" else []
    assert [one.value for one in app.error] == refused
    assert bool(app.markdown) is not bool(refused)
    assert version(balancer) == after


@pytest.mark.usefixtures("passwords")
def test_an_operator_may(balancer: Path, open_page: OpenPage):
    app = sign_in(open_page(balancer, "balancer", by="anna"), OPERATORS)
    next(one for one in app.button if one.label == "Go back").click().run()
    assert version(balancer) == 3


def test_without_sign_in_everybody_may_and_nobody_is_asked(balancer: Path, open_page: OpenPage):
    app = open_page(balancer, "balancer", by="anna")
    next(one for one in app.button if one.label == "Go back").click().run()
    assert version(balancer) == 3
    assert not [one for one in app.button if one.label == "Sign out"]


@pytest.mark.parametrize(
    ("environment", "words"),
    [({}, "are not set"), (dict.fromkeys(PASSWORDS.values(), "same"), "two passwords")],
)
def test_passwords_that_cannot_be_used_are_told(environment: dict[str, str], words: str):
    with pytest.raises(InputError, match=words):
        role_of_password("same", environment)


def test_an_empty_password_opens_nothing():
    assert role_of_password("", {PASSWORDS["operator"]: "x"}) is None


def test_a_kind_of_sign_in_that_is_not_known_shows_no_page(
    lake: Any, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WORKBENCH_SIGN_IN", "passwords")
    app = open_page(lake.folder)
    assert "sign_in" in app.error[0].value.replace("\\", "")
    assert not app.dataframe


def test_single_sign_on_that_is_not_set_up_lets_nobody_in(
    lake: Any, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WORKBENCH_SIGN_IN", "single_sign_on")
    app = open_page(lake.folder)
    assert [one.value for one in app.title] == ["Sign in"]
    assert not app.dataframe
    app.button[0].click().run()
    assert "is not set up" in app.error[0].value


@pytest.mark.parametrize(
    ("user", "role"),
    [
        ({}, None),
        ({"is_logged_in": False, "email": "anna@example.org"}, None),
        ({"is_logged_in": True, "email": "Anna@example.org"}, "operator"),
        ({"is_logged_in": True, "email": "anna@example.org", "email_verified": False}, "reader"),
        ({"is_logged_in": True, "email": "bert@example.org"}, "reader"),
        ({"is_logged_in": True}, "reader"),
    ],
)
def test_the_list_of_operators_says_who_may(user: dict[str, Any], role: str | None):
    found = role_of_user(user, ["anna@example.org"])
    assert (found.role if found else None) == role


def test_operators_are_split_in_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORKBENCH_OPERATORS", "anna@example.org, bert@example.org")
    assert load_settings().operators == ("anna@example.org", "bert@example.org")
