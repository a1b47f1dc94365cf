"""What pages say where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from workbench.settings import Settings
from workbench.store import NewRun, Store

ROOMS = ("runs", "run", "comparison", "history", "data")
OpenPage = Callable[..., AppTest]


def said(app: AppTest) -> str:
    """All words of a page."""
    kinds: tuple[Any, ...] = (app.title, app.subheader, app.markdown, app.caption, app.code)
    kinds += (app.info, app.warning, app.error, app.success)
    return "\n".join(element.value for kind in kinds for element in kind)


@pytest.mark.parametrize("page", ROOMS)
def test_without_a_lake_each_page_says_how_to_fill_one(tmp_path: Path, open_page: OpenPage, page: str):
    app = open_page(tmp_path / "lake", page)
    assert app.title[0].value == "Nothing is stored yet"
    assert str(tmp_path / "lake") in said(app)
    assert "workbench demo" in said(app)
    assert "workbench run FILE" in said(app)


@pytest.mark.parametrize("page", ROOMS)
def test_looking_makes_no_lake(tmp_path: Path, open_page: OpenPage, page: str):
    open_page(tmp_path / "lake", page)
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("page", "command"),
    [("runs", "run FILE"), ("run", "run FILE"), ("comparison", "compare FILE"), ("history", "run FILE")],
)
def test_in_an_empty_lake_each_page_says_what_to_do(
    tmp_path: Path, open_page: OpenPage, page: str, command: str
):
    Store(Settings(lake=tmp_path)).close()
    app = open_page(tmp_path, page)
    assert f"workbench {command}" in said(app)
    assert "workbench demo" in said(app)


@pytest.mark.parametrize("page", ROOMS)
def test_a_corrupt_catalogue_is_named_with_its_remedy(tmp_path: Path, open_page: OpenPage, page: str):
    (tmp_path / "catalogue.sqlite").write_bytes(b"no catalogue " * 100)
    app = open_page(tmp_path, page)
    assert app.subheader[0].value == "The lake cannot be read"
    assert "it is corrupt" in said(app)
    assert "WORKBENCH_LAKE" in said(app).replace("\\", "")


@pytest.mark.parametrize("page", ROOMS)
def test_settings_that_cannot_be_used_are_named(
    tmp_path: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, page: str
):
    monkeypatch.setenv("WORKBENCH_DUCKDB_MEMORY", "plenty")
    app = open_page(tmp_path, page)
    assert app.subheader[0].value == "The settings cannot be used"
    assert "an amount of memory such as 512MB or 4GB" in said(app)


def test_a_lake_that_was_made_anew_is_read_anew(tmp_path: Path, open_page: OpenPage):
    for scenario in ("old", "new"):
        with Store(Settings(lake=tmp_path)) as store:
            store.begin_run(NewRun("key", scenario, "{}", "random", 1, 0, "reference", "0.1.0"))
        assert list(open_page(tmp_path).dataframe[0].value["scenario"]) == [scenario]
        for file in tmp_path.glob("catalogue.sqlite*"):
            file.unlink()
        assert open_page(tmp_path).title[0].value == "Nothing is stored yet"
