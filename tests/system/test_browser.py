"""The dashboard in a real browser: what is drawn, what is fetched, and what an address leads to."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from workbench import workflows
from workbench.settings import Settings

PROJECT = Path(__file__).parents[2]
OUTPUT = PROJECT / "tests" / "output"
ENTRIES = ("streamlit_app.py", "workbench/dashboard/app.py")
ROOMS = {"runs": "", "run": "run?run=1", "comparison": "comparison?comparison=1"}
CHARTS = {"runs": 0, "run": 4, "comparison": 4}
CHROMIUM = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
)
ROW = 35
"""Height of a row of a list, pixels."""
PATIENCE = 30_000
"""How long a page may take on a busy machine, milliseconds."""

SCENARIO = {
    "name": "pool of two generations",
    "arrivals": {"kind": "poisson", "rate": "40/s"},
    "service": {"kind": "lognormal", "mean": "80ms", "cv2": 2},
    "pool": [
        {"name": "new", "count": 4, "slots": 1, "weight": 2},
        {"name": "old", "count": 2, "slots": 1, "speed": 0.6, "queue_limit": 20},
    ],
    "balancers": {"strategy": "round_robin"},
    "horizon": "1min",
    "warm_up": "5s",
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser") / "lake"
    workflows.compare_strategies(
        SCENARIO,
        strategies=["random", "round_robin", "power_of_two", "join_shortest_queue", "least_work_left"],
        replications=5,
        measure="response_p95",
        settings=Settings(lake=folder, jobs=1),
    )
    return folder


@contextmanager
def serving(lake: Path, entry: str, log: Path) -> Iterator[str]:
    """Serve the dashboard on a free port of this machine, and end that process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", entry, "--server.port", str(port)]
    with log.open("w") as written:
        server = subprocess.Popen(
            [*command, "--server.headless", "true"],
            cwd=PROJECT,
            env=os.environ | {"WORKBENCH_LAKE": str(lake)},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}/"
            wait_for(f"{address}_stcore/health", server, log)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=20)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = monotonic() + 60
    while monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            sleep(0.1)
    pytest.fail(f"the server did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def server(lake: Path) -> Iterator[str]:
    with serving(lake, ENTRIES[0], lake.with_name("server.log")) as address:
        yield address


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program("chromium"), args=[*CHROMIUM])
        yield started
        started.close()


@dataclass
class Tab:
    """A page with what it fetched and what went wrong."""

    page: Page
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def open(self, address: str) -> Page:
        """Open an address and wait until all of it is drawn."""
        self.page.goto(address)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the server has nothing more to say."""
        expect(self.page.locator("h1, h3").first).to_be_visible(timeout=PATIENCE)
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE)
        for chart in self.page.get_by_test_id("stPlotlyChart").all():
            expect(chart.locator(".main-svg").first).to_be_attached(timeout=PATIENCE)

    def close(self) -> None:
        """Leave, before the server does."""
        self.page.context.close()

    def keep(self, name: str) -> None:
        """Save a picture of the whole page."""
        OUTPUT.mkdir(exist_ok=True)
        size = self.page.viewport_size or {"width": 0, "height": 0}
        height = self.page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
        self.page.set_viewport_size({"width": size["width"], "height": max(size["height"], height + 20)})
        self.page.wait_for_timeout(1000)
        self.page.screenshot(path=OUTPUT / f"{name}.png")


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Return a function that opens an empty tab in a session of its own; at the end nothing may be wrong."""
    tabs: list[Tab] = []

    def open_it(width: int = 1400, color_scheme: str = "light") -> Tab:
        context = browser.new_context(
            viewport={"width": width, "height": 1000},
            color_scheme=color_scheme,  # type: ignore[arg-type]
        )
        tab = Tab(context.new_page())
        tab.page.on("console", lambda message: tab.errors.extend(complaint(message)))
        tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.page.on("request", lambda request: tab.hosts.add(urlsplit(request.url).hostname or ""))
        tabs.append(tab)
        return tab

    yield open_it
    for tab in tabs:
        tab.close()
        assert not tab.errors
        assert tab.hosts <= {"127.0.0.1", ""}


def complaint(message: ConsoleMessage) -> list[str]:
    """Take what is an error. Streamlit looks for its server below /run before it finds it below /."""
    searching = re.search(r"/[a-z]+/_stcore/", message.location["url"])
    return [message.text] if message.type == "error" and not searching else []


@pytest.mark.parametrize("room", ROOMS)
def test_a_page_draws_all_its_charts(server: str, open_tab: Callable[..., Tab], room: str):
    tab = open_tab()
    page = tab.open(server + ROOMS[room])
    expect(page.get_by_test_id("stException")).to_have_count(0)
    charts = page.get_by_test_id("stPlotlyChart")
    expect(charts).to_have_count(CHARTS[room])
    for chart in charts.all():
        marks = ".scatterlayer path, .barlayer path, .heatmaplayer image"
        expect(chart.locator(marks).first).to_be_attached(timeout=PATIENCE)
    tab.keep(room)


def test_the_list_names_what_the_lake_holds(server: str, open_tab: Callable[..., Tab]):
    page = open_tab().open(server)
    expect(page.locator("h1")).to_have_text("Runs")
    expect(page.get_by_text("5 runs; 20 further replications of comparisons are left out")).to_be_visible()


def test_a_run_shows_its_figures(server: str, open_tab: Callable[..., Tab]):
    page = open_tab().open(server + ROOMS["run"])
    expect(page.locator("h1")).to_have_text("random on pool of two generations")
    for label in ("Requests", "Ended ok", "Refused", "Goodput", "Utilisation"):
        expect(page.get_by_test_id("stMetricLabel").get_by_text(label)).to_be_visible()
    expect(page.get_by_role("rowheader", name="waiting time")).to_be_visible()
    expect(page.get_by_text("Little's law holds")).to_be_visible()


def test_a_comparison_shows_its_answer(server: str, open_tab: Callable[..., Tab]):
    page = open_tab().open(server + ROOMS["comparison"])
    expect(page.locator("h1")).to_have_text("pool of two generations: 5 strategies compared")
    expect(page.get_by_test_id("stAlert")).to_contain_text("has the least response time, p95")
    expect(page.get_by_role("cell", name="bound", exact=True)).to_be_visible()


@pytest.mark.parametrize(("place", "path"), [(0, r"comparison\?comparison=1$"), (1, r"run\?run=\d+$")])
def test_selecting_a_row_opens_it(server: str, open_tab: Callable[..., Tab], place: int, path: str):
    tab = open_tab()
    page = tab.open(server)
    page.get_by_test_id("stDataFrame").nth(place).click(position={"x": 200, "y": 1.5 * ROW})
    page.wait_for_url(re.compile(re.escape(server) + path), timeout=PATIENCE)
    tab.settle()
    expect(page.locator("h1")).to_contain_text("pool of two generations")


def test_a_value_of_a_comparison_opens_its_run(server: str, open_tab: Callable[..., Tab]):
    tab = open_tab()
    page = tab.open(server + ROOMS["comparison"])
    page.get_by_text("The run behind each value").click()
    values = page.get_by_test_id("stDataFrame")
    expect(values).to_be_visible()
    values.click(position={"x": 260, "y": 1.5 * ROW})
    page.wait_for_url(re.compile(r"/run\?run=\d+"), timeout=PATIENCE)


def test_a_shared_address_opens_the_same_view(server: str, open_tab: Callable[..., Tab]):
    tab = open_tab()
    page = tab.open(server + ROOMS["run"])
    page.get_by_role("radio", name="tail").or_(page.get_by_role("button", name="tail")).first.click()
    page.wait_for_url(re.compile("shape=tail"), timeout=PATIENCE)
    tab.settle()
    page.get_by_role("slider").first.press("ArrowRight")
    page.wait_for_url(re.compile("from="), timeout=PATIENCE)
    tab.settle()
    requests = page.get_by_test_id("stMetricValue").first
    expect(requests).not_to_have_text(first_figure(open_tab().open(server + ROOMS["run"])))

    other = open_tab().open(page.url)
    assert other.url == page.url
    expect(other.get_by_test_id("stMetricValue").first).to_have_text(requests.inner_text())
    expect(other.get_by_text("requests that took longer (%, log scale)")).to_be_attached()


def first_figure(page: Page) -> str:
    return page.get_by_test_id("stMetricValue").first.inner_text()


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_wider_than_a_phone(server: str, open_tab: Callable[..., Tab], room: str):
    tab = open_tab(width=390)
    page = tab.open(server + ROOMS[room])
    tab.keep(f"{room}-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0
    for chart in page.get_by_test_id("stPlotlyChart").all():
        box = chart.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize("room", ROOMS)
def test_a_page_follows_the_eye_into_the_dark(server: str, open_tab: Callable[..., Tab], room: str):
    tab = open_tab(color_scheme="dark")
    page = tab.open(server + ROOMS[room])
    tab.keep(f"{room}-dark")
    color = page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert color == "rgb(16, 22, 29)"


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_first_visit_may_lead_to_any_page(
    lake: Path, tmp_path: Path, open_tab: Callable[..., Tab], entry: str
):
    with serving(lake, entry, tmp_path / "server.log") as address:
        tab = open_tab()
        page = tab.open(address + ROOMS["run"])
        expect(page.locator("h1")).to_have_text("random on pool of two generations")
        expect(page.get_by_test_id("stTopNavLink").get_by_text("Comparison")).to_be_visible()
        tab.close()


def test_without_a_lake_the_page_says_how_to_fill_one(tmp_path: Path, open_tab: Callable[..., Tab]):
    with serving(tmp_path / "lake", ENTRIES[0], tmp_path / "server.log") as address:
        tab = open_tab()
        page = tab.open(address)
        expect(page.locator("h1")).to_have_text("Nothing is stored yet")
        expect(page.get_by_test_id("stCode")).to_contain_text("workbench demo")
        tab.keep("nothing-yet")
        tab.close()
