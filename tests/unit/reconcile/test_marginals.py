"""Marginals and assignments against the enumeration of every matching."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reconcile.assignment import TIE, assign, rivals
from workbench.reconcile.marginals import Edges, find_tilt, one_to_one_marginals


def edges_of(pairs: list[tuple[int, int]], probability: list[float]) -> Edges:
    order = sorted(range(len(pairs)), key=lambda place: pairs[place])
    return Edges(
        np.array([pairs[place][0] for place in order], np.int32),
        np.array([pairs[place][1] for place in order], np.int32),
        np.array([probability[place] for place in order]),
    )


def matchings(edges: Edges, start: int = 0) -> Iterator[list[int]]:
    """Give every set of edges in which no record stands twice."""
    if start == len(edges.left):
        yield []
        return
    yield from matchings(edges, start + 1)
    for rest in matchings(edges, start + 1):
        if all(
            edges.left[one] != edges.left[start] and edges.right[one] != edges.right[start] for one in rest
        ):
            yield [start, *rest]


def enumerated(edges: Edges) -> np.ndarray:
    odds = edges.probability / (1 - edges.probability)
    total, each = 0.0, np.zeros(len(odds))
    for some in matchings(edges):
        weight = float(np.prod(odds[some]))
        total += weight
        each[some] += weight
    return each / total


@st.composite
def forests(draw: st.DrawFn) -> Edges:
    """A graph without cycles: each new record hangs on one that is there."""
    pairs: list[tuple[int, int]] = [(0, 0)]
    lefts, rights = 1, 1
    for _ in range(draw(st.integers(0, 7))):
        if draw(st.booleans()):
            pairs.append((lefts, draw(st.integers(0, rights - 1))))
            lefts += 1
        else:
            pairs.append((draw(st.integers(0, lefts - 1)), rights))
            rights += 1
    return edges_of(pairs, draw(st.lists(st.floats(0.01, 0.99), min_size=len(pairs), max_size=len(pairs))))


@given(forests())
def test_without_cycles_marginals_are_those_of_all_matchings(edges: Edges):
    np.testing.assert_allclose(one_to_one_marginals(edges), enumerated(edges), atol=1e-8)


def test_with_cycles_marginals_are_close():
    rng = np.random.default_rng(1)
    worst = 0.0
    for _ in range(30):
        pairs = [(i, j) for i in range(3) for j in range(3)]
        edges = edges_of(pairs, rng.uniform(0.02, 0.98, 9).tolist())
        worst = max(worst, float(np.abs(one_to_one_marginals(edges) - enumerated(edges)).max()))
    assert 0 < worst < 0.15


def test_a_rival_that_is_ruled_out_makes_a_pair_surer():
    """L0 may be R0 or R1; R1 is surely L1's."""
    alone = one_to_one_marginals(edges_of([(0, 0), (0, 1)], [0.5, 0.5]))[0]
    among = one_to_one_marginals(edges_of([(0, 0), (0, 1), (1, 1)], [0.5, 0.5, 0.999]))[0]
    assert alone == pytest.approx(1 / 3)
    assert among == pytest.approx(0.5, abs=2e-3)


def test_nobody_has_more_than_one_partner_on_average():
    rng = np.random.default_rng(2)
    pairs = [(i, j) for i in range(12) for j in range(12) if rng.random() < 0.5]
    edges = edges_of(pairs, rng.uniform(0.01, 0.99, len(pairs)).tolist())
    marginal = one_to_one_marginals(edges)
    assert np.bincount(edges.left, marginal).max() <= 1 + 1e-6
    assert np.bincount(edges.right, marginal).max() <= 1 + 1e-6


def test_the_tilt_makes_marginals_add_up_to_as_many_matches():
    rng = np.random.default_rng(3)
    pairs = sorted({(int(i), int(j)) for i, j in rng.integers(0, 60, (150, 2))})
    edges = edges_of(pairs, rng.uniform(0.0, 0.45, len(pairs)).tolist())
    tilt = find_tilt(edges)
    assert 0 < tilt < 6
    assert one_to_one_marginals(edges).sum() < 0.95 * edges.probability.sum()
    assert one_to_one_marginals(edges, tilt=tilt).sum() == pytest.approx(edges.probability.sum(), rel=1e-3)


def test_no_candidates_have_no_marginals():
    none = Edges(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))
    assert len(one_to_one_marginals(none)) == 0
    assert len(assign(none, np.empty(0))) == 0
    assert find_tilt(none) == 0.0


@given(
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=10),
    st.randoms(use_true_random=False),
)
def test_no_set_of_pairs_is_worth_more_than_the_assignment(pairs: set[tuple[int, int]], random):
    edges = edges_of(sorted(pairs), [random.uniform(0.001, 0.999) for _ in pairs])
    worth = np.log(edges.probability / (1 - edges.probability)) - np.log(0.1 / 0.9)
    chosen = assign(edges, edges.probability, floor=0.1)
    best = max(float(worth[some].sum()) for some in matchings(edges))
    assert float(worth[chosen].sum()) == pytest.approx(best)
    assert len(set(edges.left[chosen])) == len(chosen) == len(set(edges.right[chosen]))


@pytest.mark.parametrize("size", [30, 700])
def test_a_large_component_is_solved_as_a_small_one_is(monkeypatch: pytest.MonkeyPatch, size: int):
    rng = np.random.default_rng(4)
    pairs = sorted({(i, (i + step) % size) for i in range(size) for step in (0, 1, 7)})
    edges = edges_of(pairs, rng.uniform(0.01, 0.99, len(pairs)).tolist())
    found = []
    for cells in (0, 10**9):
        monkeypatch.setattr("workbench.reconcile.assignment._DENSE", cells)
        found.append(assign(edges, edges.probability))
    np.testing.assert_array_equal(*found)


def test_the_rival_is_the_best_other_claim_on_either_record():
    edges = edges_of([(0, 0), (0, 1), (1, 0), (2, 2)], [0.9, 0.3, 0.6, 0.7])
    marginal = edges.probability
    found = rivals(edges, marginal, np.array([0, 3]))
    assert found.edge.tolist() == [2, -1]
    np.testing.assert_allclose(found.margin, [0.3, 0.7])


def test_records_alike_tie():
    edges = edges_of([(0, 0), (0, 1), (1, 0), (1, 1)], [0.8] * 4)
    marginal = one_to_one_marginals(edges)
    chosen = assign(edges, marginal)
    assert len(chosen) == 2
    assert (rivals(edges, marginal, chosen).margin <= TIE).all()
