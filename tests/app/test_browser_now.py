"""A live run in a real browser: started from the page, seen to move, told something, stopped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.app.test_browser_rooms import barriers
from tests.system.test_browser import CHROMIUM, PATIENCE, Tab, complaint, serving
from workbench import workflows
from workbench.settings import Settings

pytestmark = pytest.mark.system


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Path]:
    """A lake that is not there yet; what was started in it is ended."""
    folder = tmp_path / "lake"
    yield folder
    settings = Settings(lake=folder)
    for one in workflows.lives(settings=settings).lives:
        if one.state in ("running", "paused"):
            workflows.command(one.run_id, "stop", settings=settings)


@pytest.fixture
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program("chromium"), args=[*CHROMIUM])
        yield started
        started.close()


def open_tab(browser: Browser, *, width: int = 1400, color_scheme: str = "light") -> Tab:
    context = browser.new_context(
        viewport={"width": width, "height": 1000},
        color_scheme=color_scheme,  # type: ignore[arg-type]
    )
    tab = Tab(context.new_page())
    tab.page.on("console", lambda message: tab.errors.extend(complaint(message)))
    tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
    return tab


def test_a_live_run_is_started_seen_told_and_stopped(lake: Path, browser: Browser):
    with serving(lake, "streamlit_app.py", lake.with_name("server.log")) as server:
        tab = open_tab(browser)
        page = tab.open(f"{server}now")
        page.get_by_role("button", name="Start").click()
        clock = page.get_by_text(re.compile("running · at"))
        expect(clock).to_be_visible(timeout=PATIENCE)
        before = clock.inner_text()
        expect(clock).not_to_have_text(before, timeout=PATIENCE)
        expect(page).to_have_url(re.compile(r"run=1\b"))
        page.get_by_label("Weight", exact=True).fill("7")
        page.get_by_label("Weight", exact=True).press("Tab")
        page.get_by_role("button", name="Set weight").click()
        expect(page.get_by_text(re.compile("=7 — applied at"))).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_test_id("stPlotlyChart")).to_have_count(4, timeout=PATIENCE)
        tab.keep("now-live")
        found = barriers(page)
        phone = open_tab(browser, width=390, color_scheme="dark")
        small = phone.page
        small.goto(f"{server}now?run=1")
        expect(small.get_by_text(re.compile("running · at"))).to_be_visible(timeout=PATIENCE)
        expect(small.get_by_test_id("stPlotlyChart")).to_have_count(4, timeout=PATIENCE)
        phone.keep("now-live-phone-dark")
        main = small.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0
        page.get_by_role("button", name="Stop", exact=True).click()
        for each in (page, small):
            expect(each.get_by_text(re.compile("stopped · at"))).to_be_visible(timeout=PATIENCE)
        found |= barriers(small)
        for one in (tab, phone):
            one.close()
        assert not tab.errors + phone.errors
        assert found == set()
