"""The watch: exact confidences raise no alarm, and what is off is named and voids what it must."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.reconcile_decisions.proposals import NOON, table
from workbench.errors import InputError
from workbench.reconcile.case_book import Cases
from workbench.reconcile.cases import CaseVerdict, GivenVerdict
from workbench.reconcile.certificate import certify
from workbench.reconcile.confidence_counts import count_confidences
from workbench.reconcile.decisions import decide
from workbench.reconcile.metrics import HELP, exposition, metrics
from workbench.reconcile.observed import observed_calibration
from workbench.reconcile.review import new_cases
from workbench.reconcile.shift import carry_over
from workbench.reconcile.watch import WatchAlarm, corrected, watch
from workbench.tables import BREAKS


@pytest.fixture
def certified(make, configuration):
    proposals = make(6000, seed=1)
    right = np.array(proposals["truth"].to_pylist())
    certificate = certify(proposals["confidence"].to_numpy(), right, target=0.99)
    return configuration.with_certificate(certificate, trained=float(right.mean()), trained_on=6000)


def verdicts(cases: Cases, proposals: pa.Table, configuration, *, wrong: int) -> None:
    """Review the audit; so many of it are found wrong."""
    audits = [case for case in new_cases(proposals, configuration, seed=1) if case.origin == "audit"]
    cases.open(audits, at=NOON)
    for number, case in enumerate(cases.listed()):
        found = CaseVerdict.REJECT if wrong > 0 else CaseVerdict.ACCEPT
        wrong -= found is CaseVerdict.REJECT
        given = GivenVerdict(found, (), (), True, "anna", NOON + timedelta(seconds=number), "")
        cases.decide(case.case_id, given)


def test_exact_confidences_raise_no_alarm(make, certified):
    found = watch(decide(make(6000, seed=2), certified), certified, at=NOON, reference=make(6000, seed=1))
    assert (found.alarms, found.certificate, found.voids) == ((), "valid", "")
    assert found.calibration["labelled"].labels == 6000


def test_overconfidence_is_seen_on_labels(make, certified):
    proposals = make(6000, seed=2)
    confidence = proposals["confidence"].to_numpy()
    wrong = table(confidence, np.random.default_rng(1).random(6000) < confidence**3)
    found = watch(decide(wrong, certified), certified, at=NOON)
    assert WatchAlarm.CALIBRATION_OFF in found.alarms
    assert found.certificate == "valid"


def test_a_few_labels_raise_no_alarm_about_calibration():
    assert not observed_calibration(np.full(29, 0.99), np.zeros(29, np.bool_)).off
    assert observed_calibration(np.full(30, 0.99), np.zeros(30, np.bool_)).off


def test_a_moved_share_voids_the_certificate(make, certified):
    proposals = make(6000, seed=3)
    right = np.array(proposals["truth"].to_pylist())
    thinned = proposals.filter(pa.array(~right | (np.random.default_rng(1).random(6000) < 0.2)))
    found = watch(decide(thinned, certified), certified, at=NOON)
    assert WatchAlarm.MATCH_SHARE_MOVED in found.alarms
    assert found.certificate == "void"
    assert found.voids.startswith("the share of right proposals moved from 0.9")
    mended = corrected(thinned, found.shift)
    truth = np.array(mended["truth"].to_pylist())
    before = observed_calibration(thinned["confidence"].to_numpy(), truth)
    after = observed_calibration(mended["confidence"].to_numpy(), truth)
    assert before.off
    assert not after.off


def test_correcting_keeps_bands_around_the_confidence(make, certified):
    proposals = make(50, confidence=0.9, confidence_low=[0.8] * 25 + [None] * 25, confidence_high=0.95)
    shift = watch(decide(make(500, seed=4), certified), certified, at=NOON).shift
    half = replace(shift, estimated=0.5)
    mended = corrected(proposals, half)
    expected = carry_over(np.array([0.8, 0.9, 0.95]), trained=shift.trained, now=0.5)
    names = ("confidence_low", "confidence", "confidence_high")
    assert [mended[name][0].as_py() for name in names] == pytest.approx(expected.tolist())
    assert mended["confidence_low"].null_count == 25


def test_an_audit_that_finds_too_many_errors_voids_the_certificate(make, certified, book):
    proposals = decide(make(6000, seed=2, labelled=False), certified)
    verdicts(Cases(book), proposals, certified, wrong=6)
    found = watch(proposals, certified, at=NOON, cases=Cases(book).listed())
    assert found.audit.errors == 6
    assert WatchAlarm.AUDIT_BELOW_TARGET in found.alarms
    assert found.voids == f"an audit found 6 errors in {found.audit.labels}"


def test_an_audit_as_promised_voids_nothing(make, certified, book):
    proposals = decide(make(6000, seed=2, labelled=False), certified)
    verdicts(Cases(book), proposals, certified, wrong=1)
    found = watch(proposals, certified, at=NOON, cases=Cases(book).listed())
    assert WatchAlarm.AUDIT_BELOW_TARGET not in found.alarms
    later = watch(proposals, certified, at=NOON, cases=Cases(book).listed(), since=NOON + timedelta(days=1))
    assert (later.audit, later.calibration) == (None, {})


def test_coverage_counts_records_with_and_without_proposal(make, certified):
    proposals = decide(make(90), certified)
    alone = [{"side": "left", "record_id": f"A{n}", "cents": 1, "reason": "no_candidate"} for n in range(10)]
    found = watch(proposals, certified, at=NOON, breaks=pa.Table.from_pylist(alone, schema=BREAKS)).coverage
    assert found.proposed == {"left": 0.9, "right": 1.0}
    assert sum(found.decisions.values()) == pytest.approx(1.0)


def test_the_age_of_the_oldest_open_case_is_told(make, certified, book):
    Cases(book).open(new_cases(decide(make(500), certified), certified, seed=1), at=NOON)
    found = watch(
        decide(make(500), certified), certified, at=NOON + timedelta(hours=5), cases=Cases(book).listed()
    )
    assert found.backlog.oldest_s == 5 * 3600
    assert found.backlog.open == len(Cases(book).listed())


def test_without_certificate_and_reference_the_share_is_not_watched(make, configuration):
    found = watch(decide(make(500), configuration), configuration, at=NOON)
    assert (found.shift, found.certificate) == (None, "none")


def test_nothing_to_watch_is_refused(make, certified):
    with pytest.raises(InputError, match="proposals: given none"):
        watch(decide(make(1).slice(0, 0), certified), certified, at=NOON)


def exposed(make, certified, book) -> str:
    proposals = decide(make(3000, seed=2), certified)
    Cases(book).open(new_cases(proposals, certified, seed=1), at=NOON)
    found = watch(proposals, certified, at=NOON, reference=make(500, seed=9), cases=Cases(book).listed())
    return exposition([*metrics(found, certified), *count_confidences(book, proposals, at=NOON)])


def test_every_number_stands_in_the_exposition(make, certified, book):
    text = exposed(make, certified, book)
    absent = {"audit_precision_ratio", "coverage_ratio"}
    for name in HELP.keys() - absent:
        assert f"\n# TYPE workbench_reconcile_{name} gauge\n" in f"\n{text}", name
    assert 'workbench_reconcile_alarm{alarm="match_share_moved"} 0.0' in text
    assert "workbench_reconcile_certificate_valid 1.0" in text
    assert 'workbench_match_confidence_bucket{le="+Inf"} 3000.0' in text


def test_a_matching_counts_once_in_the_histogram(make, book):
    first, second = make(100, seed=1), make(50, seed=2)
    for proposals in (first, first, second):
        found = count_confidences(book, proposals, at=NOON)
    numbers = {(one.name, one.labels.get("le")): one.value for one in found}
    assert numbers["workbench_match_confidence_count", None] == 150
    both = np.concatenate([one["confidence"].to_numpy() for one in (first, second)])
    assert numbers["workbench_match_confidence_bucket", "0.99"] == (both <= 0.99).sum()
    assert numbers["workbench_match_confidence_sum", None] == pytest.approx(both.sum())


def test_promtool_accepts_the_exposition(make, certified, book, program):
    import subprocess

    checked = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=exposed(make, certified, book),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
