"""What docs/sweeps.md shows is true, and the sweeps that come with the project load."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from workbench.documents import parse_document, read_document
from workbench.experiments.designs import DESIGNS
from workbench.experiments.executors import EXECUTORS
from workbench.experiments.sweeps import Sweep, SweepMeasure, points, resolve
from workbench.experiments.sweeps.dials import DIALS
from workbench.experiments.sweeps.parameters import Parameter
from workbench.workflows import json_schema

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "sweeps.md").read_text()
FILES = sorted((PROJECT / "simulations" / "sweeps").glob("*.yaml"))


def test_the_pages_sweep_is_one():
    (text,) = re.findall(r"```yaml sweep\n(.*?)```", PAGE, re.DOTALL)
    sweep = parse_document(text, Sweep, name="sweeps.md", folder=PROJECT)
    found = [resolve(sweep, point) for point in points(sweep)]
    assert len(found) == 7 * 3  # round robin, and power of two with two and three choices
    assert {one.servers().count for one in found} == set(range(6, 13))


def test_the_page_names_every_key_measure_dial_design_and_executor():
    keys = [
        field.alias or name for name, field in (*Sweep.model_fields.items(), *Parameter.model_fields.items())
    ]
    names = [*keys, *SweepMeasure, *DIALS, *DESIGNS, *EXECUTORS]
    assert [name for name in names if not re.search(rf"\b{re.escape(str(name))}\b", PAGE)] == []


def test_at_least_eight_questions_are_asked():
    assert len(FILES) >= 8


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_sweep_asks_a_question_and_every_point_is_a_scenario(file: Path):
    sweep = read_document(file, Sweep)
    assert sweep.question.endswith("?")
    assert len({resolve(sweep, point).key(replication=0, engine="") for point in points(sweep)}) >= 10
    jsonschema.validate(YAML(typ="safe").load(file.read_text()), json_schema("sweep"))
