"""The page of jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench.settings import Settings
from workbench.workflows import jobs

OpenPage = Callable[..., AppTest]

ENDLESS = """
name: endless
arrivals: {kind: poisson, rate: 50/s}
service: {kind: exponential, mean: 10ms}
pool: {count: 1}
balancers: {strategy: round_robin}
horizon: 5M requests
engine: reference
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    made = Settings(lake=tmp_path / "lake")
    yield made
    for job in jobs.list_jobs(settings=made):
        jobs.cancel_job(job.number, settings=made)


def start(settings: Settings, text: str) -> int:
    files = {"one.yaml": text}
    return jobs.start_job(["run", "one.yaml"], title="a *run*", files=files, settings=settings)


def wait(settings: Settings, number: int, ready: Callable[[jobs.JobView], object]) -> jobs.JobView:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        job = jobs.show_job(number, settings=settings)
        if ready(job):
            return job
        time.sleep(0.1)
    raise AssertionError(f"job {number} is {job.state}")


def test_without_jobs_the_page_says_where_they_come_from_and_makes_no_lake(
    settings: Settings, open_page: OpenPage
):
    app = open_page(settings.lake, "jobs")
    assert "No job has been started" in app.info[0].value
    assert not settings.lake.exists()


@pytest.mark.slow
def test_a_job_that_failed_says_why_and_can_be_forgotten(settings: Settings, open_page: OpenPage):
    number = start(settings, ENDLESS.replace("50/s", "fast"))
    wait(settings, number, lambda job: job.state == "failed")
    app = open_page(settings.lake, "jobs")
    assert "**a \\*run\\*** — failed" in app.markdown[0].value
    assert "one.yaml:3: arrivals.rate: given 'fast'" in app.error[0].value.replace("\\", "")
    app.button(key=f"forget-{number}").click().run()
    assert "No job has been started" in app.info[0].value


@pytest.mark.slow
def test_a_job_that_runs_shows_how_far_it_is_to_every_browser_and_any_of_them_can_stop_it(
    settings: Settings, open_page: OpenPage
):
    number = start(settings, ENDLESS)
    wait(settings, number, lambda job: job.done)
    one, other = (open_page(settings.lake, "jobs", job=str(number)) for _ in range(2))
    for app in (one, other):
        assert "of 5,000,000 requests, about" in app.get("progress")[0].proto.text
    one.button(key=f"cancel-{number}").click().run()
    other.run()
    for app in (one, other):
        assert app.markdown[0].value.endswith("— cancelled")
        assert not app.exception


def test_a_job_that_does_not_exist_is_answered_in_place(settings: Settings, open_page: OpenPage):
    app = open_page(settings.lake, "jobs", job="7")
    assert app.warning[0].value == "There is no job 7."
