"""The working rooms in a real browser: what one does in them, what they look like, and who can use them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.system.test_browser import CHROMIUM, PATIENCE, Tab, complaint, serving
from tests.unit.reconcile_decisions.proposals import confidences, table
from workbench import workflows
from workbench.settings import Settings
from workbench.workflows.decision_configuration import set_configuration
from workbench.workflows.reviewing import list_cases, open_review

OpenTab = Callable[..., Tab]

BROKEN = {
    "name": "pool that breaks",
    "arrivals": {"kind": "poisson", "rate": "120/s"},
    "service": {"kind": "lognormal", "mean": "20ms", "cv2": 2},
    "pool": {"name": "web", "count": 5, "queue_limit": 30},
    "balancers": {
        "strategy": "round_robin",
        "detector": {"kind": "envoy.outlier_detection"},
    },
    "faults": {"kind": "failing", "servers": "web-1", "at": "20s", "lasts": "10s"},
    "horizon": "1min",
    "warm_up": "5s",
}
ROOMS = {
    "runs": "",
    "now": "now",
    "run": "run?run=1&request=5",
    "experiments": "experiments?file=mm1",
    "jobs": "jobs",
    "sweeps": "sweeps",
    "balancer": "balancer",
    "alerts": "alerts?view=rules&threshold_of=ErrorRatioHigh",
    "reconciliation": "reconciliation?plan=april",
    "data": "data",
    "history": "history?run=1&rule=queues%3A+QueueDeep",
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rooms") / "lake"
    workflows.run(BROKEN, settings=Settings(lake=folder, jobs=1))
    return folder


@pytest.fixture(scope="module")
def server(lake: Path) -> Iterator[str]:
    with serving(lake, "streamlit_app.py", lake.with_name("server.log")) as address:
        yield address


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program("chromium"), args=[*CHROMIUM])
        yield started
        started.close()


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[OpenTab]:
    """Return a function that opens a tab in a session of its own; at the end nothing may be wrong."""
    tabs: list[Tab] = []

    def open_it(width: int = 1400, color_scheme: str = "light") -> Tab:
        context = browser.new_context(
            viewport={"width": width, "height": 1000},
            color_scheme=color_scheme,  # type: ignore[arg-type]
        )
        tab = Tab(context.new_page())
        tab.page.on("console", lambda message: tab.errors.extend(complaint(message)))
        tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
        tabs.append(tab)
        return tab

    yield open_it
    for tab in tabs:
        tab.close()
        assert not tab.errors


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_drawn_without_an_error_for_every_eye_and_fits_a_phone(
    server: str, open_tab: OpenTab, room: str
):
    tab = open_tab()
    page = tab.open(server + ROOMS[room])
    expect(page.get_by_test_id("stException")).to_have_count(0)
    tab.keep(room)
    found = barriers(page)
    tab = open_tab(width=390, color_scheme="dark")
    page = tab.open(server + ROOMS[room])
    tab.keep(f"{room}-phone-dark")
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0
    assert found | barriers(page) == set()


def barriers(page: Page) -> set[str]:
    """Name what axe-core finds against WCAG 2.1 A and AA, each rule with the elements."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    return {
        f"{one['id']}: {node['html'][:200]}" for one in found.response["violations"] for node in one["nodes"]
    }


def test_what_is_wrong_with_a_scenario_is_said_while_it_is_written(server: str, open_tab: OpenTab):
    tab = open_tab()
    page = tab.open(server + ROOMS["experiments"])
    text = page.get_by_role("textbox", name="Scenario (YAML)")
    expect(text).to_have_value(re.compile("80/s"), timeout=PATIENCE)
    text.fill(text.input_value().replace("80/s", "fast"))
    expect(page.get_by_text("1 problem; mend it to go on")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("arrivals.rate")).to_be_visible()


def test_an_experiment_is_run_and_followed_to_its_run(server: str, open_tab: OpenTab):
    tab = open_tab()
    page = tab.open(server + ROOMS["experiments"])
    text = page.get_by_role("textbox", name="Scenario (YAML)")
    expect(text).to_have_value(re.compile("80/s"), timeout=PATIENCE)
    text.fill(text.input_value().replace("200k requests", "2000 requests"))
    expect(page.get_by_text("2,000 requests, runs: 1")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Run it once").click()
    link = page.get_by_role("link", name=re.compile("Open run"))
    expect(link).to_be_visible(timeout=PATIENCE)
    link.click()
    expect(page.locator("h1")).to_have_text("round_robin on M/M/1 at 80 % load", timeout=PATIENCE)


def test_a_case_is_decided_by_a_key(lake: Path, server: str, open_tab: OpenTab):
    settings = Settings(lake=lake)
    rng = np.random.default_rng(7)
    confidence = confidences(300, rng)
    folder = lake / "reconciliation" / "bank-and-ledger"
    folder.mkdir(parents=True)
    proposals = folder / "proposals.parquet"
    pq.write_table(table(confidence, rng.random(300) < confidence), proposals)
    costs = ["costs.review=2", "costs.wrong=200", "costs.missed=50"]
    set_configuration(costs, author="anna", reason="first", settings=settings)
    open_review(proposals, settings=settings)
    tab = open_tab()
    page = tab.open(f"{server}reconciliation?plan=april&view=review&by=anna")
    expect(page.get_by_text("Keys: A accepts, X rejects, S skips.")).to_be_visible(timeout=PATIENCE)
    tab.settle()
    page.locator("h1").click()
    page.wait_for_timeout(1_500)  # the page hears keys a moment after it is drawn, and shows no sign of it
    page.keyboard.press("a")
    expect(page.get_by_text("The model said")).to_be_visible(timeout=PATIENCE)
    tab.settle()
    tab.keep("review")
    (decided,) = list_cases(decided=True, settings=settings).cases
    assert (decided.verdicts[0].verdict, decided.verdicts[0].by) == ("accept", "anna")
