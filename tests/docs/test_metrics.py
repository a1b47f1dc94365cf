"""What docs/metrics.md shows is true: its collection loads, its table is that of the definitions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workbench.documents import parse_document
from workbench.monitor.collection import Collection, load_collection
from workbench.monitor.collectors import COLLECTORS
from workbench.monitor.collectors.prometheus import Sources
from workbench.workflows import metric_definitions

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "metrics.md"
TEXT = PAGE.read_text()


def test_the_table_is_that_of_the_definitions():
    written = TEXT.partition("<!-- workbench metrics --definitions -->\n")[2]
    assert written == metric_definitions(), "run: workbench metrics --definitions, and put it at the end"


def test_the_collection_loads_and_has_every_collector():
    (text,) = re.findall(r"```yaml collect\n(.*?)```", TEXT, re.DOTALL)
    collection = parse_document(text, Collection, name=PAGE.name, folder=PAGE.parent)
    assert {one.kind for one in collection.targets} == set(COLLECTORS)
    keys = [*Collection.model_fields, *(key for kind in COLLECTORS for key in COLLECTORS[kind].model_fields)]
    assert [key for key in keys if not re.search(rf"\b{key}:", TEXT)] == []


@pytest.mark.parametrize("kind", list(COLLECTORS))
def test_every_collector_stands_in_the_table(kind: str):
    assert f"| `{kind}` |" in TEXT


def test_every_measure_that_a_page_of_metrics_may_have_is_named():
    assert [name for name in Sources.model_fields if not re.search(rf"\b{name}\b", TEXT)] == []


@pytest.mark.parametrize(
    "file", sorted((PROJECT / "data" / "collections").glob("*.yaml")), ids=lambda file: file.stem
)
def test_a_shipped_collection_loads(file: Path):
    assert load_collection(file).description
