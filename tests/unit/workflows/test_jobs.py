"""Long work in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.errors import InputError, NotFoundError
from workbench.settings import Settings
from workbench.store import Store
from workbench.workflows import jobs

SHORT = """
name: short
arrivals: {kind: poisson, rate: 50/s}
service: {kind: exponential, mean: 10ms}
pool: {count: 1}
balancers: {strategy: round_robin}
horizon: 500 requests
"""
ENDLESS = SHORT.replace("500 requests", "5M requests").replace(
    "name: short", "name: endless\nengine: reference"
)

START = """
import sys
from workbench.settings import Settings
from workbench.workflows.jobs import start_job
lake, text = sys.argv[1:]
print(start_job(["run", "one.yaml"], title="endless", files={"one.yaml": text}, settings=Settings(lake=lake)))
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    made = Settings(lake=tmp_path / "lake")
    yield made
    for job in jobs.list_jobs(settings=made):
        jobs.cancel_job(job.number, settings=made)


def until(settings: Settings, number: int, *states: str) -> jobs.JobView:
    """Wait for a job to be in one of some states; one that ends otherwise fails the test."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        job = jobs.show_job(number, settings=settings)
        if job.state in states:
            return job
        assert job.state == "running", job
        time.sleep(0.1)
    raise AssertionError(f"job {number} is still {job.state}")


def underway(settings: Settings, number: int) -> jobs.JobView:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        job = jobs.show_job(number, settings=settings)
        assert job.state == "running", job
        if job.done:
            return job
        time.sleep(0.1)
    raise AssertionError("no progress was noted")


def start(settings: Settings, text: str) -> int:
    return jobs.start_job(["run", "one.yaml"], title="one", files={"one.yaml": text}, settings=settings)


def test_a_job_ends_with_what_its_command_prints_and_the_store_holds_it(settings: Settings):
    job = until(settings, start(settings, SHORT), "done")
    assert job.result is not None
    assert job.result["schema"] == "workbench.run/1"
    assert job.command.startswith("workbench run ")
    assert job.ended is not None
    assert job.ended > job.started
    with Store(settings) as store:
        assert store.run(job.result["run_id"]).scenario == "short"


@pytest.mark.slow
def test_a_job_that_fails_says_what_the_command_says(settings: Settings):
    job = until(settings, start(settings, SHORT.replace("50/s", "fast")), "failed")
    assert "one.yaml:3: arrivals.rate: given 'fast'" in job.reason
    assert job.result is None


@pytest.mark.slow
def test_a_command_that_is_misused_fails_with_its_words(settings: Settings):
    number = jobs.start_job(["run", "--nonsense"], title="wrong", settings=settings)
    assert "--nonsense" in until(settings, number, "failed").reason


@pytest.mark.slow
def test_a_job_outlives_who_started_it_and_is_stopped_by_another(settings: Settings):
    made = subprocess.run(
        [sys.executable, "-c", START, str(settings.lake), ENDLESS],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    number = int(made.stdout)
    job = underway(settings, number)
    assert job.total == 5e6
    assert 0 < (job.share or 0) < 1
    stopped = jobs.cancel_job(number, settings=settings)
    assert stopped.state == "cancelled"
    with Store(settings) as store:
        assert [(run.state, run.reason) for run in store.runs()] == [("failed", "stopped by the user")]


@pytest.mark.slow
def test_a_job_whose_process_is_killed_is_interrupted(settings: Settings):
    number = start(settings, ENDLESS)
    underway(settings, number)
    file = settings.lake / "jobs" / f"{number:06d}" / "job.json"
    pid = json.loads(file.read_text())["process"]["pid"]
    subprocess.run(["kill", "-9", str(pid)], check=True)
    assert until(settings, number, "interrupted").result is None


@pytest.mark.slow
def test_cancelling_what_has_ended_changes_nothing(settings: Settings):
    number = start(settings, SHORT)
    done = until(settings, number, "done")
    assert jobs.cancel_job(number, settings=settings) == done


@pytest.mark.slow
def test_jobs_are_listed_newest_first_and_forgotten_when_asked(settings: Settings):
    wrong = SHORT.replace("50/s", "fast")
    numbers = [start(settings, wrong) for _ in range(2)]
    for number in numbers:
        until(settings, number, "failed")
    assert [job.number for job in jobs.list_jobs(settings=settings)] == numbers[::-1]
    assert list(jobs.job_files(numbers[0], settings=settings)) == ["one.yaml"]
    jobs.forget_job(numbers[0], settings=settings)
    assert [job.number for job in jobs.list_jobs(settings=settings)] == numbers[1:]
    with pytest.raises(NotFoundError, match=f"there is no job {numbers[0]}"):
        jobs.show_job(numbers[0], settings=settings)


@pytest.mark.slow
def test_one_that_runs_is_not_forgotten(settings: Settings):
    number = start(settings, ENDLESS)
    with pytest.raises(InputError, match="which runs; allowed: one that has ended"):
        jobs.forget_job(number, settings=settings)


def test_a_lake_that_is_not_there_has_no_jobs_and_is_not_made(settings: Settings):
    assert jobs.list_jobs(settings=settings) == []
    assert not settings.lake.exists()
