"""The commands about decisions: what they print, that they go on after a kill, and what they refuse."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow.parquet
import pytest

from tests.unit.reconcile_decisions.proposals import confidences, table
from workbench.cli import main
from workbench.reconcile.proposal_files import read_proposals, write_table
from workbench.workflows import json_schema

pytestmark = pytest.mark.slow
"""Each simulates or trains for seconds."""

Ended = tuple[int, str, str]
FIRST = (
    "config",
    "set",
    "costs.review=2",
    "costs.wrong=100",
    "costs.missed=50",
    "--by",
    "anna",
    "--reason",
    "a",
)


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Give a function that runs `workbench reconcile` in a folder with proposals, labelled and not."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_LAKE", "lake")
    rng = np.random.default_rng(1)
    for name, count, labelled in (("past", 4000, True), ("now", 1000, False)):
        confidence = confidences(count, rng)
        right = rng.random(count) < confidence
        write_table(tmp_path / f"{name}.parquet", table(confidence, right if labelled else None))

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["workbench", "reconcile", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return int(end.value.code or 0), shown.out, shown.err

    return run


@pytest.fixture
def started(command) -> Callable[..., Ended]:
    """The same, with a configuration whose certificate was applied."""
    assert command(*FIRST)[0] == 0
    assert command("thresholds", "past.parquet", "--apply", "--by", "anna", "--reason", "b")[0] == 0
    return command


def form(name: str, text: str) -> dict:
    """Read JSON and hold it against the published form."""
    content = json.loads(text)
    jsonschema.validate(content, json_schema(name))
    return content


def test_thresholds_say_what_each_would_do(command):
    command(*FIRST)
    code, out, _ = command("thresholds", "past.parquet", "--at", "0.97,0.9", "--json")
    found = form("thresholds", out)
    assert code == 0
    assert [row["names"] for row in found["choices"]] == [
        ["now"], ["costs", "chosen"], ["given"], ["given"], ["certificate"]
    ]  # fmt: skip
    assert found["certificate"]["labels"] == 4000
    assert found["applied"] is None
    code, out, _ = command("thresholds", "past.parquet", "--at", "0.97")
    assert "automatic" in out
    assert "more errors in 10,000, review queue" in out
    assert "with two reviewers" in out


def test_a_change_is_seen_beside_what_holds_before_it_is_applied(started):
    def waits(*more: str) -> list:
        out = started("thresholds", "past.parquet", "--json", *more)[1]
        return [
            (row["names"], row["reviewers"], row["wait_p95"]) for row in form("thresholds", out)["choices"]
        ]

    before = waits()[0]
    now, *_, chosen = waits("--with", "reviewers.count=1", "--with", "costs.wrong=50")
    assert before[0] == ["now", "costs", "chosen"]
    assert now == (["now"], 2, before[2])
    assert chosen[1] == 1
    started(
        "thresholds", "past.parquet", "--with", "reviewers.count=1", "--apply", "--by", "bob", "--reason", "c"
    )
    latest = form("decision_configuration", started("config", "show", "--json")[1])
    assert (latest["version"], latest["configuration"]["reviewers"]["count"]) == (3, 1)
    code, _, err = started("thresholds", "past.parquet", "--with", "reviewers.cuont=1")
    assert (code, "did you mean count?" in err) == (2, True)


def test_thresholds_do_not_depend_on_the_order_of_rows_or_on_ids(command):
    command(*FIRST)
    past = read_proposals(Path("past.parquet"))
    shuffled = past.take(pyarrow.array(np.random.default_rng(3).permutation(past.num_rows)))
    for side in ("left", "right"):
        place = shuffled.schema.get_field_index(f"{side}_ids")
        ids = pyarrow.array([[f"x{number}"] for number in range(past.num_rows)])
        shuffled = shuffled.set_column(place, f"{side}_ids", ids)
    write_table(Path("shuffled.parquet"), shuffled)
    one, other = (
        form("thresholds", command("thresholds", f"{name}.parquet", "--at", "0.97", "--json")[1])
        for name in ("past", "shuffled")
    )
    for found in (one, other):
        for row in found["choices"]:
            row["missed_per_10k"] = round(row["missed_per_10k"], 9)  # a sum of floats
    assert one == other


def test_nothing_is_applied_without_a_certificate(command):
    command(*FIRST)
    code, _, err = command("thresholds", "now.parquet", "--apply", "--by", "anna", "--reason", "hope")
    assert code == 2
    assert "needs 299 more without an error" in err
    assert form("decision_history", command("config", "history", "--json")[1])["versions"][0]["version"] == 1


def test_too_few_labels_leave_a_certificate_as_it_is_and_bad_ones_do_not(started):
    past = read_proposals(Path("past.parquet"))
    write_table(Path("few.parquet"), past.slice(0, 100))
    found = form("thresholds", started("thresholds", "few.parquet", "--json")[1])
    assert (found["certificate"]["threshold"], found["chosen"]) == (None, 0.98)
    place = past.schema.get_field_index("truth")
    wrong = past.set_column(place, "truth", pyarrow.array([number % 2 == 0 for number in range(4000)]))
    write_table(Path("wrong.parquet"), wrong)
    found = form("thresholds", started("thresholds", "wrong.parquet", "--json")[1])
    assert (found["chosen"], found["chosen_from"]) == (None, "no_certificate")


def test_an_applied_certificate_decides(started):
    code, out, _ = started("decide", "now.parquet", "-o", "decided.parquet", "--json")
    found = form("decided", out)
    assert code == 0
    decided = read_proposals(Path("decided.parquet"))
    assert found["counts"]["accept"]["confident"] == decided["decision"].to_pylist().count("accept")
    accepted = [row for row in decided.to_pylist() if row["decision"] == "accept"]
    assert min(row["confidence"] for row in accepted) >= 0.98


def test_what_decides_changes_in_versions(started):
    code, out, _ = started("config", "show", "--json")
    assert form("decision_configuration", out)["version"] == 2
    code, out, _ = started("config", "set", "reviewers.count=3", "--by", "bob", "--reason", "c", "--json")
    assert [one["key"] for one in form("decision_configuration", out)["changes"]] == ["reviewers.count"]
    code, _, err = started(
        "config", "set", "reviewers.count=4", "--based-on", "2", "--by", "eve", "--reason", "d"
    )
    assert code == 2
    assert "given version 2; allowed: 3, saved by bob" in err
    _, out, _ = started("config", "diff", "1", "3", "--json")
    assert {"reviewers.count", "certified.threshold"} <= {
        one["key"] for one in form("decision_difference", out)["changes"]
    }
    code, out, _ = started("config", "rollback", "2", "--by", "bob", "--reason", "e", "--json")
    assert form("decision_configuration", out)["configuration"]["reviewers"]["count"] == 2


def test_yaml_that_is_shown_is_yaml_that_can_be_set(started):
    code, out, _ = started("config", "show", "--yaml")
    Path("all.yaml").write_text(out)
    code, out, _ = started(
        "config", "set", "--file", "all.yaml", "--by", "anna", "--reason", "same", "--json"
    )
    assert code == 0
    assert form("decision_configuration", out)["changes"] == []


def test_an_editor_changes_the_configuration(started, monkeypatch):
    monkeypatch.setenv("EDITOR", "sed -i s/count:.2/count:\\ 5/")
    monkeypatch.delenv("VISUAL", raising=False)
    code, out, _ = started("config", "edit", "--by", "anna", "--reason", "more", "--json")
    assert form("decision_configuration", out)["configuration"]["reviewers"]["count"] == 5
    monkeypatch.setenv("EDITOR", "true")
    assert "nothing was changed" in started("config", "edit", "--by", "anna", "--reason", "no")[2]
    monkeypatch.setenv("EDITOR", "sed -i s/count:/cuont:/")
    code, _, err = started("config", "edit", "--by", "anna", "--reason", "typo")
    assert code == 2
    assert "did you mean count?" in err


def test_a_score_is_shown_only_after_the_verdict(started):
    started("review", "open", "now.parquet")
    _, out, _ = started("review", "next", "--by", "anna", "--json")
    blind = form("review_case", out)
    assert blind["score"] is None
    assert "confidence" not in json.dumps(blind["evidence"])
    _, out, _ = started("review", "verdict", str(blind["case_id"]), "accept", "--by", "anna", "--json")
    seen = form("review_case", out)
    assert seen["score"]["confidence"] > 0
    assert seen["verdicts"][0]["blind"]
    _, out, _ = started("review", "verdict", str(blind["case_id"]), "reject", "--by", "anna", "--json")
    assert [one["blind"] for one in form("review_case", out)["verdicts"]] == [True, False]
    assert form("review_status", started("review", "status", "--json")[1])["changed"] == 1


def test_where_no_case_is_left_the_status_is_shown(started):
    assert "no case is left" in started("review", "next", "--by", "anna")[1]
    assert form("review_status", started("review", "next", "--by", "anna", "--json")[1])["open"] == {}


def test_a_file_of_verdicts_is_kept_once_however_often_it_is_imported(started):
    _, out, _ = started("review", "open", "now.parquet", "--json")
    opened = form("review_status", out)
    cases = form("review_cases", started("review", "list", "--open", "--json")[1])["cases"]
    assert len(cases) == opened["added"] == sum(opened["open"].values())
    lines = [{"case": case["case_id"], "verdict": "accept"} for case in cases[:5]]
    lines.append({"case": cases[5]["case_id"], "verdict": "repair", "right_ids": ["R99999"], "note": "typo"})
    Path("v.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    for _ in range(2):
        code, out, _ = started("review", "import", "v.jsonl", "--by", "anna", "--json")
        found = form("review_status", out)
        assert code == 0
        assert sum(sum(one.values()) for one in found["decided"].values()) == 6
    shown = form("review_case", started("review", "show", str(cases[5]["case_id"]), "--json")[1])
    assert [one["note"] for one in shown["verdicts"]] == ["typo"]
    Path("v.json").write_text(json.dumps(lines))
    assert started("review", "import", "v.json", "--by", "anna")[0] == 0
    code, out, _ = started("review", "labels", "labels.parquet", "--json")
    counts = form("review_labels", out)["counts"]
    assert sum(sum(one.values()) for one in counts.values()) == 7
    assert pyarrow.parquet.read_table("labels.parquet").num_rows == 7


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            '{"case": 999999, "verdict": "accept"}',
            "v.jsonl:1: case: given 999999; allowed: a case of the book",
        ),
        ('{"case": 1, "verdict": "perhaps"}', "verdict: given 'perhaps'; allowed: 'accept', 'reject'"),
        ('{"case": 1}', "v.jsonl:1: verdict: given nothing; allowed: a value"),
        (
            '{"case": 1, "verdict": "accept"}\n{"case": 1, "verdict": "reject"}',
            "v.jsonl:2: case: given 1 again",
        ),
        ('{"case": 1, "verdict": "accept"}\n{oops', "v.jsonl:2: document: given what is not JSON"),
        ("[1, 2]", "given 1; allowed:"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole(started, content: str, said: str):
    started("review", "open", "now.parquet")
    Path("v.jsonl").write_text(content)
    code, _, err = started("review", "import", "v.jsonl", "--by", "anna")
    assert code == 2
    assert said in err
    assert form("review_status", started("review", "status", "--json")[1])["decided"] == {}


def test_work_at_a_terminal_goes_on_after_a_kill(started, tmp_path):
    """Kill a reviewer at the prompt; the verdicts are there and the case that was open comes first."""
    started("review", "open", "now.parquet")
    shown = []
    for answers in (b"a\nr\n", b"a\n"):
        main_end, other_end = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "workbench.cli", "reconcile", "review", "work", "--by", "anna"],
            stdin=other_end, stdout=other_end, stderr=other_end, cwd=tmp_path,
        ) as process:  # fmt: skip
            os.close(other_end)
            seen, sent = b"", 0
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                seen += os.read(main_end, 4096)
                if seen.count(b"[q]uit: ") > sent:
                    if sent == answers.count(b"\n"):
                        break
                    os.write(main_end, answers.split(b"\n")[sent] + b"\n")
                    sent += 1
            os.kill(process.pid, signal.SIGKILL)
        os.close(main_end)
        shown.append([int(part.split(b":")[0]) for part in seen.split(b"case ")[1:]])
    status = form("review_status", started("review", "status", "--json")[1])
    assert sum(sum(one.values()) for one in status["decided"].values()) == 3
    assert shown[1][0] == shown[0][-1]


def test_work_reads_its_answers_and_says_what_it_does_not_know(started, monkeypatch):
    started("review", "open", "now.parquet")
    answers = iter(["x", "k", "p", "", "R1,R2", "s", "", "R1,R2", "u", "a", "q"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    code, out, _ = started("review", "work", "--by", "anna")
    assert code == 0
    assert "given 'x'; allowed: a, r, p, s, k, u or q" in out
    assert "several are a split" in out
    assert "having seen the confidence" in out
    status = form("review_status", started("review", "status", "--json")[1])
    assert list(status["decided"].values()) == [{"accept": 1}]


def test_the_watch_voids_a_certificate_whose_ground_has_moved(started):
    assert "no alarm" in started("watch", "now.parquet")[1]
    past = read_proposals(Path("past.parquet"))
    right = np.array(past["truth"].to_pylist())
    kept = ~right | (np.random.default_rng(1).random(len(right)) < 0.2)
    write_table(Path("thin.parquet"), past.filter(pyarrow.array(kept)))
    assert not form("watch", started("watch", "thin.parquet", "--dry-run", "--json")[1])["voided"]
    code, out, _ = started(
        "watch", "thin.parquet", "--reference", "past.parquet", "--metrics", "m.prom",
        "--corrected", "mended.parquet", "--json",
    )  # fmt: skip
    found = form("watch", out)
    assert code == 0
    assert found["voided"]
    assert "match_share_moved" in found["alarms"]
    assert found["decisions"]["accept"] == 0.0
    assert {one["name"] for one in found["metrics"]} >= {"workbench_reconcile_certificate_valid"}
    assert "workbench_reconcile_certificate_valid 0.0" in Path("m.prom").read_text()
    mended = read_proposals(Path("mended.parquet"))
    assert np.mean(mended["confidence"].to_numpy()) < np.mean(
        read_proposals(Path("thin.parquet"))["confidence"].to_numpy()
    )
    latest = form("decision_configuration", started("config", "show", "--json")[1])
    assert (latest["author"], latest["accept"]) == ("the watch", None)
    assert not form("watch", started("watch", "thin.parquet", "--json")[1])["voided"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["thresholds", "past.parquet"], "there is no decision configuration in lake"),
        (["thresholds", "none.parquet"], "none.parquet: given what cannot be read"),
        (["config", "set", "costs.review=2", "--by", "a", "--reason", "b"], "costs.wrong: given nothing"),
        (
            ["config", "set", "costs", "--by", "a", "--reason", "b"],
            "change: given 'costs'; allowed: key=value",
        ),
        (["config", "set", "--by", "a", "--reason", "b"], "changes: given none; allowed: some"),
        (["config", "set", "costs.review={", "--by", "a", "--reason", "b"], "allowed: a value as in YAML"),
        (
            [*FIRST[:5], "costs.right=3", *FIRST[5:]],
            "costs.right: given 3; allowed: one of review, wrong, missed",
        ),
        ([*FIRST[:5], "certified.threshold=0", *FIRST[5:]], "certified"),
        ([*FIRST[:5], "--by", " ", "--reason", "b"], "author: given nothing"),
        (["config", "show", "3"], "there is no version 3"),
        (["review", "show", "5"], "there is no case 5"),
        (["review", "next", "--by", ""], "by: given nothing"),
        (["review", "verdict", "1", "maybe", "--by", "a"], "verdict: given 'maybe'; allowed: accept, reject"),
        (["watch", "now.parquet", "--columns", "colour"], "there is no decision configuration"),
    ],
)
def test_bad_input_is_told_without_a_traceback(command, arguments, said: str):
    code, out, err = command(*arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err + out


def test_bad_proposals_are_told_without_a_traceback(started, tmp_path):
    good = read_proposals(Path("now.parquet"))
    Path("text.parquet").write_text("not parquet")
    write_table(Path("less.parquet"), good.drop(["confidence"]))
    write_table(Path("words.parquet"), good.set_column(8, "confidence", pyarrow.array(["x"] * 1000)))
    write_table(Path("beyond.parquet"), good.set_column(8, "confidence", pyarrow.array([1.5] * 1000)))
    write_table(
        Path("nulls.parquet"), good.set_column(8, "confidence", pyarrow.nulls(1000, pyarrow.float64()))
    )
    write_table(Path("empty.parquet"), good.slice(0, 0))
    for file, said in {
        "text": "allowed: a Parquet file",
        "less": "a table that has 'confidence' among others",
        "words": "confidence: given string; allowed: double",
        "beyond": "confidence: given what is no probability",
        "nulls": "confidence: given 1000 nulls; allowed: none",
        "empty": "proposals: given none",
    }.items():
        for verb in ("thresholds", "watch"):
            code, _, err = started(verb, f"{file}.parquet")
            assert (code, said in err) == (2, True), (file, verb, err)
    code, _, err = started("watch", "now.parquet", "--reference", "past.parquet", "--columns", "colour")
    assert (code, "columns: given colour; allowed in the reference" in err) == (2, True)
    assert started("decide", "empty.parquet", "-o", "out.parquet")[0] == 0
    assert started("review", "open", "empty.parquet")[0] == 0
    assert started("decide", "now.parquet", "-o", "missing/out.parquet")[0] == 4


def test_retraining_needs_labels(started):
    code, _, err = started("review", "retrain", "plan.yaml", "--by", "anna")
    assert code == 2
    assert "labels: given none by the review and no --labels" in err


@pytest.fixture
def ledgers(tmp_path: Path) -> Path:
    """Copy 1,500 transactions of the benchmark's ledgers, with the partners of 1,000 of them as labels."""
    source = Path(__file__).parents[3] / "data" / "ledgers"
    pairs = (source / "true_matches.csv").read_text().splitlines()
    kept = [line.split(",") for line in pairs[1:1501]]
    folder = tmp_path / "ledgers"
    folder.mkdir()
    for side, place in (("left", 0), ("right", 1)):
        names = {pair[place] for pair in kept}
        head, *rows = (source / f"{side}.csv").read_text().splitlines()
        chosen = [row for row in rows if row.partition(",")[0] in names]
        (folder / f"{side}.csv").write_text("\n".join([head, *chosen, ""]))
    (folder / "labels.csv").write_text("\n".join([pairs[0], *pairs[1:1001], ""]))
    (folder / "plan.yaml").write_text((source / "plan.yaml").read_text())
    return folder


def test_from_ledgers_to_verdicts_and_back_to_a_model(started, ledgers: Path):
    plan, labels = str(ledgers / "plan.yaml"), str(ledgers / "labels.csv")
    assert started("train", plan, "--labels", labels)[0] == 0
    assert started("match", plan, "--folder", "out")[0] == 0
    assert started("review", "open", "out", "--plan", plan)[0] == 0
    case = form("review_case", started("review", "next", "--by", "anna", "--json")[1])
    assert {side: len(case["evidence"][side]) for side in ("left", "right")} == {"left": 1, "right": 1}
    assert set(case["evidence"]["left"][0]) >= {"id", "date", "cents", "text"}
    started("review", "verdict", str(case["case_id"]), "reject", "--by", "anna")
    code, out, _ = started("review", "retrain", plan, "--labels", labels, "--by", "anna", "--json")
    found = form("retraining", out)
    assert code == 0
    assert sum(sum(one.values()) for one in found["counts"].values()) + found["replaced"] == 1001
    latest = form("decision_configuration", started("config", "show", "--json")[1])
    assert latest["accept_from"] == "certificate_void"
    assert latest["configuration"]["fresh_since"] is not None
    assert latest["version"] == found["version"]
    assert form("watch", started("watch", "out", "--json")[1])["calibration"] == []  # no verdict is fresh
    Path("all.yaml").write_text(started("config", "show", "--yaml")[1])
    started("config", "set", "--file", "all.yaml", "--by", "anna", "--reason", "same")
    assert form("watch", started("watch", "out", "--json")[1])["calibration"] == []
    case = form("review_case", started("review", "next", "--by", "anna", "--json")[1])
    started("review", "verdict", str(case["case_id"]), "accept", "--by", "anna")
    (fresh,) = form("watch", started("watch", "out", "--json")[1])["calibration"]
    assert fresh["labels"] == 1
