"""The page of what goes on now, over a live run that really goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench import workflows
from workbench.settings import Settings
from workbench.store import Store
from workbench.workflows.present import show_present

OpenPage = Callable[..., AppTest]

POOL = {
    "name": "steady",
    "arrivals": {"kind": "poisson", "rate": "100/s"},
    "service": {"kind": "exponential", "mean": "10ms"},
    "pool": {"name": "web", "count": 2},
    "balancers": {"strategy": "round_robin"},
    "horizon": "2h",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A lake in which run 1 is live, run 2 is not, and run 3 was collected."""
    made = Settings(lake=tmp_path_factory.mktemp("now") / "lake")
    assert workflows.start_live(POOL, speed=5, sample_every=1, settings=made).live.run_id == 1
    workflows.run(POOL | {"horizon": "10s"}, settings=made)
    recorded = Path(__file__).parents[2] / "data" / "collections" / "nginx_plus.yaml"
    workflows.collect(recorded, settings=made)
    until = time.monotonic() + 30
    while workflows.show_live(1, settings=made).live.at_s < 10 and time.monotonic() < until:
        time.sleep(0.1)
    yield made
    workflows.command(1, "stop", wait=20, settings=made)


def alts(app: AppTest) -> list[str]:
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def tiles(app: AppTest) -> dict[str, str]:
    return {one.label: one.value for one in app.metric}


def test_without_a_lake_the_page_says_what_to_do_and_makes_none(tmp_path: Path, open_page: OpenPage):
    app = open_page(tmp_path / "lake", "now")
    assert "Start a live run here" in app.info[0].value
    assert "workbench collect FILE" in app.code[0].value
    assert not (tmp_path / "lake").exists()


def test_a_live_run_has_every_tile_and_chart(settings: Settings, open_page: OpenPage):
    app = open_page(settings.lake, "now", run="1")
    shown = tiles(app)
    assert shown["Servers up"] == "2 of 2"
    assert shown["Firing"] == "–"
    # 100/s come: 6 standard deviations of 10 s of them is 19/s.
    assert float(shown["Throughput"].removesuffix("/s")) == pytest.approx(100, abs=19)
    assert float(shown["Goodput"].removesuffix("/s")) == pytest.approx(100, abs=19)
    assert alts(app) == [
        "waiting (requests, mean) of each server in the last minutes",
        "Arrivals, throughput and goodput in the last minutes",
        "Percentiles of response time in the last minutes",
        "slots busy (%) of each server in the last minutes",
    ]


def test_without_refreshing_the_page_still_shows_and_tells(settings: Settings, open_page: OpenPage):
    app = open_page(settings.lake, "now", run="1")
    app.toggle(key="refresh").set_value(False).run()
    assert not app.exception
    assert len(alts(app)) == 4
    assert [button for button in app.button if button.key == "stop"]


def test_a_weight_is_applied_where_it_was_asked_for_and_every_browser_sees_it(
    settings: Settings, open_page: OpenPage
):
    one, other = (open_page(settings.lake, "now", run="1", by="ann") for _ in range(2))
    one.selectbox(key="server").select("web-1")
    one.number_input(key="weight").set_value(5)
    one.text_input(key="why").input("it is bigger")
    one.button(key="set-weight").click().run()
    assert "weight web-1=5 — applied at" in one.success[0].value
    assert "weight web-1 1 -\\> 5" in one.success[0].value
    other.run()
    assert not other.exception
    with Store(settings) as store:
        seen = show_present(store, run_id=1)
    assert seen.servers[1].weight == 5.0
    assert (seen.commands[-1].author, seen.commands[-1].reason) == ("ann", "it is bigger")


def test_a_drained_server_is_out_and_comes_back(settings: Settings, open_page: OpenPage):
    app = open_page(settings.lake, "now", run="1")
    app.button(key="drain").click().run()
    assert "server web-0 drain — applied" in app.success[0].value
    assert tiles(open_page(settings.lake, "now", run="1"))["Servers up"] == "1 of 2"
    app.selectbox(key="server").select("web-1")
    app.button(key="kill").click().run()
    assert "after which none could be used" in app.error[0].value
    app.selectbox(key="server").select("web-0")
    app.button(key="ready").click().run()
    assert tiles(open_page(settings.lake, "now", run="1"))["Servers up"] == "2 of 2"


@pytest.mark.parametrize(
    ("box", "given", "said"),
    [
        ("checks", "often", "checks: given 'often'; allowed: name=value"),
        ("speed", "fast", "speed: given 'fast'; allowed:"),
    ],
)
def test_what_is_no_command_is_answered_in_place(
    settings: Settings, open_page: OpenPage, box: str, given: str, said: str
):
    app = open_page(settings.lake, "now", run="1")
    app.text_input(key=box).input(given)
    app.button(key=f"set-{box}").click().run()
    assert said in app.error[0].value.replace("\\", "")


def test_a_run_that_was_never_live_is_answered_in_place(settings: Settings, open_page: OpenPage):
    assert "neither live nor collected" in open_page(settings.lake, "now", run="2").warning[0].value
    assert "run 77" in open_page(settings.lake, "now", run="77").warning[0].value


def test_a_watched_system_shows_what_it_tells(settings: Settings, open_page: OpenPage):
    app = open_page(settings.lake, "now", run="3")
    assert tiles(app)["Goodput"] == "–"
    assert "slots busy (%) of each server in the last minutes" in alts(app)
    assert not [button for button in app.button if button.key == "stop"]


def test_a_start_that_cannot_be_is_answered_in_place(settings: Settings, open_page: OpenPage):
    app = open_page(settings.lake, "now", run="1")
    app.text_input(key="start-speed").input("quick")
    next(one for one in app.button if one.label == "Start").click().run()
    assert "speed: given 'quick'; allowed:" in app.error[0].value
