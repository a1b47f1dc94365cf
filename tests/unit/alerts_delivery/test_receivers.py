"""The file of receivers: all that is wrong with it at once, with line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.alerts.receivers import Plan, load_plan
from workbench.documents import parse_document
from workbench.errors import DocumentError

GOOD = """\
receivers:
  - name: team
    channels: [log]
  - name: boss
    channels: {kind: file, path: boss.jsonl}
route:
  receiver: team
  routes:
    - matchers: ['severity="page"']
      receiver: boss
"""


def read(text: str) -> Plan:
    return parse_document(text, Plan, name="plan.yaml", folder=Path("/etc/workbench"))


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        read(text)
    return [str(problem) for problem in refused.value.problems]


def test_a_plan_is_read_and_files_are_found_from_its_folder():
    plan = read(GOOD)
    assert list(plan.channels()) == [("team", 0), ("boss", 0)]
    assert plan.channels()["boss", 0].address == "/etc/workbench/boss.jsonl"
    assert plan.doubts() == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "  receiver: team",
            "  receiver: taem",
            "plan.yaml:7: route.receiver: given 'taem'; allowed: a name of receivers: boss, team",
        ),
        (
            "      receiver: boss",
            "      receiver: nobody",
            "plan.yaml:10: route.routes[0].receiver: given 'nobody'",
        ),
        (
            "  receiver: team\n",
            "  group_wait: 5s\n",
            "plan.yaml:6: route.receiver: given nothing; allowed: the name of a receiver",
        ),
        (
            "  receiver: team\n",
            "  receiver: team\n  matchers: ['a=b']\n",
            "plan.yaml:8: route.matchers: given 'a=\"b\"'; allowed: none",
        ),
        (
            "  receiver: team\n",
            "  receiver: team\n  continues: true\n",
            "plan.yaml:8: route.continues: given True; allowed: false",
        ),
        ("name: boss", "name: team", "plan.yaml:4: receivers[1].name: given 'team'; allowed: each name once"),
        (
            "      receiver: boss",
            "      mute_time_intervals: [night]",
            "route.routes[0].mute_time_intervals[0]: given 'night'; allowed: a name of time_intervals: none",
        ),
        (
            "      receiver: boss",
            "      escalate: {after: 5min, to: ceo}",
            "route.routes[0].escalate[0].to: given 'ceo'",
        ),
        (
            "[log]",
            "[lgo]",
            "plan.yaml:3: receivers[0].channels[0].kind: given 'lgo'; allowed: one of "
            "alertmanager, apprise, desktop, webhook, file, log (did you mean log?)",
        ),
        (
            "route:",
            "dead_mans_switch: {receiver: x, every: 10ms}\nroute:",
            "dead_mans_switch.every: given 0.01",
        ),
        ("route:", "dead_mans_switch: {receiver: x}\nroute:", "dead_mans_switch.receiver: given 'x'"),
        (
            "severity=",
            "severity~",
            "plan.yaml:9: route.routes[0].matchers[0]: given 'severity~\"page\"'; "
            "allowed: a condition on a label",
        ),
        ("  receiver: team", "  reciever: team", "did you mean receiver?"),
    ],
)
def test_what_is_wrong_is_said_with_line_key_and_what_is_allowed(before: str, after: str, expected: str):
    assert before in GOOD
    assert any(expected in problem for problem in problems(GOOD.replace(before, after, 1)))


def test_all_that_is_wrong_is_said_at_once():
    text = GOOD.replace("receiver: team", "receiver: taem").replace("receiver: boss", "receiver: bsso")
    assert len(problems(text.replace("name: boss", "name: team"))) == 3


def test_a_missing_file_is_said(tmp_path: Path):
    with pytest.raises(DocumentError, match="No such file"):
        load_plan(tmp_path / "none.yaml")


def test_what_is_hardly_meant_is_doubted():
    def doubts(**keys: str) -> list[str]:
        lines = "".join(f"  {key}: {value}\n" for key, value in keys.items())
        return read(GOOD.replace("  receiver: team\n", f"  receiver: team\n{lines}")).doubts()

    assert doubts(group_interval="5min", repeat_interval="4h") == []
    (doubled, _) = doubts(group_interval="5min", repeat_interval="5min")
    assert "repeats every 10 min only" in doubled
    (below, _) = doubts(group_interval="5min", repeat_interval="1min")
    assert "repeats at every look" in below
    unused = read(GOOD.replace("      receiver: boss", "      receiver: team")).doubts()
    assert unused == ["receiver boss: no route leads to it"]
    nobody = GOOD.replace("    channels: [log]\n", "").replace(
        "      receiver: boss", "      escalate: {after: 1min, to: boss}"
    )
    assert read(nobody).doubts() == ["route to team: nobody is told first, so that nothing is escalated"]
    short = "channels: [{kind: alertmanager, url: 'http://127.0.0.1:9093', fires_for: 1h}]"
    assert "raise fires_for above 4.08 h" in read(GOOD.replace("channels: [log]", short)).doubts()[0]
