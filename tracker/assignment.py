"""Which pairs to make, so that the sum of their costs is least."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec

import numpy as np

from core.types import F64, I64

Pair = tuple[float, int, int]  # cost below 1, row, column


def assign(pairs: Sequence[Pair]) -> list[tuple[int, int]]:
    """Choose among allowed pairs; a row or column that stays alone costs 1.

    Rows whose best columns are all different are given those: no choice costs less. Where rows want the same
    column, they and all that is connected with them are split into groups that share nothing, each solved
    exactly: a small share of the work of the whole matrix.

    Returns:
        (row, column), each row and column at most once.
    """
    if len(pairs) == 1:
        return [pairs[0][1:]]
    best: dict[int, Pair] = {}
    for pair in pairs:
        known = best.get(pair[1])
        if known is None or pair[0] < known[0]:
            best[pair[1]] = pair
    owners: dict[int, int] = {}  # row that wants a column
    rivals: list[int] = []
    for row, (_, _, column) in best.items():
        if owners.setdefault(column, row) != row:
            rivals.append(row)
    if not rivals:
        return [pair[1:] for pair in best.values()]
    chosen: list[tuple[int, int]] = []
    groups = _groups(pairs, rivals)
    for group in groups:
        chosen += _solve(group)
    contested = {row for group in groups for _, row, _ in group}
    return chosen + [pair[1:] for row, pair in best.items() if row not in contested]


def _groups(pairs: Sequence[Pair], rivals: Iterable[int]) -> list[list[Pair]]:
    """The pairs that are connected with these rows, in groups that share neither row nor column."""
    by_row: defaultdict[int, list[Pair]] = defaultdict(list)
    by_column: defaultdict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_row[pair[1]].append(pair)
        by_column[pair[2]].append(pair)
    groups: list[list[Pair]] = []
    for row in rivals:
        waiting = by_row.pop(row, [])
        group = []
        while waiting:
            pair = waiting.pop()
            group.append(pair)
            for other in by_column.pop(pair[2], ()):
                waiting += by_row.pop(other[1], ())
        if group:
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
