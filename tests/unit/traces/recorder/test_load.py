"""The requests of a run are drawn before it, always alike, or are those of an earlier recording."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from workbench.errors import TraceError
from workbench.traces.recorder import Plan, draw_load, find_load, read_plan

RECORDED = Path(__file__).parents[4] / "tests" / "parity" / "recordings"


def plan(**given: object) -> Plan:
    return Plan.model_validate({"proxy": "nginx", "weights": [1, 1], "n": 5000, "rho": 0.5} | given)


def test_the_same_plan_gives_the_same_requests():
    one, same, other = draw_load(plan(seed=3)), draw_load(plan(seed=3)), draw_load(plan(seed=4))
    assert one.arrival.tolist() == same.arrival.tolist()
    assert (one.service.tolist(), one.key) == (same.service.tolist(), same.key)
    assert one.arrival.tolist() != other.arrival.tolist()


def test_arrivals_are_poisson_and_demands_exponential():
    """Kolmogorov-Smirnov at level 0.001, seed fixed; 2 slots at 40/s and load 0.5 make 40/s."""
    load = draw_load(plan(seed=1))
    gaps = np.diff(load.arrival, prepend=0)
    assert stats.kstest(gaps, stats.expon(scale=25_000).cdf).pvalue > 0.001
    assert stats.kstest(load.service, stats.expon(scale=25_000).cdf).pvalue > 0.001
    assert abs(stats.pearsonr(gaps, load.service).statistic) < 3.3 / np.sqrt(5000)


def test_another_distribution_may_be_asked_for():
    load = draw_load(plan(service={"kind": "deterministic", "value": "10ms"}))
    assert set(load.service.tolist()) == {10_000}


def test_requests_that_lie_beside_a_meta_file_are_sent_once_more():
    file = RECORDED / "x_ng_hash_cons_r20_1.meta.json"
    load = find_load(file, read_plan(file))
    with gzip.open(RECORDED / "x_ng_hash_cons_r20_1.csv.gz", "rt") as rows:
        first = next(line for line in rows if line.startswith("0,")).split(",")
    assert len(load) == 500
    assert [str(load.arrival[0]), str(load.service[0]), load.key[0]] == first[1:4]


def test_without_them_requests_are_drawn(tmp_path: Path):
    file = tmp_path / "x.meta.json"
    shutil.copy(RECORDED / "x_ng_hash_cons_r20_1.meta.json", file)
    assert len(find_load(file, read_plan(file))) == 500


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("5,1,a\n4,1,a\n", "arr_us: given times that go back"),
        ("5,1,a b\n", "key: given 'a b'; allowed: 0 to 200 ASCII letters"),
        ("5,x,a\n", "svc_us: given 'x'; allowed: a number"),
    ],
)
def test_requests_that_cannot_be_sent_are_refused(rows: str, complaint: str, tmp_path: Path):
    file = tmp_path / "x.meta.json"
    shutil.copy(RECORDED / "x_ng_hash_cons_r20_1.meta.json", file)
    (tmp_path / "x.csv").write_text(f"arr_us,svc_us,key\n{rows}")
    with pytest.raises(TraceError) as error:
        find_load(file, read_plan(file))
    assert complaint in str(error.value)
