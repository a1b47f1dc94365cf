"""Faults as documents have them: what is refused and how, what is written again, what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest
from pydantic import ValidationError, field_validator
from ruamel.yaml import YAML

from tests.unit.simulate.faults.told import POOL, fault, told
from workbench.documents import Section, parse_document
from workbench.errors import DocumentError
from workbench.simulate.faults import FAULTS, Fault, check_faults
from workbench.simulate.pool import ServerGroup, expand

PAGE = (Path(__file__).parents[4] / "docs" / "faults.md").read_text()


class Broken(Section):
    """A document that holds nothing but faults."""

    faults: list[Annotated[Fault, FAULTS]]


def problem(line: str) -> str:
    with pytest.raises(DocumentError) as error:
        parse_document(f"faults:\n- {line}\n", Broken, name="broken.yaml", folder=Path())
    return str(error.value)


NEEDS_A_TIME = "a schedule (`at`), a random process (`time_to_failure`), or both"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{kind: crsh, at: 1s}", "[0].kind: given 'crsh'; allowed: one of crash, delay, drain, failing, "),
        ("{kind: crash}", f"[0]: given {{'kind': 'crash'}}; allowed: {NEEDS_A_TIME}"),
        ("{kind: crash, at: soon}", "[0].at[0]: given 'soon'; allowed: a duration of 0 or more"),
        ("{kind: crash, at: [1s, -2s]}", "[0].at[1]: given '-2s'; allowed: a duration of 0 or more"),
        (
            "{kind: crash, lasts: 1s, time_to_failure: 1s}",
            "allowed: `lasts` with `at`; by chance it is `time_",
        ),
        (
            "{kind: crash, at: 1s, time_to_failure: 1s}",
            "allowed: `lasts` with `at` where there is `time_to_f",
        ),
        ("{kind: crash, at: 1s, time_to_repair: 1s}", "allowed: `time_to_repair`, `from` and `until` with `"),
        ("{kind: crash, at: 1s, from: 1s}", "allowed: `time_to_repair`, `from` and `until` with `time_to_f"),
        ("{kind: crash, time_to_failure: 1s, from: 2s, until: 2s}", "allowed: `until` after `from`"),
        (
            "{kind: crash, time_to_failure: 1s, form: 2s}",
            "any, at, lasts, time_to_failure, time_to_repair, "
            "together, from, until, cold (did you mean from?)",
        ),
        (
            "{kind: crash, time_to_failure: 1s, any: 1}",
            "allowed: `any` with `together: true`, so that there is",
        ),
        (
            "{kind: crash, time_to_failure: often}",
            "[0].time_to_failure: given 'often'; allowed: a duration, "
            "such as 30s, or a distribution with its kind: one of deterministic, ",
        ),
        (
            "{kind: crash, time_to_failure: 0s}",
            "time_to_failure: given '0s'; allowed: a time whose mean is above 0",
        ),
        (
            "{kind: crash, time_to_failure: {kind: empirical, values: [0]}}",
            "allowed: a time whose mean is above",
        ),
        (
            "{kind: crash, time_to_failure: {kind: expo, mean: 1s}}",
            "[0].time_to_failure.kind: given 'expo'; allow",
        ),
        (
            "{kind: crash, time_to_failure: exponential}",
            "[0].time_to_failure.mean: given nothing; allowed: a va",
        ),
        (
            "{kind: crash, servers: '', at: 1s}",
            "[0].servers[0]: given ''; allowed: String should have at least 1",
        ),
        ("{kind: crash, at: 1s, any: 0}", "[0].any: given 0; allowed: greater than or equal to 1"),
        (
            "{kind: crash, at: 1s, cold: {factor: 0, lasts: 1s}}",
            "[0].cold.factor: given 0; allowed: greater than 0",
        ),
        (
            "{kind: crash, at: 1s, cold: {factor: 1}}",
            "[0].cold.lasts: given nothing; allowed: a value (the key",
        ),
        ("{kind: slow, at: 1s}", "[0].factor: given nothing; allowed: a value (the key is required)"),
        ("{kind: slow, at: 1s, factor: 0}", "[0].factor: given 0; allowed: greater than 0"),
        ("{kind: slow, at: 1s, factor: 1.5}", "[0].factor: given 1.5; allowed: less than or equal to 1"),
        ("{kind: failing, at: 1s, share: 0}", "[0].share: given 0; allowed: greater than 0"),
        ("{kind: failing, at: 1s, share: 2}", "[0].share: given 2; allowed: less than or equal to 1"),
        ("{kind: delay, at: 1s, by: 0s}", "[0].by: given '0s'; allowed: more than 0"),
        (
            "{kind: partition, at: 1s, balancers: [-1]}",
            "[0].balancers[0]: given -1; allowed: greater than or eq",
        ),
        (
            "{kind: rolling_restart, down: 1s}",
            "[0].at: given nothing; allowed: a value (the key is required)",
        ),
        (
            "{kind: rolling_restart, at: [], down: 1s}",
            "[0].at: given []; allowed: List should have at least 1",
        ),
        ("{kind: rolling_restart, at: 1s, down: 0}", "[0].down: given 0; allowed: more than 0"),
        (
            "{kind: rolling_restart, at: 1s, down: 1s, batch: 0}",
            "[0].batch: given 0; allowed: greater than or eq",
        ),
        ("{kind: reload}", "allowed: a schedule (`at`), a random process (`every`), or both"),
        ("{kind: reload, every: 0s}", "[0].every: given '0s'; allowed: a time whose mean is above 0"),
        (
            "{kind: interrupt, time_to_failure: 1s}",
            "[0].time_to_repair: given nothing; allowed: a value (the key",
        ),
    ],
)
def test_a_bad_value_says_where_it_stands_what_was_given_and_what_is_allowed(line: str, expected: str):
    found = problem(line)
    assert found.startswith("broken.yaml:2: faults[0]")
    assert expected in found


def unknown(given: Fault, *, balancers: int = 2) -> list[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as error:
        given.check(POOL, balancers)
    return [(item["loc"], item["input"], item["msg"]) for item in error.value.errors()]


SERVERS = "names or patterns of servers: web-0, web-1, web-2, app-0, app-1"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"servers": "web-3"}, [(("servers",), "web-3", SERVERS)]),
        (
            {"servers": ["web-0", "db-*", "Web-1"], "zone": "c"},
            [
                (("servers",), "db-*", SERVERS),
                (("servers",), "Web-1", SERVERS),
                (("zone",), "c", "zones of the pool's servers: a, b"),
            ],
        ),
        ({"servers": "web-*", "zone": "b"}, [(("zone",), "b", "zones of the servers named: a")]),
        ({"servers": "web-*", "any": 4}, [(("any",), 4, "1 to 3, the number of servers chosen")]),
    ],
)
def test_what_chooses_no_server_is_refused_with_those_there_are(keys: dict[str, Any], expected: list[Any]):
    assert unknown(fault("crash", at=1, **keys)) == expected


@pytest.mark.parametrize("kind", ["partition", "reload"])
@pytest.mark.parametrize(
    ("balancers", "allowed"), [(2, "0 to 1, the scenario's balancers"), (1, "0, the only balancer")]
)
def test_a_balancer_that_is_not_there_is_refused(kind: str, balancers: int, allowed: str):
    found = unknown(fault(kind, at=1, balancers=[0, 2]), balancers=balancers)
    assert found == [(("balancers",), 2, allowed)]


def test_a_zone_of_a_pool_without_zones_is_refused():
    with pytest.raises(ValidationError, match="zones of the pool's servers: there are none"):
        fault("crash", at=1, zone="*").check(expand([ServerGroup(count=2)]), 1)


def test_of_many_servers_the_first_are_listed():
    with pytest.raises(ValidationError, match=r"server-0, server-1, .*, server-9 and 1,990 more"):
        fault("crash", at=1, servers="web").check(expand([ServerGroup(count=2000)]), 1)


def test_a_name_with_brackets_is_a_name():
    servers = expand([ServerGroup(name="web[1]"), ServerGroup(name="{web}")])
    given = fault("crash", at=1, servers="web[1]")
    given.check(servers, 1)
    assert [change.server for change in told(given, until=9, servers=servers)] == [0]
    with pytest.raises(ValidationError, match=r"web\[1\], \{web\}"):
        fault("crash", at=1, servers="db").check(servers, 1)


def test_all_faults_are_checked_at_once_each_at_its_place():
    good, bad = fault("crash", at=1), fault("crash", at=1, servers="db")
    with pytest.raises(ValidationError) as error:
        check_faults([bad, good, fault("reload", at=1, balancers=[7])], POOL, 2)
    assert [item["loc"] for item in error.value.errors()] == [(0, "servers"), (2, "balancers")]
    check_faults([good, good], POOL, 2)


class Placed(Broken):
    """As a scenario does, it checks faults against the pool."""

    @field_validator("faults")
    @classmethod
    def _check(cls, faults: list[Fault]) -> list[Fault]:
        check_faults(faults, POOL, 1)
        return faults


def test_a_document_names_the_line_of_a_fault_that_chooses_no_server():
    text = "faults:\n- {kind: crash, at: 1s}\n- kind: crash\n  at: 1s\n  servers: [web-0, db]\n"
    with pytest.raises(DocumentError) as error:
        parse_document(text, Placed, name="broken.yaml", folder=Path())
    assert str(error.value) == f"broken.yaml:5: faults[1].servers: given 'db'; allowed: {SERVERS}"


def shown() -> list[dict[str, Any]]:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    return YAML(typ="safe").load(text)["faults"]


def test_the_page_shows_every_kind_and_what_it_shows_is_right():
    servers = expand([ServerGroup(name="web", count=4, zone="a"), ServerGroup(name="app", count=4, zone="b")])
    faults = [FAULTS.read(item) for item in shown()]
    check_faults(faults, servers, 2)
    assert {item.kind for item in faults} == set(FAULTS)
    assert all(told(item, until=7200, servers=servers, balancers=2) for item in faults)


COMMON = {"kind", "servers", "zone", "any", "at", "lasts", "time_to_failure", "time_to_repair", "together"}


@pytest.mark.parametrize("kind", list(FAULTS))
def test_the_page_names_every_kind_and_its_own_keys(kind: str):
    (keys,) = re.findall(rf"^\| `{kind}` \| .* \| (.*)\|$", PAGE, re.MULTILINE)
    listed = set(re.findall(r"`([^`]+)`", keys))
    own = {field.alias or name for name, field in FAULTS[kind].model_fields.items()}
    assert own - COMMON - {"from", "until"} <= listed <= own


@pytest.mark.parametrize("content", shown(), ids=str)
def test_json_gives_the_same_fault_again(content: dict[str, Any]):
    given = FAULTS.read(content)
    text = json.dumps(given.model_dump(mode="json"))
    assert FAULTS.read(json.loads(text)) == given
    assert "from_" not in text


def test_an_editor_that_follows_the_schema_accepts_what_the_page_shows():
    schema = Broken.model_json_schema()
    jsonschema.validate({"faults": shown()}, schema)
    for wrong in ({"kind": "crash", "att": 1}, {"kind": "slow", "at": 1}, {"kind": "crsh", "at": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"faults": [wrong]}, schema)
