"""The queue of cases: order, blindness to origin, holding, verdicts, and what outlives a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tests.unit.reconcile_decisions.proposals import NOON
from workbench.errors import ConflictError, InputError, NotFoundError
from workbench.reconcile.book import Book
from workbench.reconcile.case_book import Cases
from workbench.reconcile.cases import CaseVerdict, GivenVerdict
from workbench.reconcile.certificate import certify
from workbench.reconcile.costs import Costs
from workbench.reconcile.decisions import decide
from workbench.reconcile.results import Decision, Origin
from workbench.reconcile.review import audit_sample, judged, label_value, labels_of, new_cases

MINUTE = timedelta(minutes=1)


@pytest.fixture
def decided(make, configuration):
    certificate = certify(np.full(400, 0.9), np.ones(400, np.bool_), target=0.99)
    certified = configuration.with_certificate(certificate, trained=0.8, trained_on=500)
    return decide(make(3000), certified), certified


@pytest.fixture
def queue(book, decided) -> Cases:
    cases = Cases(book)
    cases.open(new_cases(*decided, seed=1), at=NOON)
    return cases


def given(verdict: str, *, by: str = "anna", at=NOON, blind: bool = True, left=(), right=()) -> GivenVerdict:
    return GivenVerdict(CaseVerdict(verdict), tuple(left), tuple(right), blind, by, at, "")


def test_all_that_goes_to_review_is_opened_and_a_share_of_what_is_accepted(queue, decided):
    proposals, configuration = decided
    cases = queue.listed()
    counts = {name: proposals["decision"].to_pylist().count(name) for name in Decision}
    reviews = [case for case in cases if case.origin is Origin.REVIEW]
    audits = [case for case in cases if case.origin is Origin.AUDIT]
    assert len(reviews) == counts["review"]
    assert len(audits) == round(0.02 * counts["accept"])
    assert all(case.drawn_above == configuration.thresholds().accept for case in audits)


def test_the_dearest_to_decide_unseen_come_first(queue, configuration):
    values = [case.value for case in queue.listed() if case.origin is Origin.REVIEW]
    assert values == sorted(values, reverse=True)
    costs = configuration.costs
    for case in queue.listed():
        by_hand = min((1 - case.confidence) * costs.wrong, case.confidence * costs.missed)
        assert case.value == pytest.approx(by_hand)


def test_the_value_of_a_label_is_the_worst_within_the_band(make):
    costs = Costs(review=2, wrong=100, missed=100)  # deciding unseen costs most at a half
    proposals = make(
        4,
        confidence=[0.9, 0.9, 0.2, 0.6],
        confidence_low=[None, 0.3, 0.1, 0.55],
        confidence_high=[None, 0.95, 0.4, 0.9],
    )
    assert label_value(proposals, costs).tolist() == pytest.approx([10, 50, 40, 45])


def test_audits_are_spread_among_the_reviews(queue):
    origins = []
    for number in range(40):
        case = queue.take("anna", at=NOON + number * MINUTE)
        queue.decide(case.case_id, given("accept", at=NOON + number * MINUTE))
        origins.append(case.origin)
    total = queue.listed()
    share = sum(case.origin is Origin.AUDIT for case in total) / len(total)
    for count in (10, 20, 40):
        assert abs(origins[:count].count(Origin.AUDIT) - share * count) <= 1


def test_an_audit_takes_every_accepted_proposal_with_the_same_chance(decided):
    proposals, _ = decided
    accepted = proposals["decision"].to_pylist().count("accept")
    drawn = np.zeros(proposals.num_rows)
    names = proposals["proposal_id"].to_pylist()
    place = {name: number for number, name in enumerate(names)}
    for seed in range(200):
        sample = audit_sample(proposals, 0.1, seed=seed)
        assert set(sample["decision"].to_pylist()) == {"accept"}
        drawn[[place[name] for name in sample["proposal_id"].to_pylist()]] += 1
    counts = np.sort(drawn[drawn > 0])
    # Binomial(200, 0.1): a chi-square over all accepted stays below the mean plus 4 standard deviations.
    expected = 200 * 0.1
    chi2 = float(((drawn[np.array(proposals["decision"].to_pylist()) == "accept"] - expected) ** 2).sum())
    chi2 /= expected * 0.9
    assert chi2 < accepted + 4 * np.sqrt(2 * accepted)
    assert counts[0] > 0


def test_a_case_is_held_for_its_reviewer_and_comes_back(queue):
    first = queue.take("anna", at=NOON)
    assert queue.take("anna", at=NOON + 5 * MINUTE).case_id == first.case_id
    other = queue.take("bob", at=NOON + 5 * MINUTE)
    assert other.case_id != first.case_id
    with pytest.raises(ConflictError, match="anna has taken it until"):
        queue.decide(first.case_id, given("accept", by="bob", at=NOON + 6 * MINUTE))
    assert queue.take("carol", at=NOON + 40 * MINUTE).case_id == first.case_id


def test_what_is_skipped_goes_to_others(queue):
    first = queue.take("anna", at=NOON)
    second = queue.take("anna", at=NOON, skip={first.case_id})
    assert second.case_id != first.case_id
    assert queue.take("bob", at=NOON).case_id == first.case_id


def test_of_two_reviewers_of_a_case_the_first_counts_and_the_other_is_told(queue):
    case = queue.take("anna", at=NOON)
    queue.decide(case.case_id, given("accept"))
    with pytest.raises(ConflictError, match="anna decided it at 2026-03-02 12:00"):
        queue.decide(case.case_id, given("reject", by="bob", at=NOON + MINUTE))


def test_a_changed_verdict_is_kept_beside_the_blind_one(queue):
    case = queue.take("anna", at=NOON)
    queue.decide(case.case_id, given("accept"))
    changed = queue.decide(case.case_id, given("reject", blind=False, at=NOON + MINUTE))
    assert [one.verdict.value for one in changed.verdicts] == ["accept", "reject"]
    assert changed.changed


def test_what_comes_again_is_not_asked_again(queue, decided):
    case = queue.take("anna", at=NOON)
    queue.decide(case.case_id, given("reject"))
    before = len(queue.listed())
    again = queue.open(new_cases(*decided, seed=1), at=NOON + MINUTE)
    assert (again.added, again.updated, again.decided) == (0, before - 1, 1)
    assert len(queue.listed()) == before


def test_an_audit_stays_an_audit_when_its_proposal_comes_again(queue, decided):
    cases = new_cases(*decided, seed=1)
    audit = next(case for case in cases if case.origin is Origin.AUDIT)
    queue.open([replace(audit, origin=Origin.REVIEW, drawn_above=0.0, confidence=0.5)], at=NOON + MINUTE)
    (kept,) = [case for case in queue.listed() if case.proposal_id == audit.proposal_id]
    assert (kept.origin, kept.drawn_above, kept.confidence) == (Origin.AUDIT, audit.drawn_above, 0.5)


def test_only_open_reviews_of_other_proposals_are_withdrawn(queue):
    case = queue.take("anna", at=NOON)
    queue.decide(case.case_id, given("accept"))
    kept = [one.proposal_id for one in queue.listed(decided=False) if one.origin is Origin.REVIEW][:3]
    queue.withdraw(kept)
    left = queue.listed()
    assert [one.proposal_id for one in left if not one.decided and one.origin is Origin.REVIEW] == kept
    assert case.case_id in [one.case_id for one in left]
    assert any(one.origin is Origin.AUDIT for one in left)


@pytest.mark.parametrize(
    ("verdict", "left", "right", "expected"),
    [
        ("accept", (), (), [("L", "R", "match")]),
        ("reject", (), (), [("L", "R", "no_match")]),
        ("repair", (), ("R9999",), [("L", "R9999", "match"), ("L", "R", "no_match")]),
        ("repair", ("L9999",), (), [("L9999", "R", "match"), ("L", "R", "no_match")]),
        ("repair", (), (), [("L", "", "match"), ("L", "R", "no_match")]),
        ("split", (), ("R9998", "R9999"), [("L", "R9998 R9999", "match"), ("L", "R", "no_match")]),
    ],
)
def test_verdicts_become_labels(queue, verdict, left, right, expected):
    case = queue.take("anna", at=NOON)
    queue.decide(case.case_id, given(verdict, left=left, right=right))
    own = {"L": case.left_ids[0], "R": case.right_ids[0]}
    rows = labels_of(queue.listed(decided=True)).to_pylist()
    found = [(" ".join(row["left_ids"]), " ".join(row["right_ids"]), row["verdict"]) for row in rows]
    assert found == [(own.get(one, one), own.get(other, other), said) for one, other, said in expected]
    assert {(row["origin"], row["by"], row["at"]) for row in rows} == {(case.origin.value, "anna", NOON)}
    assert judged(queue.listed()).right.tolist() == [verdict == "accept"]


@pytest.mark.parametrize(
    ("verdict", "left", "right", "said"),
    [
        ("accept", (), ("R9999",), "given other records; allowed: none"),
        ("repair", (), ("R1", "R2"), "given 1 left and 2 right records; allowed: 1 with 1"),
        ("split", (), (), "given the case's own records; allowed: other ones"),
        ("split", (), ("R9999",), "given 1 left and 1 right records; allowed: 1 with several"),
        ("split", ("L1", "L2"), ("R1", "R2"), "given 2 left and 2 right records"),
    ],
)
def test_a_verdict_that_does_not_fit_is_refused_and_leaves_the_case_open(queue, verdict, left, right, said):
    case = queue.take("anna", at=NOON)
    with pytest.raises(InputError, match=said):
        queue.decide(case.case_id, given(verdict, left=left, right=right))
    assert not queue.one(case.case_id).decided


def test_what_is_not_there_and_nobody_are_refused(queue):
    with pytest.raises(NotFoundError, match="there is no case 999999"):
        queue.decide(999_999, given("accept"))
    with pytest.raises(InputError, match="by: given nothing"):
        queue.take(" ", at=NOON)


def test_a_reviewer_who_is_killed_finds_every_verdict_that_was_acknowledged(tmp_path, decided):
    """Kill a reviewing process at three moments; each acknowledged verdict is there, and work goes on."""
    file = tmp_path / "killed.sqlite"
    with Book(file) as book:
        Cases(book).open(new_cases(*decided, seed=1), at=NOON)
    program = textwrap.dedent("""
        import sys
        from datetime import UTC, datetime
        from pathlib import Path
        from workbench.reconcile.book import Book
        from workbench.reconcile.case_book import Cases
        from workbench.reconcile.cases import CaseVerdict, GivenVerdict
        with Book(Path(sys.argv[1])) as book:
            queue = Cases(book)
            while (case := queue.take("anna", at=datetime.now(UTC))) is not None:
                given = GivenVerdict(CaseVerdict.ACCEPT, (), (), True, "anna", datetime.now(UTC), "")
                queue.decide(case.case_id, given)
                print(case.case_id, flush=True)
    """)
    acknowledged: set[int] = set()
    for pause in (0.01, 0.05, 0.12):
        with subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            acknowledged.add(int(process.stdout.readline()))
            time.sleep(pause)
            os.kill(process.pid, signal.SIGKILL)
            rest = process.stdout.read().decode()
        acknowledged |= {int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")}
    with Book(file) as book:
        known = [case.case_id for case in Cases(book).listed(decided=True)]
        verdicts = [len(case.verdicts) for case in Cases(book).listed(decided=True)]
    assert acknowledged <= set(known)
    assert len(known) <= len(acknowledged) + 3
    assert set(verdicts) == {1}
