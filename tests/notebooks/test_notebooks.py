"""Every notebook asks a question, runs from a clean start, answers, and is kept without output."""

from __future__ import annotations

import re
from pathlib import Path

import nbclient
import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FILES = sorted(NOTEBOOKS.glob("*.ipynb"))


def read(file: Path) -> nbformat.NotebookNode:
    return nbformat.read(file, as_version=4)


def test_there_are_notebooks() -> None:
    assert len(FILES) >= 8


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_notebook_asks_and_answers_and_has_no_output(file: Path) -> None:
    cells = read(file).cells
    assert re.match(r"# .+\?$", cells[0].source.splitlines()[0]), "the heading is a question"
    assert cells[-1].source.startswith("**Answer.**")
    for cell in cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_notebook_links_to_what_exists(file: Path) -> None:
    for cell in read(file).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#:]+)\)", cell.source):
                assert (NOTEBOOKS / target).exists(), target


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.filterwarnings("default")  # what the kernel's client warns of is not ours
def test_a_notebook_runs(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_LAKE", str(tmp_path / "lake"))
    notebook = read(file)
    client = nbclient.NotebookClient(notebook, timeout=180, kernel_name="python3")
    client.execute(cwd=str(NOTEBOOKS))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output for output in outputs if "data" in output]
    assert any("text/html" in output.data for output in shown), "results show themselves as tables"
    assert any("application/vnd.plotly.v1+json" in output.data for output in shown), "it has a plot"
