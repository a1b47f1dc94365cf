"""What the documents show is true: scenarios load, schemas are current, links lead somewhere."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

import workbench as wb
from workbench.cli import app
from workbench.documents import Family, parse_document
from workbench.simulate import STRATEGIES, Scenario, Workload, load_scenario
from workbench.simulate.arrivals import ARRIVALS
from workbench.simulate.balancers import Balancers, Queue
from workbench.simulate.checks import CHECKS
from workbench.simulate.clients import Clients
from workbench.simulate.detectors import DETECTORS
from workbench.simulate.disciplines import DISCIPLINES
from workbench.simulate.failover import FAILOVER
from workbench.simulate.faults import FAULTS
from workbench.simulate.keys import KEYS
from workbench.simulate.pool import ServerGroup
from workbench.simulate.retries import RETRIES
from workbench.simulate.scenario import ComparisonPlan, Network
from workbench.simulate.services import SERVICES
from workbench.simulate.slow_start import SLOW_STARTS
from workbench.simulate.weights import WEIGHT_RULES
from workbench.tables import OUTAGES, Outcome
from workbench.workflows import FORMS, json_schema

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")), PROJECT / "data" / "README.md"]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scenarios_in_a_page_are_scenarios(page: Path):
    for text in blocks(page, "yaml"):
        assert parse_document(text, Scenario, name=page.name, folder=PROJECT).name


def test_the_pages_python_makes_a_strategy_that_runs(tmp_path: Path):
    (source,) = blocks(PROJECT / "docs" / "scenarios.md", "python")
    exec(compile(source, "docs/scenarios.md", "exec", dont_inherit=True), {"__name__": "docs"})
    try:
        view = wb.run(
            PROJECT / "simulations" / "mm1.yaml",
            strategy="last_shortest",
            settings=wb.Settings(lake=tmp_path),
        )
    finally:
        del STRATEGIES._members["last_shortest"]
    assert view.strategy == "last_shortest"


@pytest.mark.parametrize("file", sorted((PROJECT / "simulations").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_shipped_scenario_loads_and_has_requests(file: Path):
    scenario = load_scenario(file)
    chunk = next(Workload(scenario).chunks(100))
    assert len(chunk) == 100
    assert scenario.description


@pytest.mark.parametrize("file", sorted((PROJECT / "simulations").glob("*.yaml")), ids=lambda file: file.stem)
def test_an_editor_that_follows_the_schema_accepts_a_shipped_scenario(file: Path):
    jsonschema.validate(YAML(typ="safe").load(file.read_text()), json_schema("scenario"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizonn": "1s"},
        {"pool": {"cuont": 1}},
        {"arrivals": {"rate": "1/s"}},
        {"service": {"kind": "poison"}},
    ],
)
def test_an_editor_that_follows_the_schema_sees_what_is_wrong(wrong: dict[str, Any]):
    good = YAML(typ="safe").load((PROJECT / "simulations" / "mm1.yaml").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(good | wrong, json_schema("scenario"))


@pytest.mark.parametrize("form", FORMS)
def test_the_published_schema_is_current(form: str):
    published = json.loads((PROJECT / "docs" / "schema" / f"{form}.json").read_text())
    assert published == json_schema(form), f"run: workbench schema {form} > docs/schema/{form}.json"


@pytest.mark.parametrize(
    "family", [ARRIVALS, SERVICES, DISCIPLINES, KEYS, STRATEGIES], ids=lambda family: family.noun
)
def test_every_member_of_a_family_stands_in_the_scenario_page(family):
    page = (PROJECT / "docs" / "scenarios.md").read_text()
    assert [kind for kind in family if f"| `{kind}` |" not in page] == []


@pytest.mark.parametrize(
    ("family", "more"),
    [
        (FAULTS, "faults"),
        (CHECKS, "health"),
        (DETECTORS, "health"),
        (FAILOVER, "health"),
        (SLOW_STARTS, "health"),
        (WEIGHT_RULES, "dynamic-weights"),
        (RETRIES, "failures"),
    ],
    ids=lambda one: getattr(one, "noun", one),
)
def test_every_member_of_what_is_for_failures_stands_in_the_scenario_page(family: Family[Any], more: str):
    page = (PROJECT / "docs" / "scenarios.md").read_text()
    assert [kind for kind in family if f"`{kind}`" not in page] == []
    assert f"({more}.md)" in page


@pytest.mark.parametrize("kind", list(RETRIES))
def test_the_scenario_page_names_a_retry_policys_own_keys(kind: str):
    page = (PROJECT / "docs" / "scenarios.md").read_text()
    (keys,) = re.findall(
        rf"^\| `{kind}` \| [^|]* \| (.*)\|$", page.split("Retries, of a balancer")[1], re.MULTILINE
    )
    own = [name for name in RETRIES[kind].model_fields if name != "kind"]
    assert re.findall(r"`([^`]+)`", keys) == own


def test_the_page_of_failures_names_every_outcome_and_measure():
    page = (PROJECT / "docs" / "failures.md").read_text()
    assert [one.label for one in Outcome if f"`{one.label}`" not in page] == []
    measures = [
        name for name in OUTAGES.names if name.endswith("_s") or name in ("sent", "failed", "retried")
    ]
    assert [name for name in measures if f"`{name}`" not in page] == []


@pytest.mark.parametrize("kind", list(STRATEGIES))
def test_the_scenario_page_names_a_strategys_own_keys_and_whether_it_hashes(kind: str):
    page = (PROJECT / "docs" / "scenarios.md").read_text()
    (row,) = re.findall(rf"^\| `{re.escape(kind)}` \| (.*?) \| (.*)\|$", page, re.MULTILINE)
    own = [name for name in STRATEGIES[kind].model_fields if name != "kind"]
    assert re.findall(r"`([^`]+)`", row[1]) == own
    assert row[0].startswith("hashes: ") == STRATEGIES[kind].needs_keys


def test_the_scenario_page_names_every_key_of_a_scenario():
    page = (PROJECT / "docs" / "scenarios.md").read_text()
    keys = [
        key
        for part in (Scenario, ServerGroup, Balancers, Clients, Queue, Network, ComparisonPlan)
        for key in part.model_fields
    ]
    assert [key for key in keys if not re.search(rf"\b{key}:", page)] == []


def test_every_command_and_form_stands_in_the_json_page():
    page = (PROJECT / "docs" / "json.md").read_text()
    assert [form for form in FORMS if form != "scenario" and f"| `{form}` |" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_picks_that_a_page_shows_are_what_the_command_prints(page: Path, capsys: pytest.CaptureFixture[str]):
    for arguments, shown in re.findall(r"^\$ workbench (picks .*)\n(.*)$", page.read_text(), re.MULTILINE):
        app(shlex.split(arguments), standalone_mode=False)
        assert capsys.readouterr().out.splitlines()[0] == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path):
    targets = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []
