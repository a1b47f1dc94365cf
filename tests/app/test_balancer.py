"""The page of a balancer's configuration."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from workbench.settings import Settings
from workbench.workflows import jobs
from workbench.workflows.configuring import change_configuration, show_configuration

OpenPage = Callable[..., AppTest]

CONFIGURATION = """
servers:
  web-1: {address: "10.0.0.1:80"}
  web-2: {address: "10.0.0.2:80", weight: 3}
balancers: {strategy: round_robin}
"""


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "lake").mkdir()
    file = tmp_path / "balancer.yaml"
    file.write_text(CONFIGURATION)
    settings = Settings(lake=tmp_path / "lake")
    change_configuration(file=file, balancer="web", author="anna", reason="as it runs", settings=settings)
    return settings.lake


def change(app: AppTest, lines: str, reason: str) -> AppTest:
    app.text_area[0].set_value(lines)
    next(one for one in app.text_input if one.label == "Why").set_value(reason)
    next(one for one in app.button if one.label == "Save as the next version").click().run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def test_where_no_balancer_has_a_configuration_the_page_says_how_and_makes_no_lake(
    tmp_path: Path, open_page: OpenPage
):
    app = open_page(tmp_path / "lake", "balancer")
    assert "workbench config set --file" in app.code[0].value
    assert not (tmp_path / "lake").exists()


def test_a_change_is_saved_as_the_next_version_with_who_and_why(lake: Path, open_page: OpenPage):
    app = open_page(lake, "balancer", by="bert")
    change(app, "servers.web-1.weight=5\nservers.web-2.state=drain", "web-2 is repaired")
    view = show_configuration(balancer="web", settings=Settings(lake=lake))
    assert (view.version, view.author, view.reason) == (2, "bert", "web-2 is repaired")
    app.run()
    next(one for one in app.button if one.label == "Go back").click().run()
    view = show_configuration(balancer="web", settings=Settings(lake=lake))
    assert view.version == 3


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("servers.web-1.wieght=5", "did you mean weight?"),
        ("servers.web-*.state=drain", "usable"),
        ("", "why"),
    ],
)
def test_a_change_that_cannot_be_made_is_answered_in_place(
    lake: Path, open_page: OpenPage, lines: str, words: str
):
    app = change(open_page(lake, "balancer", by="bert"), lines, "a try")
    assert words in app.error[0].value.replace("\\", "")
    assert show_configuration(balancer="web", settings=Settings(lake=lake)).version == 1


def test_without_a_name_nothing_can_be_changed(lake: Path, open_page: OpenPage):
    app = open_page(lake, "balancer")
    assert {one.label for one in app.button if not one.disabled} == {"Plan"}  # which changes nothing


LOAD = {
    "name": "load",
    "arrivals": {"kind": "poisson", "rate": "120/s"},
    "service": {"kind": "exponential", "mean": "10ms"},
    "pool": {"count": 2},
    "balancers": {"strategy": "random"},
    "horizon": "500 requests",
}
HAPROXY = """
defaults
    timeout connect 1s
backend shop
    balance leastconn
    server a 10.0.0.1:80 weight 3 check
    server b 10.0.0.2:80 ssl verify none
"""


def wait(lake: Path, number: int) -> jobs.JobView:
    until = time.monotonic() + 60
    while (job := jobs.show_job(number, settings=Settings(lake=lake))).state == "running":
        assert time.monotonic() < until
        time.sleep(0.1)
    return job


@pytest.mark.slow
def test_a_change_is_planned_as_a_job_and_its_intervals_are_shown(lake: Path, open_page: OpenPage):
    load = lake.parent / "load.yaml"
    load.write_text(yaml.safe_dump(LOAD))
    settings = Settings(lake=lake)
    change_configuration([f"load={load}"], balancer="web", author="a", reason="its load", settings=settings)
    app = open_page(lake, "balancer", by="bert")
    app.text_area(key="planned web").set_value("balancers.strategy=join_shortest_queue")
    app.number_input(key="plan_replications").set_value(3)
    app.button(key="plan").click().run()
    job = wait(lake, app.session_state["plan_job"])
    assert job.state == "done", job.reason
    app.run()
    table = next(one.value for one in app.table if "change" in [*one.value.columns])
    assert re.search(r"\(.+,.+\)", table.loc["response mean", "change"])
    assert show_configuration(balancer="web", settings=settings).version == 2


@pytest.mark.slow
def test_applying_where_nothing_answers_says_so(lake: Path, open_page: OpenPage):
    app = open_page(lake, "balancer", by="bert")
    app.selectbox(key="target").set_value("an HAProxy's runtime socket").run()
    assert app.button(key="apply").disabled
    app.text_input(key="socket").set_value(str(lake / "nobody.sock"))
    app.text_input(key="backend").set_value("web").run()
    app.button(key="apply").click().run()
    job = wait(lake, app.session_state["apply_job"])
    assert job.state == "failed"
    assert "nobody.sock" in job.reason
    assert "--watch=60s" in job.command
    assert "--guard=errors > 5 %" in job.command


def test_a_change_that_would_be_an_option_of_the_command_is_refused(lake: Path, open_page: OpenPage):
    app = open_page(lake, "balancer", by="bert")
    app.text_area(key="planned web").set_value("--lake=/elsewhere")
    app.button(key="plan").click().run()
    assert "begins with -" in app.error[0].value
    assert not jobs.list_jobs(settings=Settings(lake=lake))


def test_a_pasted_file_of_a_proxy_becomes_a_version_with_notes(tmp_path: Path, open_page: OpenPage):
    folder = tmp_path / "lake"
    folder.mkdir()
    app = open_page(folder, "balancer", by="bert")
    app.selectbox(key="import_format").set_value("haproxy")
    app.text_area(key="pasted").set_value(HAPROXY).run()
    assert "not carried: ssl, verify none" in app.warning[0].value
    next(one for one in app.button if one.label == "Save the import").click().run()
    assert not app.exception, app.exception[0].stack_trace
    view = show_configuration(balancer="shop", settings=Settings(lake=folder))
    assert (view.author, view.strategy, view.usable) == ("bert", "haproxy.leastconn", 2)
    app.selectbox(key="export_format").set_value("nginx").run()
    written = next(one.value for one in app.code if "upstream shop" in one.value)
    assert "server 10.0.0.1:80 weight=3" in written


def test_a_file_that_is_no_proxys_is_answered_with_its_name_alone(lake: Path, open_page: OpenPage):
    app = open_page(lake, "balancer", by="bert")
    app.selectbox(key="import_format").set_value("envoy")
    app.text_area(key="pasted").set_value("clusters: [").run()
    assert app.error[0].value.replace("\\", "").startswith("pasted.yaml")
