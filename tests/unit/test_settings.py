"""Settings come from arguments, the environment, a file or the defaults, in this order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from workbench.errors import DocumentError
from workbench.settings import FILE_NAME, Settings, load_settings, parse_bytes


def load(folder: Path, environment: dict[str, str] | None = None, **given: Any) -> Settings:
    return load_settings(folder, environment or {}, **given)


def problems(folder: Path, environment: dict[str, str] | None = None, **given: Any) -> list[str]:
    with pytest.raises(DocumentError) as error:
        load(folder, environment, **given)
    return [str(problem) for problem in error.value.problems]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


def test_nothing_needs_to_be_set(tmp_path: Path):
    settings = load(tmp_path)
    assert settings == Settings()
    assert settings.lake == Path("data/lake")
    assert settings.jobs == (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("key", "given", "expected"),
    [
        ("lake", ('"file"', "other", Path("given")), (Path("file"), Path("other"), Path("given"))),
        ("jobs", ("2", "3", 4), (2, 3, 4)),
        ("duckdb_threads", ("2", "3", 4), (2, 3, 4)),
        ("duckdb_memory", ('"2GB"', "3 GiB", "512MB"), ("2GB", "3 GiB", "512MB")),
    ],
)
def test_arguments_win_over_the_environment_and_that_over_the_file(
    file: Path, key: str, given: tuple[str, str, Any], expected: tuple[Any, Any, Any]
):
    in_file, in_environment, argument = given
    file.write_text(f"{key} = {in_file}\n")
    environment = {f"WORKBENCH_{key.upper()}": in_environment}
    found = (
        getattr(load(file.parent), key),
        getattr(load(file.parent, environment), key),
        getattr(load(file.parent, environment, **{key: argument}), key),
    )
    assert found == expected


def test_what_is_none_or_empty_is_not_given(file: Path):
    file.write_text("jobs = 5\n")
    assert load(file.parent, {"WORKBENCH_JOBS": ""}, jobs=None).jobs == 5


def test_other_variables_are_left_alone(tmp_path: Path):
    assert load(tmp_path, {"JOBS": "3", "WORKBENCH_COLOUR": "red"}) == Settings()


@pytest.mark.parametrize("memory", ["512MB", "1.5 GB", "2GiB", " 300MiB "])
def test_memory_is_written_as_duckdb_reads_it(tmp_path: Path, memory: str):
    assert load(tmp_path, duckdb_memory=memory).duckdb_memory == memory.strip()


@pytest.mark.parametrize(
    ("given", "share"), [("all", 1.0), ("none", 0.0), ("5%", 0.05), (0.25, 0.25), ("100 %", 1.0), ("1", 1.0)]
)
def test_shares_are_written_as_people_say_them(tmp_path: Path, given: object, share: float):
    assert load(tmp_path, records=given).records == share


@pytest.mark.parametrize("given", ["some", "101%", -0.1, "nan", "", "1.5"])
def test_what_is_no_share_is_refused(tmp_path: Path, given: object):
    [problem] = problems(tmp_path, records=given)
    assert problem == f"arguments: records: given {given!r}; allowed: all, none, or a share such as 5%"


def test_durations_and_sizes_are_read(file: Path):
    file.write_text('sql_time = "5min"\nkeep_requests = "30d"\nkeep_size = "20GB"\ngrace = 10\n')
    settings = load(file.parent)
    assert (settings.sql_time, settings.keep_requests, settings.grace) == (300.0, 2_592_000.0, 10.0)
    assert parse_bytes(settings.keep_size or "") == 20_000_000_000
    with pytest.raises(ValueError, match="an amount of memory"):
        parse_bytes("20")


def test_every_problem_is_reported_with_its_origin_what_was_given_and_what_is_allowed(file: Path):
    file.write_text('job = 3\nduckdb_memory = "much"\n')
    found = problems(file.parent, {"WORKBENCH_JOBS": "many"}, duckdb_threads=0)
    assert len(found) == 4
    for expected in (
        f"{file}: job: given 3; allowed: one of catalogue, disk_free, duckdb_cache, duckdb_memory, ",
        f"{file}: duckdb_memory: given 'much'; allowed: an amount of memory such as 512MB or 4GB",
        "environment: jobs: given 'many'; allowed:",
        "arguments: duckdb_threads: given 0; allowed:",
    ):
        assert any(problem.startswith(expected) for problem in found), expected


@pytest.mark.parametrize("jobs", ["0", "-1", "1025", "1.5", "two"])
def test_jobs_are_one_to_1024(tmp_path: Path, jobs: str):
    [problem] = problems(tmp_path, {"WORKBENCH_JOBS": jobs})
    assert problem.startswith(f"environment: jobs: given '{jobs}'; allowed: ")


@pytest.mark.parametrize("content", [b"jobs = \n", b"jobs = 1\njobs = 2\n", b"\xff\xfe", b"jobs"], ids=str)
def test_a_file_that_is_not_toml_is_named(file: Path, content: bytes):
    file.write_bytes(content)
    [problem] = problems(file.parent)
    assert problem.startswith(f"{file}: document: given what cannot be read (")
    assert problem.endswith("allowed: TOML")


def test_the_working_folder_is_looked_in_by_default(file: Path, monkeypatch: pytest.MonkeyPatch):
    file.write_text("jobs = 7\n")
    monkeypatch.chdir(file.parent)
    assert load_settings(environment={}).jobs == 7


def test_settings_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().jobs = 3  # type: ignore[misc]
