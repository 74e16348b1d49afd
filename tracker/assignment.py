"""Which pairs to make, so that the sum of their costs is least."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec

import numpy as np

from core.types import F64, I64

Pair = tuple[float, int, int]  # cost below 1, row, column


def assign(pairs: Iterable[Pair]) -> list[tuple[int, int]]:
    """Choose among allowed pairs; a row or column that stays alone costs 1.

    Pairs that share neither row nor column with others are taken at once. The others are split into groups
    that share nothing, each solved exactly: a small share of the work of the whole matrix.

    Returns:
        (row, column), each row and column at most once.
    """
    chosen: list[tuple[int, int]] = []
    for group in _groups(pairs):
        if len(group) == 1:
            chosen.append(group[0][1:])
        else:
            chosen += _solve(group)
    return chosen


def _groups(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """The pairs, in groups of those that share a row or column, directly or through others."""
    by_row: dict[int, list[Pair]] = {}
    by_column: dict[int, list[Pair]] = {}
    for pair in pairs:
        by_row.setdefault(pair[1], []).append(pair)
        by_column.setdefault(pair[2], []).append(pair)
    groups: list[list[Pair]] = []
    while by_row:
        _, waiting = by_row.popitem()
        group = []
        while waiting:
            pair = waiting.pop()
            group.append(pair)
            for other in by_column.pop(pair[2], ()):
                waiting += (p for p in by_row.pop(other[1], ()))
        groups.append(group)
    return groups


def _solve(group: list[Pair]) -> list[tuple[int, int]]:
    rows = sorted({row for _, row, _ in group})
    columns = sorted({column for _, _, column in group})
    if len(rows) == 1 or len(columns) == 1:
        return [min(group)[1:]]
    row_of = {row: i for i, row in enumerate(rows)}
    column_of = {column: j for j, column in enumerate(columns)}
    costs = np.ones((len(rows), len(columns)))
    for cost, row, column in group:
        costs[row_of[row], column_of[column]] = cost
    return [
        (rows[i], columns[j])
        for i, j in zip(*(found.tolist() for found in solve(costs)), strict=True)
        if costs[i, j] < 1
    ]


def solve(costs: F64) -> tuple[I64, I64]:
    """The pairs of least total cost.

    By lap where it is installed and the matrix small, since that imports in 10 ms against SciPy's 500;
    by SciPy otherwise, which is faster on large matrices.
    """
    if min(costs.shape) > 32 or not _has_lap():
        return by_scipy(costs)
    return by_lap(costs)


@cache
def _has_lap() -> bool:
    return find_spec("lap") is not None


def by_lap(costs: F64) -> tuple[I64, I64]:
    """The pairs of least total cost, by lap (Jonker and Volgenant, 1987)."""
    import lap

    _, column_of, _ = lap.lapjv(costs, extend_cost=True)
    rows = np.flatnonzero(column_of >= 0)
    return rows, column_of[rows].astype(np.int64)


def by_scipy(costs: F64) -> tuple[I64, I64]:
    """The same, by SciPy (Crouse, 2016)."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    return rows, columns
