"""The choice of pairs: least total cost, by whichever solver."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tracker.assignment import assign, by_lap, by_scipy

calm = settings(deadline=None)
costs = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(0, 2))
)


def total(matrix, chosen) -> float:
    """Cost of the pairs, 1 for each row that stays alone."""
    return sum(matrix[i, j] for i, j in chosen) + len(matrix) - len(chosen)


def allowed(matrix):
    return [(float(matrix[i, j]), i, j) for i, j in np.argwhere(matrix < 1).tolist()]


@calm
@given(costs)
def test_lap_and_scipy_find_the_same_least_total(matrix) -> None:
    assert matrix[by_lap(matrix)].sum() == pytest.approx(matrix[by_scipy(matrix)].sum(), abs=1e-9)


@calm
@given(costs)
def test_groups_apart_cost_what_the_whole_matrix_costs(matrix) -> None:
    chosen = assign(allowed(matrix))

    gated = np.minimum(matrix, 1)
    whole = [(i, j) for i, j in zip(*by_scipy(gated), strict=True) if gated[i, j] < 1]
    assert total(matrix, chosen) == pytest.approx(total(matrix, whole), abs=1e-9)
    assert all(matrix[i, j] < 1 for i, j in chosen)
    assert len({i for i, _ in chosen}) == len({j for _, j in chosen}) == len(chosen)


@calm
@given(arrays(np.float64, (4, 4), elements=st.floats(0, 0.99)))
def test_no_permutation_is_cheaper(matrix) -> None:
    cheapest = min(sum(matrix[i, p[i]] for i in range(4)) for p in permutations(range(4)))

    assert total(matrix, assign(allowed(matrix))) == pytest.approx(cheapest, abs=1e-9)


def test_nothing_to_assign_is_no_pair() -> None:
    assert assign([]) == []


def test_scipy_does_the_work_where_lap_is_missing(monkeypatch) -> None:
    monkeypatch.setattr("tracker.assignment._has_lap", lambda: False)
    matrix = np.array([[0.1, 0.2], [0.1, 0.9]])

    assert sorted(assign(allowed(matrix))) == [(0, 1), (1, 0)]
