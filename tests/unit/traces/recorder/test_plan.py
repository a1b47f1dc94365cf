"""What to record: every problem of a document at once, each with its line; a meta file is a plan too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.errors import DocumentError
from workbench.simulate.services import Exponential
from workbench.traces.recorder import Plan, read_plan

PROJECT = Path(__file__).parents[4]
RECORDED = PROJECT / "tests" / "parity" / "recordings"


def plan_of(text: str, folder: Path) -> Plan:
    file = folder / "two words.yaml"
    file.write_text(text)
    return read_plan(file)


def test_the_example_of_the_documents_is_a_plan():
    plan = read_plan(PROJECT / "docs" / "examples" / "recording.yaml")
    assert (plan.name, plan.kill_at, plan.restart_at, plan.victim) == ("ha_failover", 7, 14, 1)


def test_a_plan_without_a_name_is_named_as_its_file(tmp_path: Path):
    assert plan_of("{proxy: nginx, weights: [1]}", tmp_path).name == "two_words"


def test_load_is_offered_to_all_slots_at_their_speeds(tmp_path: Path):
    plan = plan_of("{proxy: nginx, weights: [1, 1], factors: [1, 2], k: 3, rho: 0.5}", tmp_path)
    # 3 slots of 40/s and 3 of 20/s take 180/s.
    assert plan.rate == pytest.approx(90)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("proxi: nginx", "proxi: given 'nginx'; allowed: one of name, proxy"),
        ("factors: [1, 2, 3]", "factors: given [1, 2, 3]; allowed: one factor for each of the weights"),
        ("weights: [0, 0]", "weights: given [0, 0]; allowed: at least one weight above 0"),
        ("victim: 2", "victim: given 2; allowed: one of the servers, from 0"),
        ("maxconn: 1", "maxconn: given 1; allowed: 0 with nginx, which has no queue"),
        ("balance: leastconn", "balance: given 'leastconn'; allowed: for nginx: roundrobin, least_conn"),
        ('balance: "random\\n two"', "allowed: one line of text"),
        ("extra: keepalive 3", "extra: given 'keepalive 3'; allowed: nothing that the simulator lacks"),
        ("kill_at: 5s", "restart_at: given nothing; allowed: a time after `kill_at`, or neither of both"),
        ("restart_at: 5s", "restart_at: given '5s'; allowed: a time after `kill_at`, or neither of both"),
        ("name: ../x", "name: given '../x'; allowed: up to 100 letters, digits"),
        ("rho: 0.00001", "allowed: a run of at most 3600 s: fewer or shorter requests"),
        ("bounds: {p95: 0s}", "bounds.p95: given '0s'"),
        ("scheduling: soon", "scheduling: given 'soon'; allowed: 'normal' or 'fifo'"),
    ],
)
def test_what_cannot_be_recorded_is_said_with_its_place(line: str, complaint: str, tmp_path: Path):
    parts = {"proxy": "proxy: nginx", "weights": "weights: [1, 1]"} | {line.partition(":")[0]: line}
    with pytest.raises(DocumentError) as error:
        plan_of("\n".join(parts.values()), tmp_path)
    assert complaint in str(error.value)
    assert "two words.yaml:" in str(error.value)


def test_all_problems_are_said_at_once(tmp_path: Path):
    with pytest.raises(DocumentError) as error:
        plan_of("proxy: nginx\nweights: [1]\nvictim: 1\nk: 0\nmaxconn: 2", tmp_path)
    assert [problem.line for problem in error.value.problems] == [3, 4, 5]


@pytest.mark.parametrize("file", sorted(RECORDED.glob("*.meta.json")), ids=lambda file: file.name)
def test_every_recording_can_be_made_once_more(file: Path):
    recorded, plan = json.loads(file.read_text()), read_plan(file)
    setup = recorded["sc"]
    assert (plan.proxy, plan.balance, plan.weights) == (setup["proxy"], setup["balance"], setup["weights"])
    assert (plan.kill_at, plan.restart_at) == (setup.get("kill_at"), setup.get("restart_at"))
    assert plan.service == Exponential(mean=0.025)
    assert plan.n == (recorded | setup)["n"]
    assert plan.name == file.name.removesuffix(".meta.json")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "what is not JSON"),
        ("[]", "sc: given nothing; allowed: what ran"),
        ('{"sc": {"proxy": "nginx", "weights": []}}', "weights: given []; allowed:"),
    ],
)
def test_a_damaged_meta_file_is_refused(text: str, complaint: str, tmp_path: Path):
    file = tmp_path / "a.meta.json"
    file.write_text(text)
    with pytest.raises(DocumentError, match=r"a\.meta\.json") as error:
        read_plan(file)
    assert complaint in str(error.value)


def test_an_option_stands_in_place_of_what_the_file_says():
    file = RECORDED / "ng_rr_r70_1.meta.json"
    plan = read_plan(file, name="again", scheduling="fifo")
    assert (plan.name, plan.scheduling) == ("again", "fifo")
    with pytest.raises(DocumentError, match="options: scheduling: given 'fast'; allowed: 'normal' or 'fifo'"):
        read_plan(file, scheduling="fast")


def test_checks_are_logged_so_that_a_replay_knows_their_phase(tmp_path: Path):
    checked = "{proxy: haproxy, weights: [1], sextra: check inter 1s, extra: option redispatch}"
    assert plan_of(checked, tmp_path).backend_lines == (
        "    option log-health-checks\n    option redispatch\n"
    )
    assert plan_of("{proxy: haproxy, weights: [1]}", tmp_path).backend_lines == ""
