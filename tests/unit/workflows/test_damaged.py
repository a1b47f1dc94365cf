"""A stored file that is damaged or gone: said with its remedy, and mended by the same command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import PartError
from workbench.settings import Settings

DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:100]),
    "overwritten": lambda file: file.write_bytes(bytes(file.stat().st_size)),
}


def summary_file(settings: Settings, run_id: int) -> Path:
    (file,) = (settings.lake / "summaries" / f"run_id={run_id}").glob("*.parquet")
    return file


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_with_its_remedy(scenario: dict[str, Any], settings: Settings, damage: str):
    first = wb.run(scenario, settings=settings)
    file = summary_file(settings, first.run_id)
    DAMAGES[damage](file)
    with pytest.raises(PartError) as error:
        wb.show(first.run_id, settings=settings)
    assert str(file) in str(error.value)
    assert "writes it anew" in str(error.value)
    assert "select" not in str(error.value)


@pytest.mark.parametrize("damage", ["gone", "cut off"])
def test_running_again_mends_what_is_not_there_in_full(
    scenario: dict[str, Any], settings: Settings, damage: str
):
    first = wb.run(scenario, settings=settings)
    DAMAGES[damage](summary_file(settings, first.run_id))
    again = wb.run(scenario, settings=settings)
    assert not again.reused
    assert (again.run_id, again.response) == (first.run_id, first.response)
    assert wb.show(first.run_id, settings=settings).response == first.response
